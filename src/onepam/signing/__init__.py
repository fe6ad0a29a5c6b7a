"""The two processes that anchor the ledger outside its database: the signer of checkpoints, and the witness."""
