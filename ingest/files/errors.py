"""What can be wrong with a whole file, in words for the one who chose it."""

WANTED = "needs trades as NDJSON (one JSON object a line), Binance frames, or CSV; .gz or .zip too"
