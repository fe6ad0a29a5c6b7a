"""All rooms of the domain, loaded: whoever walks the kinds of events asks for them first, so that none is left out."""

import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import onepam.domain  # noqa: E402
from onepam.domain.history.event import kinds  # noqa: E402


def load() -> None:
    """Imports every module below `onepam.domain`, so that all kinds are registered. Ends the program where none is."""
    rooms = list(pkgutil.walk_packages(onepam.domain.__path__, "onepam.domain."))
    for room in rooms:
        importlib.import_module(room.name)
    if not kinds():
        raise SystemExit(f"no event kind found in {len(rooms)} modules of onepam.domain")
