"""Controls: the board, and one with its rows and runs."""
