"""The Factors page: what all symbols do together, and what is left of each."""
