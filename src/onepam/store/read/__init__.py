"""Reads for pages, the API and reports: functions `(db, at, ...)` that give typed rows as of `at`."""
