"""Writes the digest that a release publishes of verify.html, as `make ui` built it from the verify.py of the tree."""

import re
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "onepam" / "evidence" / "verifier"
PAGE = FOLDER / "verify.html"
DIGEST = ROOT / "release" / "verify.html.sha256"
_NAMED = re.compile(rb'<code id="verifier">([0-9a-f]{64})</code>')


def named(page: bytes) -> str:
    """The SHA-256 of the verify.py that the page says it runs."""
    found = _NAMED.search(page)
    return found[1].decode("ascii") if found else ""


def line(page: bytes) -> str:
    """The published line, as sha256sum writes it."""
    return f"{sha256(page).hexdigest()}  {PAGE.name}\n"


def main() -> None:
    """Writes the line; stops where the page was built from another verify.py."""
    page = PAGE.read_bytes()
    if named(page) != sha256((FOLDER / "verify.py").read_bytes()).hexdigest():
        sys.exit(f"{PAGE.name} is of another verify.py: make ui")
    DIGEST.write_text(line(page), "ascii")


if __name__ == "__main__":
    main()
