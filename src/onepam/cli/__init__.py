"""The command line: everything but `up`, `signer`, `witness` and `verify` speaks to the API."""
