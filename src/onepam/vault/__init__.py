"""The vault: what is secret at rest, and the three SSH certificate authorities. An edge: it keeps key files."""
