"""Where bars and trades are read from: the database's tables, the lake, and both as one."""
