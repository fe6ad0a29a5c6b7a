"""What an event is, how a decision is committed, and what the ledger says of itself."""
