"""What requests, sessions and bindings are about, for sentences that name them by their ids: whose, and on what."""

from typing import Any

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.tables import AT
from onepam.store.read.names import Called


class Matters(Called):
    """As `Called`; and by their ids what requests, sessions and bindings are about: `req_… (Eve Example, root on
    app-1)`. For lists where each line stands alone."""

    def _name(self, ident: str) -> str:
        about = _ABOUT.get(ident.partition("_")[0])
        if about is None:
            return super()._name(ident)
        found = about(self._db, ident, self._at)
        if found is None:
            raise KeyError(ident)
        return f"{ident} ({self.get(found[0], found[0])}, {found[1]})"


def _request(db: Snapshot, ident: str, at: Instant) -> Any:
    said = "person, json_extract(substance, '$.login') || ' on ' || resource"
    return row(db, f"SELECT {said} FROM request WHERE request = :ident AND {AT}", {"ident": ident, "at": at})


def _session(db: Snapshot, ident: str, at: Instant) -> Any:
    said = "person, login || ' on ' || resource"
    return row(db, f"SELECT {said} FROM session WHERE session = :ident AND {AT}", {"ident": ident, "at": at})


def _binding(db: Snapshot, ident: str, at: Instant) -> Any:
    known = "SELECT subject, role FROM binding WHERE binding = :ident AND valid_from <= :at"
    return row(db, f"{known} ORDER BY valid_until DESC LIMIT 1", {"ident": ident, "at": at})


_ABOUT = {"req": _request, "ses": _session, "bnd": _binding}
"""By what an id begins with: who, and what."""
