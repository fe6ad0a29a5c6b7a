"""Whom a TLS connection that leaves the gateway trusts."""

import ssl
from pathlib import Path


def trust_of(ca_file: Path | None = None) -> ssl.SSLContext:
    """The system's CAs, and those of the file (PEM); TLS 1.2 at least. Raises `OSError` for a file that holds none."""
    trust = ssl.create_default_context()
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        trust.load_verify_locations(cafile=ca_file)
    return trust
