"""Calling out: every connection that this gateway begins."""
