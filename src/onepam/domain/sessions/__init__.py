"""Gateway sessions, confirmations, recordings."""
