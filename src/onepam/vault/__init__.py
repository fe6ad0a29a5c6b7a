"""The vault: what is secret at rest, and the authorities of SSH and of databases. An edge: it keeps key files."""
