"""Recordings: what is recorded, sealed as it happens, opened and verified, exported in open formats. No I/O, no clock."""
