"""Rules of the installation itself: what a command on the host may do, evidence, notices."""

from __future__ import annotations

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Announcement
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, AUDIT, acts, signed_in
from onepam.ledger.lawful.state import State

system_rules = Rules()

DELAY, DUE_FOR = DAY, 7 * DAY
ACCESS, CONTINUATION, RECOVERY_KEY = "access", "continuation", "recovery_key"


@system_rules.of(
    "access.recovered", "letting somebody in as an administrator", Authority.RECOVERY, cannot=(Unjudged.HOST,)
)
def access_recovered(state: State, entry: Entry) -> Why:
    """With the recovery key, which is spent in the same command; else a day after it was announced for that person."""
    body = entry.body
    if body["ground"] == "recovery_key":
        yield Unless("the recovery key was not spent", (("renewed", "recovery_key"),))
    else:
        yield from _due(state, body["announcement"], ACCESS, person=body["person"])
    person = state.people.get(body["person"])
    if person is None or person.kind == "service":
        yield "there was no such person"
    elif person.ends is not None and person.ends <= state.begun:
        yield "the end of the account had passed"
    state.end(state.announced, body["announcement"])
    state.cause("recovered", body["person"])


@system_rules.of("access.recovery_announced", "announcing that somebody gets in", Authority.RECOVERY)
def access_recovery_announced(state: State, entry: Entry) -> Why:
    """Due a day later."""
    yield from _announce(state, entry, ACCESS, person=entry.body["person"])


@system_rules.of("access.recovery_cancelled", "cancelling that somebody gets in", Authority.PERSON)
def access_recovery_cancelled(state: State, entry: Entry) -> Why:
    """An administrator."""
    yield from _cancel(state, entry)


@system_rules.of(
    "ledger.continued", "continuing the ledger after a loss", Authority.RECOVERY, cannot=(Unjudged.HOST, Unjudged.LOSS)
)
def ledger_continued(state: State, entry: Entry) -> Why:
    """With the recovery key; else a day after it was announced for that origin."""
    body = entry.body
    if body["origin"] == body["before"]:
        yield "the new log has the name of the old one"
    if body["ground"] != "recovery_key":
        yield from _due(state, body["announcement"], CONTINUATION, origin=body["origin"])
    state.end(state.announced, body["announcement"])


@system_rules.of("ledger.continuation_announced", "announcing that the ledger goes on", Authority.RECOVERY)
def ledger_continuation_announced(state: State, entry: Entry) -> Why:
    """Due a day later."""
    yield from _announce(state, entry, CONTINUATION, origin=entry.body["origin"])


@system_rules.of("ledger.continuation_cancelled", "cancelling that the ledger goes on", Authority.PERSON)
def ledger_continuation_cancelled(state: State, entry: Entry) -> Why:
    """An administrator."""
    yield from _cancel(state, entry)


@system_rules.of("recovery_key.made", "making the recovery key", Authority.HOST)
def recovery_key_made(state: State, entry: Entry) -> Why:
    """The first one."""
    if state.recovery_key is not None:
        yield "there was a recovery key already"
    state.recovery_key = entry.body["digest"]


@system_rules.of("recovery_key.renewed", "making another recovery key", Authority.RECOVERY, cannot=(Unjudged.HOST,))
def recovery_key_renewed(state: State, entry: Entry) -> Why:
    """With the old one; else a day after it was announced."""
    body = entry.body
    if body["ground"] == "recovery_key":
        if body["before"] != state.recovery_key:
            yield "it takes the place of another key than there was"
    else:
        yield from _due(state, body["announcement"], RECOVERY_KEY)
    state.end(state.announced, body["announcement"])
    state.recovery_key = body["digest"]
    state.cause("renewed", body["ground"])


@system_rules.of("recovery_key.renewal_announced", "announcing another recovery key", Authority.RECOVERY)
def recovery_key_renewal_announced(state: State, entry: Entry) -> Why:
    """Due a day later."""
    yield from _announce(state, entry, RECOVERY_KEY)


@system_rules.of("recovery_key.renewal_cancelled", "cancelling another recovery key", Authority.PERSON)
def recovery_key_renewal_cancelled(state: State, entry: Entry) -> Why:
    """An administrator."""
    yield from _cancel(state, entry)


@system_rules.of("evidence.packed", "drawing an evidence pack", Authority.PERSON)
def evidence_packed(state: State, entry: Entry) -> Why:
    """Whoever audits or administers."""
    yield acts(state, entry.body["by"], AUDIT, ADMINISTER)
    if entry.body["size"] > entry.position:
        yield "it is of entries that were not there yet"


@system_rules.of("backup.made", "saying that a backup was made", Authority.NODE)
def backup_made(state: State, entry: Entry) -> Why:
    """Of entries that were there."""
    yield from _copied(entry)


@system_rules.of("backup.proven", "saying that a backup was proven", Authority.NODE)
def backup_proven(state: State, entry: Entry) -> Why:
    """Of entries that were there."""
    yield from _copied(entry)


@system_rules.of("notices.chosen", "choosing how somebody is told", Authority.PERSON)
def notices_chosen(state: State, entry: Entry) -> Why:
    """For oneself."""
    yield signed_in(state, entry.body["by"])
    if entry.body["by"] != entry.body["person"]:
        yield "it was somebody else's to choose"


for _kind, _right in {
    "system.started": "beginning to work",
    "node.certified": "signing what is written from here on",
    "system.clock_jumped": "saying that the clock jumped",
    "system.verified": "saying what a verification found",
    "anchor.handed_out": "handing out a checkpoint",
    "disk.low": "saying that the disk runs low",
    "disk.recovered": "saying that the disk has space again",
    "door.pressed": "saying that a crowd came",
    "door.calm": "saying that a crowd is over",
    "notice.sent": "telling somebody",
    "notice.failed": "failing to tell somebody",
    "receiver.set": "saying who is told",
    "receiver.ended": "saying who is told no more",
    "receiver.failing": "saying that somebody cannot be told",
}.items():
    system_rules.told(_kind, _right, Authority.NODE)
system_rules.told("node.revoked", "taking a node's key out of force", Authority.HOST, cannot=(Unjudged.HOST,))
system_rules.told("system.clock_confirmed", "confirming the clock", Authority.HOST, cannot=(Unjudged.HOST,))


def _copied(entry: Entry) -> Why:
    if entry.body["entries"] > entry.position:
        yield "it is of entries that were not there yet"


def _announce(state: State, entry: Entry, deed: str, *, person: str = "", origin: str = "") -> Why:
    if entry.body["due"] < state.begun + DELAY:
        yield "it is due within a day"
    state.announced[entry.body["announcement"]] = Announcement(deed, Instant(entry.body["due"]), person, origin)


def _due(state: State, name: str | None, deed: str, *, person: str = "", origin: str = "") -> Why:
    found = state.announced.get(name or "")
    if found is None or found.deed != deed:
        yield "it was not announced, or it was cancelled"
        return
    if (found.person, found.origin) != (person, origin):
        yield "something else was announced"
    if not found.due <= state.now < found.due + DUE_FOR:
        yield "a day had not passed since it was announced, or more than a week had since it was due"


def _cancel(state: State, entry: Entry) -> Why:
    yield acts(state, entry.body["by"], ADMINISTER)
    if state.end(state.announced, entry.body["announcement"]) is None:
        yield "nothing of that name was announced"
