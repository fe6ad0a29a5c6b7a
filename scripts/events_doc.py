"""Writes docs/events.md, the table of every event kind: `python scripts/events_doc.py`.

The kinds, their classes, their private fields and what they say come from the code. Which control of the catalogue a
kind is evidence for stands here, and a kind that is missing here fails the tests.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "events.md"
sys.path.insert(0, str(ROOT / "src"))

import onepam.domain  # noqa: E402
from onepam.domain.event import Kind, kinds  # noqa: E402

CONTROLS = {
    "anchor.handed_out": "LOG-03",
    "binding.added": "PRV-01 RBC-01",
    "binding.ended": "OFF-01 OFF-04",
    "certificate.issued": "MFA-01 OFF-04",
    "change.applied": "CHG-01 RBC-02",
    "change.approved": "CHG-01 PRV-02",
    "change.proposed": "CHG-01 RBC-02",
    "change.refused": "CHG-01",
    "change.rejected": "CHG-01",
    "confirmation.asked": "MFA-01",
    "confirmation.failed": "MFA-01",
    "confirmation.given": "MFA-01",
    "confirmation.used": "MFA-01",
    "directory.held": "OFF-01 OFF-04",
    "directory.hold_reminded": "OFF-01 MON-05",
    "directory.leaver_reported": "OFF-01 OFF-04",
    "directory.person_decided": "OFF-01 OFF-04 IDN-01",
    "directory.person_held": "OFF-01 OFF-04",
    "directory.report_decided": "OFF-01 OFF-04",
    "disk.low": "LOG-01 LOG-02",
    "disk.recovered": "LOG-01 LOG-02",
    "door.calm": "MON-05",
    "door.pressed": "MON-05",
    "enrolment.ended": "PRV-03",
    "enrolment.opened": "PRV-03",
    "enrolment.proposed": "PRV-02",
    "enrolment.used": "PRV-03",
    "evidence.packed": "LOG-05 EVD-02",
    "factor.enrolled": "MFA-01 MFA-03",
    "factor.removed": "MFA-01 OFF-04",
    "factor.used": "MFA-01",
    "grant.ended": "PRV-04 OFF-04",
    "grant.expired": "PRV-04",
    "grant.started": "PRV-01 PRV-04",
    "group.member_added": "PRV-01 RBC-01",
    "group.member_removed": "OFF-01 OFF-05",
    "identity.linked": "IDN-01 PRV-03",
    "identity.unlinked": "IDN-01 OFF-01",
    "ledger.continuation_announced": "LOG-03",
    "ledger.continuation_cancelled": "LOG-03",
    "ledger.continued": "LOG-03",
    "mfa_exception.accepted": "MFA-02",
    "mfa_exception.ended": "MFA-02",
    "mfa_exception.proposed": "MFA-02",
    "notice.failed": "MON-04",
    "notice.sent": "MON-04",
    "payload.erased": "LOG-03 LOG-04",
    "person.added": "IDN-01 PRV-03 VND-01",
    "person.changed": "IDN-01 OFF-05",
    "person.disabled": "OFF-01 OFF-02 OFF-04",
    "person.enabled": "IDN-01 PRV-03",
    "probe.made": "OFF-06 OFF-02 MFA-02",
    "probe.ordered": "OFF-06",
    "proposal.refused": "CHG-01 PRV-02",
    "provider.declaration_ended": "MFA-02",
    "provider.declared": "MFA-02",
    "provider.keys_read": "MFA-02 CHG-01",
    "provider.logged_out": "OFF-04",
    "provider.proposed": "MFA-02 CHG-01",
    "provider.refused": "MFA-01 MON-05",
    "provider.rejected": "CHG-01",
    "provider.removed": "MFA-02 CHG-01",
    "provider.set": "MFA-02 CHG-01",
    "receiver.ended": "MON-04",
    "receiver.failing": "MON-04",
    "receiver.set": "MON-04",
    "recording.chunks_sealed": "LOG-01 LOG-03",
    "recording.found_bad": "LOG-02 LOG-03",
    "recording.found_good": "LOG-02 LOG-03",
    "recording.watched": "LOG-05 MON-03",
    "recordings.checked": "LOG-02 LOG-03",
    "recovery_key.made": "CRD-05",
    "recovery_key.renewal_announced": "CRD-05",
    "recovery_key.renewal_cancelled": "CRD-05",
    "recovery_key.renewed": "CRD-05",
    "request.approval_refused": "PRV-01 PRV-02",
    "request.approval_undone": "PRV-01 PRV-02",
    "request.approved": "PRV-01 PRV-02",
    "request.denied": "PRV-01",
    "request.made": "PRV-01",
    "request.rerouted": "OFF-01 PRV-02",
    "request.withdrawn": "PRV-01",
    "resource.removed": "RBC-01 CHG-01",
    "resource.set": "RBC-01 CHG-01",
    "role.removed": "RBC-02 CHG-01",
    "role.set": "RBC-02 CHG-01",
    "roster.entry_ended": "OFF-01 OFF-02",
    "roster.entry_set": "IDN-01 VND-01",
    "roster.held": "OFF-01 CHG-01",
    "roster.linked": "IDN-01",
    "roster.refused": "IDN-01",
    "roster.released": "CHG-01 PRV-02",
    "roster.rules_set": "CHG-01",
    "roster.source_set": "CHG-01",
    "roster.taken": "IDN-01 OFF-01",
    "scim_group.member_added": "PRV-01 RBC-01",
    "scim_group.member_removed": "OFF-01 OFF-05",
    "scim_group.removed": "RBC-01 OFF-05",
    "scim_group.set": "RBC-01",
    "scim_token.approved": "PRV-02 CHG-01",
    "scim_token.ended": "CHG-01",
    "scim_token.proposed": "PRV-02 CHG-01",
    "scim_user.removed": "OFF-01 OFF-02",
    "scim_user.set": "IDN-01 PRV-03",
    "scim_user.taken_over": "IDN-01 PRV-02",
    "session.closed": "LOG-01 LOG-02",
    "session.failed": "LOG-01",
    "session.kill_ordered": "OFF-04 MON-05",
    "session.opened": "IDN-03 MFA-01 LOG-01",
    "session.refused": "MFA-02 OFF-06",
    "sign_in.closed": "OFF-04",
    "sign_in.failed": "CRD-05",
    "sign_in.opened": "MFA-01 IDN-03",
    "sign_in.stepped_up": "MFA-01",
    "signal.received": "OFF-04 MON-05",
    "signal_stream.proposed": "CHG-01 OFF-04",
    "signal_stream.rejected": "CHG-01",
    "signal_stream.removed": "CHG-01",
    "signal_stream.set": "CHG-01 OFF-04",
    "system.clock_confirmed": "LOG-03",
    "system.clock_jumped": "LOG-03",
    "system.started": "CHG-02",
    "system.verified": "LOG-03",
}  # fmt: skip
"""Event kind -> ids of the control catalogue."""

CLASSES = {
    "notice": "Who is told by e-mail, webhook and syslog, and how it went",
    "access": "Who may do what: groups, resources, roles, bindings, and the changes of `access.yaml`",
    "identity": "Identity providers and identities, factors, enrolment, signing in",
    "person": "People and service accounts",
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
*Control* names the tests of the control catalogue that the event is evidence for.
"""


def page() -> str:
    """The whole page. Raises `KeyError` for a kind without a control, or a class without words."""
    for module in pkgutil.iter_modules(onepam.domain.__path__, "onepam.domain."):
        importlib.import_module(module.name)
    every = kinds()
    classes = sorted({kind.klass for kind in every})
    return HEAD + "".join(line for klass in classes for line in _section(klass, every))


def _section(klass: str, every: tuple[Kind, ...]) -> Iterator[str]:
    yield f"\n## {klass}\n{CLASSES[klass]}.\n\n| kind | what it says | private | control |\n| --- | --- | --- | --- |\n"
    for kind in every:
        if kind.klass == klass:
            name = kind.name if kind.version == 1 else f"{kind.name} v{kind.version}"
            private = ", ".join(f"`{field}`" for field in kind.private_fields)
            yield f"| `{name}` | {_when(kind)} | {private} | {CONTROLS[kind.name]} |\n"


def _when(kind: Kind) -> str:
    first = (getdoc(kind.record) or "").split("\n\n")[0]
    return re.sub(r"\s+", " ", first).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
