"""What guardrails mean for one session: what its statements may do, and what its start may ask for."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.postgres.events import Allowance
from onepam.protocols.postgres.startup import for_target
from onepam.protocols.postgres.statements import classify, setting

_NO_SETTINGS: Final = frozenset(("user", "database", "options", "replication"))
_OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:[^\s\\]|\\.)*)(?:\s+|$)")


def allowance(guardrails: Guardrails | None) -> Allowance:
    """What the statements of a session may do."""
    if guardrails is None:
        return Allowance()
    return Allowance(frozenset(guardrails.statements), guardrails.rows, classify)


def start(parameters: Mapping[str, str], guardrails: Guardrails | None) -> dict[str, str] | Refused:
    """What our start-up says to the target beside the login, for a client that began with these parameters."""
    if guardrails is None:
        return for_target(parameters)
    for name, value in _settings(parameters):
        if name is None:
            return Refused("statement.unreadable", "the options of this connection cannot be read.")
        beyond = setting(name, value) - {StatementClass.OTHER, *guardrails.statements}
        if beyond:
            return Refused(f"statement.{min(beyond)}", f"this access does not allow a client to set {name}.")
    read_only = StatementClass.WRITE not in guardrails.statements and StatementClass.DDL not in guardrails.statements
    return for_target(parameters, timeout=guardrails.timeout, read_only=read_only)


def _settings(parameters: Mapping[str, str]) -> Iterator[tuple[str | None, str]]:
    """Each setting that a start asks for; None for what cannot be read."""
    for name, value in parameters.items():
        if name not in _NO_SETTINGS:
            yield name, value
    options, offset = parameters.get("options", "").strip(), 0
    while offset < len(options):
        found = _OPTION.match(options, offset)
        if found is None:
            yield None, ""
            return
        yield found[1].replace("-", "_"), re.sub(r"\\(.)", r"\1", found[2])
        offset = found.end()
