"""The database itself: the only rooms that another database replaces."""
