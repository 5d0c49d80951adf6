"""The exchange's REST interface, within the weight it allows."""

from ingest.rest.client import REPAIR_SHARE, SEED_SHARE, RestClient
from ingest.rest.http import Fetch, urllib_fetch

__all__ = [
    "REPAIR_SHARE",
    "SEED_SHARE",
    "Fetch",
    "RestClient",
    "urllib_fetch",
]
