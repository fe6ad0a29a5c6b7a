"""What guardrails mean for one session: what its statements may do, and what its start may ask for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.access.patterns import Patterns
from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.clock import MILLISECOND
from onepam.kernel.errors import Refused
from onepam.protocols.postgres.bound import bound
from onepam.protocols.postgres.catalogue import Catalogue
from onepam.protocols.postgres.masked_columns import refusal
from onepam.protocols.postgres.statements import by_name, classify, freed, setting
from onepam.protocols.sql.events import Allowance
from onepam.protocols.sql.guarding import guarded, hides, only_reads, within
from onepam.protocols.sql.masking import Masking

_NO_SETTINGS: Final = frozenset(("user", "database", "options", "replication"))
_READ_BY: Final = {"client_encoding": "UTF8", "standard_conforming_strings": "on"}
"""The settings by which a text is read, for a client that asks for no other. So what RESET leads back to is never what
the target has for the login, of which nobody hears before the texts that follow the RESET are judged."""

_BLANK: Final = " \t\n\r\f\v"
_OPTION: Final = re.compile(rf"(?:-c[{_BLANK}]*|--)([\w.-]+)=((?:[!-\[\]-~]|\\[ -~])*)(?:[{_BLANK}]+|\Z)", re.ASCII)
"""Of ASCII alone: what a server takes for a blank among the other letters is a matter of its locale."""


def allowance(guardrails: Guardrails | None, mask: Mask | None = None) -> Allowance:
    """What the statements of a session may do, and what of them is not recorded as it is."""
    found = Allowance(freed=freed, masking=None if mask is None else _masking(mask))
    return within(guardrails, found, classify, by_name)


def of_session(opened: Opened, known: Catalogue | None) -> Allowance:
    """What a session's statements may do and show. `known` is there where `looks` asks for it."""
    found = replace(allowance(guarded(opened), opened.mask), results=opened.results)
    if known is None:
        return found
    proves = partial(refusal, known=known) if hides(opened) else None
    return replace(found, masks=known.masks, unmasked=not hides(opened), proves=proves)


@lru_cache(maxsize=64)
def _masking(mask: Mask) -> Masking:
    """What holds for all sessions under one mask."""
    names = frozenset(each.rpartition(".")[2] for each in mask.columns)
    return Masking(
        Patterns.of(mask.patterns) if mask.patterns else None, partial(bound, names=names) if names else None
    )


def start(parameters: Mapping[str, str], guardrails: Guardrails | None) -> dict[str, str] | Refused:
    """What our start-up says to the target beside the login, for a client that began with these parameters.

    Bounds are settings of the start-up, so that RESET and DISCARD lead back to them, and stand there above `options`.
    """
    said = {name: value for name, value in parameters.items() if name not in ("user", "replication")}
    if guardrails is None:
        return said
    asked = set()
    for name, value in _settings(parameters):
        if name is None:
            return Refused(SessionEnd.CLIENT_SETTING, "the options of this connection cannot be read")
        beyond = setting(name, value) - {StatementClass.OTHER} - guardrails.runs()
        if beyond:
            return Refused(
                SessionEnd.CLIENT_SETTING,
                f"this client asks for the setting {name}, which your access does not allow",
                "leave it out of the connection's parameters",
            )
        asked.add(name.lower())
    said |= {name: value for name, value in _READ_BY.items() if name not in asked}
    if guardrails.timeout is not None:
        said = {name: value for name, value in said.items() if name.lower() != "statement_timeout"}
        said["statement_timeout"] = str(max(guardrails.timeout // MILLISECOND, 1))  # 0 would be no bound
    if only_reads(guardrails):
        said = {name: value for name, value in said.items() if name.lower() != "default_transaction_read_only"}
        said["default_transaction_read_only"] = "on"
    return said


def _settings(parameters: Mapping[str, str]) -> Iterator[tuple[str | None, str]]:
    """Each setting that a start asks for; None for what cannot be read."""
    for name, value in parameters.items():
        if name not in _NO_SETTINGS:
            yield name, value
    options, offset = parameters.get("options", "").strip(_BLANK), 0
    while offset < len(options):
        found = _OPTION.match(options, offset)
        if found is None:
            yield None, ""
            return
        yield found[1].replace("-", "_"), re.sub(r"\\(.)", r"\1", found[2])
        offset = found.end()
