"""The exchange's REST interface, within the weight it allows."""

from ingest.rest.client import REPAIR_SHARE, SEED_SHARE, RestClient
from ingest.rest.http import Fetch, HttpClient

__all__ = [
    "REPAIR_SHARE",
    "SEED_SHARE",
    "Fetch",
    "HttpClient",
    "RestClient",
]
