"""The store: the ledger and its projections on SQLite. `writer` appends, `project` folds, `facts` and `read` ask."""
