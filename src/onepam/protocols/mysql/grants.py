"""Which rights a user for one session may not have: those by which it could alter accounts, its own or another's, and
so be there where nobody looks for it."""

import re
from collections.abc import Iterable
from typing import Final

_QUOTED: Final = r"(?:`(?:[^`]|``)*`|'(?:[^']|'')*')"
_RIGHTS: Final = re.compile(
    rf"GRANT (?P<rights>(?:[A-Za-z_ ,]|\((?:`(?:[^`]|``)*`(?:, )?)+\))+?) ON (?:(?:[A-Z]+ )*)"
    rf"(?P<schema>\*|{_QUOTED})\.(?:\*|{_QUOTED}) TO (?P<to>{_QUOTED}(?:@{_QUOTED})?|PUBLIC)"
    r"(?P<more>(?: (?:IDENTIFIED|REQUIRE|WITH) .*)?)",
    re.DOTALL,
)
_ROLES: Final = re.compile(
    rf"(?:GRANT {_QUOTED}(?:@{_QUOTED})?(?:, ?{_QUOTED}(?:@{_QUOTED})?)* TO |SET DEFAULT ROLE ).*", re.DOTALL
)
_COLUMNS: Final = re.compile(r"\((?:`(?:[^`]|``)*`(?:, )?)+\)", re.DOTALL)

_HARMLESS: Final = frozenset(
    (
        "USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "EXECUTE", "REFERENCES", "RELOAD",
        "LOCK TABLES", "CREATE TEMPORARY TABLES", "REPLICATION CLIENT", "REPLICATION SLAVE", "BINLOG MONITOR",
        "SLAVE MONITOR", "REPLICA MONITOR",
    )
)  # fmt: skip
"""What may be given on everything, or on the schema `mysql`, where the accounts stand. FILE is not: who writes
into a MariaDB's own folder makes triggers there that run as anybody."""


def too_much(grants: Iterable[str]) -> str | None:
    """In words, what of these lines of `SHOW GRANTS` reaches the accounts of the server; None where nothing does."""
    for each in grants:
        if _ROLES.fullmatch(each):
            continue
        found = _RIGHTS.fullmatch(each)
        if found is None:
            return "what it may do cannot be read"
        if not _holds_accounts(found["schema"]):
            continue
        rights = {right.strip() for right in _COLUMNS.sub("", found["rights"]).split(",")} - _HARMLESS
        if "GRANT OPTION" in found["more"]:
            rights.add("GRANT OPTION")
        if rights:
            return f"it has {', '.join(sorted(rights))} on {found['schema']}"
    return None


def _holds_accounts(schema: str) -> bool:
    """Whether a name of schemas, in which % and _ stand for others, is that of all or of `mysql`."""
    if schema == "*":
        return True
    pattern, escaped = "", False
    for each in schema[1:-1].replace("``", "`"):
        if each == "\\" and not escaped:
            escaped = True
            continue
        pattern += {"%": ".*", "_": "."}.get(each, re.escape(each)) if not escaped else re.escape(each)
        escaped = False
    return re.fullmatch(pattern, "mysql", re.IGNORECASE | re.DOTALL) is not None
