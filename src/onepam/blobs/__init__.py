"""Folders on disk: the log's tiles and checkpoint, the recordings."""
