"""The Data page: what history is held, and how more of it comes."""
