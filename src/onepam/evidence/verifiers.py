"""The verifier as it is handed out: a file for Python, and a page for a browser that runs the very same file."""

from functools import cache
from hashlib import sha256
from importlib.resources import files as resources
from pathlib import Path

PROGRAM, PAGE = "verify.py", "verify.html"
VERIFIERS = (PAGE, PROGRAM)


def verifier(name: str = PROGRAM) -> bytes:
    """One of `VERIFIERS`, as it is published by its digest. Raises `FileNotFoundError` where `make ui` has not built
    the page."""
    return path_of(name).read_bytes()


def path_of(name: str) -> Path:
    """Where it lies."""
    if name not in VERIFIERS:
        raise FileNotFoundError(name)
    return Path(str(resources("onepam.evidence.verifier") / name))


@cache
def digest_of(name: str) -> str:
    """Its SHA-256 in hex; empty where it is not there."""
    try:
        return sha256(verifier(name)).hexdigest()
    except FileNotFoundError:
        return ""
