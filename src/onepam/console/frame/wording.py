"""What codes and events are called on pages."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.model import Action, MfaRule, Mode
from onepam.domain.access.proof import MfaBasis
from onepam.domain.leaving.probing import ProbePurpose, ProbeResult
from onepam.domain.matrix.matrix import SOURCE
from onepam.domain.people.events import DIRECTORY_GROUP
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.store.read.moments import told
from onepam.store.read.probes import Probed
from onepam.store.read.sessions import SessionRow

ENTRY = {
    EntryPoint.SSH_CERTIFICATE: "SSH certificate",
    EntryPoint.SSH_KEY_CONFIRMED: "SSH key, confirmed here",
    EntryPoint.SSH_SERVICE_KEY: "SSH key of a service account",
    EntryPoint.POSTGRES_TOKEN: "Login token for PostgreSQL",
    EntryPoint.POSTGRES_CERTIFICATE: "PostgreSQL certificate",
    EntryPoint.MYSQL_TOKEN: "Login token for MySQL",
}

FACTORS = {
    "password": "password",
    "totp": "authenticator app",
    "passkey": "passkey",
    "recovery": "recovery codes",
    "ssh_key": "SSH key",
    "provider": "sign-in at the provider",
    "machine": "none: a machine",
}

_COUNTS = {
    MfaBasis.OWN: "shown here: {factors}",
    MfaBasis.ATTESTED: "attested by {provider}",
    MfaBasis.STEPPED_UP: "first at {provider}, then {last} here",
    MfaBasis.DECLARED: "declared: {provider} demands one, and says nothing of it",
    MfaBasis.ACCEPTED: "none: a risk that was accepted",
}
"""What a sign-in's second factor rests on."""

_ENDED = {
    **{each.value: each.words for each in SessionEnd},
    "binding.ended": "the role was taken away",
    "grant.ended": "the access that it goes on from was ended",
    "undone": "the approval was undone",
    "change.lapsed": "nobody decided on it within a week",
    "change.proposer_left": "who proposed it has left",
    "role.changed": "the role changed",
    "role.removed": "the role was removed",
    "resource.changed": "the resource changed",
    "sign_in.ended": "the sign-in had ended",
    "sign_in.stale": "the second factor was too old",
    "mfa.declared": "the provider shows no second factor, and this is administrative",
    "mfa.accepted": "no second factor was shown, and this is privileged",
    "mfa.phishing_resistant": "only a passkey opens this",
    "mfa.fresh": "this asks for a factor of its own",
    "factor.replaced": "a factor was replaced within the hour",
    "service.entry": "the account may not come in this way",
    "service.network": "the key may not come from there",
    "holder": "ended by its holder",
    "approver": "ended by an approver",
    "administrator": "ended by an administrator",
    "withdrawn": "taken back",
    "ssh.user": "no target was named",
}


def factor_words(basis: MfaBasis, factors: Sequence[str], provider: str) -> str:
    """Why a second factor counts: `attested by Okta`, `shown here: passkey`."""
    said = [FACTORS.get(each, each) for each in factors]
    if "machine" in factors:
        return FACTORS["machine"]
    return _COUNTS[basis].format(
        factors=" and ".join(said) or "a factor", provider=provider or "the provider", last=said[-1] if said else "one"
    )


def rule_words(rule: MfaRule) -> str:
    """`a passkey only; at most 1 h old`."""
    return "; ".join(
        filter(
            None,
            (
                "a passkey only" if rule.phishing_resistant else "",
                "a factor of its own for each session" if rule.fresh else "",
                f"at most {longest(rule.max_age)} old" if rule.max_age is not None else "",
            ),
        )
    )


_COUNTED = (
    ("channels", "shell or command", "shells or commands"),
    ("files", "file record", "file records"),
    ("executions", "statement run", "statements run"),
)


def words_of(code: str | None) -> str:
    """A code in words; one that is new here is shown as it is."""
    return _ENDED.get(code or "", (code or "").replace("_", " ").replace(".", ": "))


def visible(text: str) -> str:
    """Text of a target or a client with every control, bidi or other invisible character written out."""
    return "".join(
        each if each.isprintable() or unicodedata.category(each) == "Zs" else f"\\u{ord(each):04x}" for each in text
    )


def longest(length: int) -> str:
    """`2 h`, `1 h 30 min`."""
    hours, minutes = divmod(length // MINUTE, HOUR // MINUTE)
    return " ".join(filter(None, (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)))) or "no time"


def how_given(mode: Mode, most: int) -> str:
    """`standing`, or `on request, at most 4 h`."""
    return "standing" if mode is Mode.STANDING else f"on request, at most {longest(most)}"


def guard_words(guardrails: Guardrails | None) -> str:
    """What of a database's statements passes: `read and other; write once somebody has said yes; at most 100 rows`;
    nothing where there are no guardrails."""
    return guardrails.words() if guardrails is not None else ""


def listed(words: Sequence[str]) -> str:
    """`one, two and three`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def actions_words(actions: tuple[Action, ...]) -> str:
    """`shell, exec`."""
    return ", ".join(each.value for each in actions)


def held_by(group: str, source: str, fillers: Sequence[str]) -> str:
    """By which way a role is held, and where that is changed: through a group that `fillers` fill, by name, or not."""
    if not group:
        return "by name" if source == SOURCE else f"by {source}, outside access.yaml"
    if not group.startswith(DIRECTORY_GROUP):
        return f"through the group {group} of access.yaml: changed there, by its members"
    directories = " and ".join(fillers) or "a directory"
    return f"through the group {group.removeprefix(DIRECTORY_GROUP)}, which {directories} fills: changed there"


def counts_words(counts: Mapping[str, int]) -> str:
    """`2 shells or commands, 3 file records`: what is worth knowing in a list.

    A file operation takes one record or more (question, answer, summary); which belong together the recording tells.
    """
    return ", ".join(
        f"{counts[name]:,} {one if counts[name] == 1 else many}" for name, one, many in _COUNTED if counts.get(name)
    )


def asked_before(asked: int, used: int) -> str:
    """How often the same was asked for before, and how often it was then used: `Asked once before, and used it`."""
    if not asked:
        return "Never asked for this before"
    if asked == 1:
        return f"Asked once before, and {'used it' if used else 'did not use it'}"
    often = {0: "never used it", 1: "used it once", asked: "used it each time"}.get(used, f"used it {used:,} times")
    return f"Asked {asked:,} times before, and {often}"


def agreed_words(approvals: int, agreed: Sequence[str]) -> str:
    """`Takes 2 people; Lena Vogel agreed`; empty where it takes one."""
    if approvals < 2:
        return ""
    said = f"{' and '.join(agreed)} agreed" if agreed else "nobody has agreed yet"
    return f"Takes {approvals} people; {said}"


RECORDING_STALE = 30 * DAY
"""After so long a check of a recording says nothing of it any more."""


def recording_state(row: SessionRow, at: Instant) -> str:
    """`live`, `none`, `unchecked` (never), `stale` (not lately), `intact` or `gap` as of its last check, or what it was
    found to be (`domain.recordings.Condition`)."""
    if row.status == "open":
        return "live"
    if row.recording_bad is not None:
        return row.recording_bad.value
    if row.status == "failed" or not row.chunks:
        return "gap" if row.gap else "none"
    if row.recording_checked is None:
        return "unchecked"
    if at - row.recording_checked > RECORDING_STALE:
        return "stale"
    return "gap" if row.gap or not row.verified else "intact"


def probe_words(found: Probed | None) -> dict[str, Any]:
    """What the probe after a revocation found, as `status` shows it."""
    if found is None:
        return {"state": "untested", "word": "not probed", "at": None}
    if found.result is ProbeResult.WOULD_OPEN:
        stays = found.purpose is ProbePurpose.REVOKED
        word = f"open by another way: {found.code}"
        return {"state": "plain" if stays else "finding", "word": word if stays else "would open", "at": found.made}
    refused = found.result is ProbeResult.REFUSED
    state, word = ("proven", "refused") if refused else ("untested", "no answer")
    return {"state": state, "word": word, "at": found.made}


def session_because(row: SessionRow) -> str:
    """Why a session ended; empty while it is open."""
    if row.status == "open":
        return f"{row.killed_by_name} ordered its end" if row.killed_by else ""
    return f"ended by {row.killed_by_name}" if row.killed_by else row.closed_words


def happened(event: object, called: Mapping[str, str]) -> str:
    """An event as a sentence; people and providers by their names. Of what cannot be read, that and why."""
    return visible(told(event, called, _ENDED))
