"""What a file has to be, in words for the one who chose it; its errors are in `ingest.errors`."""

WANTED = "needs trades as NDJSON (one JSON object a line), Binance frames, or CSV; .gz or .zip too"
