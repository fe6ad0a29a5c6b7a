"""Writes docs/events.md, the table of every event kind, and the catalogue in docs/controls.md:
`python scripts/events_doc.py`.

All of it comes from the code: what stands beside each kind, and its docstring. Only what a class is about stands here.
"""

import re
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "events.md"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from onepam.domain.history.event import Kind, kinds  # noqa: E402
from onepam.domain.sessions.ends import SessionEnd  # noqa: E402
from onepam.ledger.lawful.table import RULE_SETS  # noqa: E402
from scripts import controls_doc, rooms  # noqa: E402

CLASSES = {
    "accounts": "Other systems of the company: the lists of their accounts, and who stands behind each",
    "notice": "Who is told by e-mail, webhook and syslog, and how it went",
    "access": "Who may do what: groups, resources, roles, bindings, and the changes of `access.yaml`",
    "control": "Controls: what their tests found, and who answers for each",
    "identity": "Identity providers and identities, factors, enrolment, signing in",
    "incident": "Incidents: what went wrong, who answers for it, and its end",
    "person": "People and service accounts",
    "policy": "Policy documents: their versions, and who read and confirmed them",
    "provisioning": "What directories say by SCIM, and the tokens they say it with",
    "recording": "What was recorded, and who watched it",
    "request": "Access that was asked for, allowed, and ended",
    "roster": "The staff roster: who works for the company by its own list",
    "session": "Gateway sessions, opened or refused",
    "system": "The installation itself",
}

HEAD = """\
# Events

<!-- Written by scripts/events_doc.py from the code; a test holds it equal. -->

Every change of state is one of these, an entry of the ledger. A class is counted without gaps, so that a missing entry
shows. *Private* fields never stand in the entry: they lie in its erasable payload, and the entry holds a salted digest.
*In words* is the sentence that people read of it: a field in braces, and between brackets what is left out where a
field says nothing or is erased. *Control* names the tests of the control catalogue that the event is evidence for.
*By authority of* says who may bring one about, and what of it no rule judges ([lawful](lawful.md)).
"""


ENDS = """
## Why a session ended
What `session.closed` and `session.failed` give as the reason, whatever the protocol; the console and the command line
show the words, the API and a pack the code.

| code | what it says | what the client hears |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page. Raises `KeyError` for a class without words."""
    rooms.load()
    every = kinds()
    classes = sorted({kind.klass for kind in every})
    return HEAD + "".join(line for klass in classes for line in _section(klass, every)) + _ends()


def _ends() -> str:
    lines = [f"| `{each.value}` | {each.words} | {each.told} |\n" for each in SessionEnd]
    return ENDS + "".join(lines)


def _section(klass: str, every: tuple[Kind, ...]) -> Iterator[str]:
    yield f"\n## {klass}\n{CLASSES[klass]}.\n\n"
    yield "| kind | what it says | in words | private | control | by authority of |\n"
    yield "| --- | --- | --- | --- | --- | --- |\n"
    for kind in every:
        if kind.klass == klass:
            name = kind.name if kind.version == 1 else f"{kind.name} v{kind.version}"
            private = ", ".join(f"`{field}`" for field in kind.private_fields)
            told = f"| `{name}` | {_when(kind)} | `{kind.words.template}` | {private} | {kind.controls} |"
            yield f"{told} {_authority(kind)} |\n"


def _authority(kind: Kind) -> str:
    rule = RULE_SETS[max(RULE_SETS)][(kind.name, kind.version)]
    cannot = f" (not judged: {'; '.join(each.value for each in rule.cannot)})" if rule.cannot else ""
    return "; ".join(each.value for each in rule.authority) + cannot


def _when(kind: Kind) -> str:
    first = (getdoc(kind.record) or "").split("\n\n")[0]
    return re.sub(r"\s+", " ", first).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    controls_doc.main()
