"""Secrets that the service manager lends, each by its file's name (systemd.exec(5), LoadCredential)."""

import os
from pathlib import Path


def lent(path: str) -> Path:
    """Where to read the secret file `path`: the credential of that name where this service was passed one."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder) / Path(path).name if folder else None
    return credential if credential is not None and credential.is_file() else Path(path)
