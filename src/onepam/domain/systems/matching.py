"""Who stands behind an account of another system: by what its list says, unless an administrator has said it.

By the e-mail address of the account; by its name, where that is an address, somebody's name at a directory or what
stands before the @ of exactly one address; of what a list gives an owner, the owner. Where two could be meant it is
nobody: a wrong one would hide that the account is nobody's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onepam.domain.systems.events import Match
from onepam.domain.systems.file import AccountRow, name_key

SHARED_NAMES = frozenset(
    {
        "admin", "administrator", "root", "sa", "sys", "system", "oracle", "postgres", "mysql", "guest", "service",
        "backup", "support", "info", "test", "user", "dba", "deploy", "operator", "monitor", "www-data",
    }
)  # fmt: skip
"""Names that are nobody's: what stands before the @ of an address says nothing of them."""


@dataclass(frozen=True, slots=True)
class Someone:
    """Somebody whom an account may lead to, here or gone. `email` is in lower case, empty where it was erased, `names`
    are what directories call them. `present`: they are here."""

    person: str
    email: str
    names: tuple[str, ...]
    present: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """Who stands behind an account, as its owner if it is a `service`; and how that is known."""

    person: str | None
    service: bool
    because: Match


NOBODY = Behind(None, False, Match.NOBODY)


class Matching:
    """Everybody, by what may lead to them."""

    def __init__(self, people: Iterable[Someone]) -> None:
        self._emails: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._locals: dict[str, set[str]] = {}
        self._present: set[str] = set()
        for each in people:
            if each.present:
                self._present.add(each.person)
            if each.email:
                self._emails.setdefault(each.email, set()).add(each.person)
                self._locals.setdefault(name_key(each.email.partition("@")[0]), set()).add(each.person)
            for name in each.names:
                self._names.setdefault(name_key(name), set()).add(each.person)

    def behind(self, row: AccountRow) -> Behind:
        """Who stands behind it, by what the list says."""
        if row.owner is not None:
            owner = self._called(row.owner)
            return Behind(owner, True, Match.OWNER) if owner is not None else NOBODY
        if row.email is not None:
            person = self._one(self._emails, row.email)
            return Behind(person, False, Match.EMAIL) if person is not None else NOBODY
        person = self._called(row.name)
        return Behind(person, False, Match.NAME) if person is not None else NOBODY

    def _called(self, name: str) -> str | None:
        key = name_key(name)
        found = self._one(self._emails, key) or self._one(self._names, key)
        return found or (None if key in SHARED_NAMES else self._one(self._locals, key))

    def _one(self, by: Mapping[str, set[str]], key: str) -> str | None:
        """The only one, or the only one who is here."""
        found = by.get(key, set())
        if len(found) > 1:
            found = found & self._present
        return next(iter(found)) if len(found) == 1 else None
