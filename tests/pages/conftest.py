"""The fixtures of the pages' tests."""

from desk.fixtures import data_folder, database, fresh_caches, watch

__all__ = ["data_folder", "database", "fresh_caches", "watch"]
