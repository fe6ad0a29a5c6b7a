"""The HTTP API under `/api/v1`: the routes that the CLI and scripts need."""
