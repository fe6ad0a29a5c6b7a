"""What administrators must know wherever they are: each a sentence, what to do, and where to look.

An alarm is a read of state: it stands as long as the state that it names, and ends with it. Whoever has another one
writes its function and names it in `_ALARMS`.
"""

import json
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.history.system import LAWFUL
from onepam.domain.host.announcing import Deed
from onepam.domain.host.disk import DiskStage
from onepam.domain.host.doors import Door
from onepam.domain.leaving.brake import HoldReason
from onepam.kernel.clock import HOUR, Instant, utc
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.announced import open_announcements
from onepam.store.read.directory_brake import held_people, reported_leavers
from onepam.store.read.doors import pressed_doors
from onepam.store.read.locks import locks
from onepam.store.read.outbox import deliveries
from onepam.store.read.recordings import untested
from onepam.store.read.session_users import left_users

UNTOLD = HOUR
"""How long a receiver fails before it is an alarm (microseconds)."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`kind` names its group for machines; `sentence` and `what_to_do` are whole sentences for people. `where` is the
    path of the page that shows more."""

    kind: str
    sentence: str
    what_to_do: str
    where: str


def alarms(db: Snapshot, at: Instant) -> tuple[Alarm, ...]:
    """What is wrong at `at`, the worst first."""
    return tuple(alarm for found in _ALARMS for alarm in found(db, at))


def _history(db: Snapshot, at: Instant) -> list[Alarm]:
    """The newest verification of some kind found the ledger, or the tables made from it, altered."""
    found = [
        finding
        for each in rows(
            db,
            f"SELECT findings FROM verification WHERE kind <> :lawful AND {AT} ORDER BY kind",
            {"at": at, "lawful": LAWFUL},
        )
        for finding in json.loads(each["findings"])
    ]
    if not found:
        return []
    number = "one place" if len(found) == 1 else f"{len(found)} places"
    return [
        Alarm(
            "history",
            f"The history was altered: it fails its verification in {number}.",
            "Believe no page about the past until this is cleared up. Keep a copy of the data folder as it is now, run "
            "“onepam ledger verify” on the host, and compare with a backup and with the witness.",
            "/ledger",
        )
    ]


def _unlawful(db: Snapshot, at: Instant) -> list[Alarm]:
    """The newest look at it found rights used that the history did not give."""
    found = row(db, f"SELECT findings FROM verification WHERE kind = :lawful AND {AT}", {"at": at, "lawful": LAWFUL})
    findings = json.loads(found["findings"]) if found is not None else []
    if not findings:
        return []
    number = "One entry uses" if len(findings) == 1 else f"{len(findings)} entries use"
    return [
        Alarm(
            "unlawful",
            f"{number} a right that the history did not give.",
            "Nothing was altered: somebody did what they had no right to. Run “onepam ledger verify” on the host: it "
            "names each entry, the right and why not; then take back what was gained by it.",
            "/ledger",
        )
    ]


def _holds(db: Snapshot, at: Instant) -> list[Alarm]:
    """A directory ended people, and their accounts wait for a word."""
    held = held_people(db, at)
    if not held:
        return []
    reasons = {each.reason for each in held}
    number = "One account waits" if len(held) == 1 else f"{len(held)} accounts wait"
    why = (
        "ended the last administrator who can sign in"
        if HoldReason.LAST_ADMINISTRATOR in reasons
        else "took from the last administrator the group by which they administer"
        if HoldReason.LAST_ADMINISTRATORS_GROUP in reasons
        else "ended too many people in an hour"
    )
    return [
        Alarm(
            "directory",
            f"{number} for your word: a directory {why}.",
            "Their sessions and rights are gone already. Ask whoever runs the directory whether it is true, then "
            "keep or end each account.",
            "/provisioning",
        )
    ]


def _reported(db: Snapshot, at: Instant) -> list[Alarm]:
    """A directory says that people have left, and does not lead their accounts."""
    people = {each.person for each in reported_leavers(db, at)}
    if not people:
        return []
    who = "One person has" if len(people) == 1 else f"{len(people)} people have"
    return [
        Alarm(
            "directory_report",
            f"{who} left, a directory says, and still work here: it leads no account that was made by hand.",
            "Ask whoever runs the directory whether it is true, then end each account, or say that it stays.",
            "/provisioning",
        )
    ]


def _announced(db: Snapshot, at: Instant) -> list[Alarm]:
    """Somebody on the host, without the recovery key, has announced a deed that any administrator may cancel."""
    words = {
        Deed.RECOVERY_KEY: "another recovery key is to be made",
        Deed.CONTINUATION: "the ledger is to go on under another name, after a loss",
        Deed.ACCESS: "somebody is to get in as an administrator",
    }
    return [
        Alarm(
            "announcement",
            f"Somebody on the host has announced that {words[each.deed]}, without the recovery key, from "
            f"{utc(each.due)} on.",
            "If you do not know of it, cancel it, and find out who has a shell on the host.",
            "/ledger",
        )
        for each in open_announcements(db, at)
    ]


def _alone(db: Snapshot, at: Instant) -> list[Alarm]:
    """New factors of somebody whom nobody else could decide on."""
    found = row(db, f"SELECT min(alone) AS due FROM enrolment WHERE status = 'proposed' AND {AT}", {"at": at})
    if found is None or found["due"] is None:
        return []
    return [
        Alarm(
            "enrolment",
            "New factors of somebody were announced, since nobody else could decide on them: they may be made from "
            f"{utc(found['due'])} on.",
            "Ask the person whether they lost theirs. If not, cancel it.",
            "/approvals",
        )
    ]


def _disks(db: Snapshot, at: Instant) -> list[Alarm]:
    """The disk under the recordings of some process has little space."""
    low = f"SELECT stage, free, total FROM disk WHERE stage <> :enough AND {AT} ORDER BY free LIMIT 1"
    found = row(db, low, {"enough": DiskStage.ENOUGH, "at": at})
    if found is None:
        return []
    paused = " Sessions that write most to it are made to wait, then ended." if found["stage"] == DiskStage.LOW else ""
    return [
        Alarm(
            "disk",
            f"The disk that holds the recordings runs full: {_size(found['free'])} of {_size(found['total'])} "
            f"are left.{paused}",
            "Make room, or give the recordings a larger disk; whoever waits goes on by itself then.",
            "/sessions",
        )
    ]


def _doors(db: Snapshot, at: Instant) -> list[Alarm]:
    """A crowd stands at a listener."""
    names = {
        Door.SSH: "SSH",
        Door.POSTGRES: "PostgreSQL",
        Door.MYSQL: "MySQL",
        Door.WEB: "the console and the API",
    }
    found = sorted({names[each.door] for each in pressed_doors(db, at)})
    if not found:
        return []
    return [
        Alarm(
            "door",
            f"More connections come to {' and to '.join(found)} than are let in: the door is under attack, or a script "
            "runs wild.",
            "Sessions go on, and others still get in. The gateway's log and your firewall show from where it comes; "
            "stop it there.",
            "/ledger",
        )
    ]


def _receivers(db: Snapshot, at: Instant) -> list[Alarm]:
    """Somebody who should be told of alarms has not been for an hour."""
    failing = [each for each in deliveries(db, at) if each.failing is not None and at - each.failing >= UNTOLD]
    if not failing:
        return []
    names = "One receiver of notices fails" if len(failing) == 1 else f"{len(failing)} receivers of notices fail"
    return [
        Alarm(
            "notices",
            f"{names}: what they should be told waits, and is given up after two days.",
            "Look why, then try it with “onepam outbox test” on the host.",
            "/notices",
        )
    ]


def _size(count: int) -> str:
    return f"{count >> 30} GiB" if count >= 1 << 30 else f"{count >> 20} MiB"


def _recordings(db: Snapshot, at: Instant) -> list[Alarm]:
    """Finished recordings that are not what was sealed; and those that nobody has checked for too long."""
    alarms = []
    bad = rows(db, f"SELECT session FROM bad_recording WHERE {AT} LIMIT 1000", {"at": at})
    if bad:
        number = "One recording is" if len(bad) == 1 else f"{len(bad)} recordings are"
        alarms.append(
            Alarm(
                "recordings",
                f"{number} not what was sealed.",
                "See in the list of sessions which, and what is wrong. Leave the file as it is, restore it from a "
                "backup, and ask who could write to the folder; the next check says whether it is whole again.",
                "/sessions?state=gap&days=366",
            )
        )
    if untested(db, at):
        alarms.append(
            Alarm(
                "recordings_untested",
                "Recordings are not checked as they should be: some are not tested.",
                "Look for “recordings” in the gateway's log. “onepam ledger verify” on the host reads all of them.",
                "/sessions",
            )
        )
    return alarms


def _left_users(db: Snapshot, at: Instant) -> list[Alarm]:
    """Users that were made for sessions at databases, and could not be dropped after them."""
    left = left_users(db, at)
    if not left:
        return []
    number = "One user that was" if len(left) == 1 else f"{len(left)} users that were"
    where = sorted({each.resource for each in left})
    more = " and others" if len(where) > 3 else ""
    return [
        Alarm(
            "session_users",
            f"{number} made for a session could not be dropped at {', '.join(where[:3])}{more}.",
            "See on the resource's page why. It is tried again by itself; nobody signs in as them.",
            f"/resources/{where[0]}",
        )
    ]


def _locks(db: Snapshot, at: Instant) -> list[Alarm]:
    """What somebody locked opens no session until somebody lifts it."""
    names = [each.person_name or each.resource or "everything" for each in locks(db, at)]
    if not names:
        return []
    more = " and others" if len(names) > 3 else ""
    return [
        Alarm(
            "locks",
            f"Locked: {', '.join(names[:3])}{more}. No session opens there.",
            "“onepam locks” says by whom and since when, “onepam unlock” lifts a lock that somebody else set.",
            "/ledger",
        )
    ]


_ALARMS = (
    _history,
    _unlawful,
    _announced,
    _alone,
    _recordings,
    _holds,
    _locks,
    _reported,
    _disks,
    _doors,
    _left_users,
    _receivers,
)
