"""Fetches, imports and moves of history that are killed at any moment, over and over."""
