"""Sentences of notices (`notices.py`) about the platform: its history, recordings, disks, doors and directories."""

from onepam.domain.access.locking import LockSet
from onepam.domain.history.system import LAWFUL, AnchorHandedOut, ClockJumped, LedgerVerified
from onepam.domain.host.disk import DiskLow
from onepam.domain.host.doors import DoorPressed
from onepam.domain.leaving.brake import (
    DirectoryHeld,
    DirectoryHoldReminded,
    DirectoryLeaverReported,
    DirectoryPersonDecided,
    HoldReason,
)
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.domain.providers.refusals import LEFT_OUT, ProviderRefused
from onepam.domain.sessions.inspecting import RecordingInspected, Verdict
from onepam.domain.sessions.recordings import Condition, RecordingFoundBad
from onepam.domain.sessions.session_users import LeftBecause, SessionUserLeft
from onepam.domain.telling.words import Named


def verified(event: LedgerVerified, named: Named) -> str | None:
    """A verification found something."""
    if not event.findings:
        return None
    if event.kind == LAWFUL:
        number = "One entry uses" if len(event.findings) == 1 else f"{len(event.findings)} entries use"
        return (
            f"{number} a right that the history did not give. Nothing was altered, and somebody did what they had no "
            "right to: run “onepam ledger verify” on the host, which names each."
        )
    places = "one place" if len(event.findings) == 1 else f"{len(event.findings)} places"
    return (
        f"The history fails its verification in {places}. Believe no page about the past until this is cleared up; "
        "keep a copy of the data folder as it is now, and run “onepam ledger verify” on the host."
    )


_BAD = {
    Condition.MISSING: "is gone",
    Condition.CUT: "ends before what was sealed",
    Condition.ALTERED: "was altered",
    Condition.FOREIGN: "is another one than was sealed",
    Condition.KEY_MISSING: "has lost its key",
    Condition.KEY_ALTERED: "lies beside a key that is not its own",
    Condition.UNREADABLE: "cannot be read from its disk",
    Condition.UNASKED: "has a statement that ran without the yes that it waited for",
}


def bad(event: RecordingFoundBad, named: Named) -> str:
    """A recording is not what was sealed."""
    return (
        f"The recording of session {event.session} {_BAD.get(event.condition, event.condition)}. Keep what is there, "
        "and restore it from a backup."
    )


def concern(event: RecordingInspected, named: Named) -> str | None:
    """Somebody who looked at a recording has a concern."""
    if event.verdict is not Verdict.CONCERN:
        return None
    return (
        f"{named(event.by)} looked at the recording of session {event.session} of {named(event.person)}, and has a "
        "concern. What it is stands with the session."
    )


def disk(event: DiskLow, named: Named) -> str:
    """The disk of the recordings runs full."""
    return (
        f"The disk of the recordings of {event.node} has {event.free // 2**20:,} of {event.total // 2**20:,} MiB left "
        f"({event.stage}). Make room before sessions end."
    )


def locked(event: LockSet, named: Named) -> str:
    """Somebody pulled the plug."""
    on = named(event.person) if event.person else event.resource or "everything"
    return f"{named(event.by)} locked {on}: no session opens, and those that ran have ended."


def left(event: SessionUserLeft, named: Named) -> str:
    """A user of a session was left behind."""
    defines = event.because is LeftBecause.DEFINES
    what = "leaves something behind" if defines else "could not be dropped"
    then = "The gateway's log names them." if defines else "It is tried again; nobody signs in as it."
    return (
        f"The user {event.user}, made at {event.resource} for a session that is over, {what}: "
        f"{event.because.words}. {then}"
    )


def left_at(event: SessionUserLeft) -> str:
    """The resource at which it was."""
    return event.resource


def door(event: DoorPressed, named: Named) -> str:
    """A crowd came."""
    return (
        f"A crowd stands at the {event.door} listener of {event.node}: {event.turned_away} connections or requests "
        f"from {event.networks} networks were turned away within {event.seconds} s. Sessions go on, and others still "
        "get in."
    )


def clock(event: ClockJumped, named: Named) -> str | None:
    """The clock stopped decisions."""
    if not event.stops:
        return None
    return (
        f"The clock of {event.node} is not believed any more, and nothing is decided until somebody runs “onepam "
        "ledger confirm-clock” on the host."
    )


_TAKEN = {
    HoldReason.LAST_ADMINISTRATOR: "ended the last administrator who can sign in",
    HoldReason.LAST_ADMINISTRATORS_GROUP: "took from the last administrator who can sign in the group that administers",
    HoldReason.MANY: "ended many people within an hour",
}


def held(event: DirectoryHeld, named: Named) -> str:
    """A directory ended people."""
    return (
        f"A directory {_TAKEN[event.reason]}. Sessions and rights are gone; the rest waits for an administrator's word."
    )


def reported(event: DirectoryLeaverReported, named: Named) -> str:
    """A directory reports a leaver whom it does not lead."""
    return (
        f"A directory says that {named(event.person)} has left, and does not lead the account: it was made by hand and "
        "goes on. End it, or say that it stays."
    )


def hold_reminded(event: DirectoryHoldReminded, named: Named) -> str:
    """Half the time to decide on a hold is over."""
    return f"Half the time is over: {event.waiting} accounts that a directory ended still wait for a word."


def own_word(event: DirectoryPersonDecided, named: Named) -> str | None:
    """The last administrator decided on themselves."""
    if event.by != event.person:
        return None
    return (
        f"{named(event.person)}, the last administrator, whom a directory had ended, decided to stay. "
        "Let somebody else look at it."
    )


def keys_read(event: ProviderKeysRead, named: Named) -> str:
    """A provider has other keys."""
    return (
        "An identity provider has other signing certificates by now, read at the address that was approved. "
        "If nobody changed its keys there, look at once."
    )


def refused(event: ProviderRefused, named: Named) -> str | None:
    """A provider's messages were refused."""
    if event.cause == LEFT_OUT:
        return None
    return (
        f"The identity provider {event.provider} sent {event.count} sign-ins or messages that were refused "
        f"({event.cause}): nobody came in by them. The provider's page says what to do."
    )


def anchor(event: AnchorHandedOut, named: Named) -> str | None:
    """The checkpoint of the day."""
    if event.occasion != "day":
        return None
    return (
        f"Checkpoint of the day, of {event.size} entries: keep it where nobody of this installation reaches it. "
        "“onepam ledger verify --checkpoint FILE” holds the history against it."
    )
