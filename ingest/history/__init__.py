"""History brought in: dumps, files, and what the exchange hands out over REST."""
