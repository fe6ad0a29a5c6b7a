"""Recordings: what is recorded, sealed as it happens, opened and verified, exported. No I/O, no clock."""
