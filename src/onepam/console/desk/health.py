"""Whether it is healthy, as few lights: for whoever administers or watches."""

from collections.abc import Iterable

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.rendering import day, plural
from onepam.console.frame.view import View
from onepam.console.frame.wording import words_of
from onepam.domain.host.backups import BackupFacts
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.read.alarms import Alarm
from onepam.store.read.sessions import SessionFilter, count_refusals, count_sessions, refusals, sessions

MOST_LIVE, MOST_REFUSED = 10, 8
LATE = HOUR
"""A checkpoint or cosignature that is older than the newest entry by so much is late, and so is a verification that was
so long ago (microseconds)."""

PROVEN_FOR = 92 * DAY
"""After so long a proof of a backup says nothing of those that were made since (microseconds)."""

_WATCHED = (
    ("Recordings", ("recordings", "recordings_untested"), "as they were sealed", "/sessions"),
    ("Disk of the recordings", ("disk",), "enough room", "/sessions"),
    ("Notices", ("notices",), "everybody is told", "/notices"),
    ("Doors", ("door",), "quiet", "/ledger"),
    ("Directories", ("directory", "directory_report"), "nothing waits", "/provisioning"),
)
"""Each light that follows from alarms: its word, their kinds, what it says without them, and where to look."""


def lights(
    health: LedgerHealth, alarms: Iterable[Alarm], told: bool, kept: tuple[BackupFacts, int], view: View, at: Instant
) -> list[Context]:
    """{word, state, says (str), at (Instant or none), href (or none)}: the ledger's own, the backup's, then what alarms
    watch. `told`: whether anybody is told at all. `kept`: the backups, and how many days old the newest may be."""
    rung = {each.kind: each.where for each in alarms}
    found = [*_of_ledger(health, rung, at), *_of_backups(*kept, at)]
    for word, kinds, quiet, where in _WATCHED:
        loud = next((kind for kind in kinds if kind in rung), None)
        state = ("finding", "look", rung[loud]) if loud is not None else ("proven", quiet, where)
        if loud is None and "notices" in kinds and not told:
            state = ("untested", "nobody is told", where)
        found.append({"word": word, "state": state[0], "says": state[1], "at": None, "href": state[2]})
    return [{**each, "href": view.link(each["href"])} for each in found]


def _of_ledger(health: LedgerHealth, rung: dict[str, str], at: Instant) -> Iterable[Context]:
    verified = health.looked_at or health.verified_at
    if health.findings or "history" in rung:
        yield _light("Ledger", "finding", "fails its verification", None)
    elif "unlawful" in rung:
        yield _light("Ledger", "finding", "a right was used that it did not give", None)
    elif health.trouble:
        yield _light("Ledger", "due", health.trouble, None)
    elif verified is None or at - verified > LATE:
        yield _light("Ledger", "due", "not verified for more than an hour; last", verified)
    else:
        yield _light("Ledger", "proven", f"{health.size:,} entries, verified", verified)
    late = health.checkpoint_at is None or health.head_at - health.checkpoint_at > LATE
    yield _light("Checkpoint", "due" if late else "proven", "signed", health.checkpoint_at)
    if not health.witness:
        yield _light("Witness", "untested", "no independent witness", None)
    else:
        late = health.witnessed_at is None or health.head_at - health.witnessed_at > LATE
        yield _light("Witness", "due" if late else "proven", f"{health.witness} cosigned", health.witnessed_at)


def _of_backups(known: BackupFacts, days: int, at: Instant) -> Iterable[Context]:
    """Nothing where nobody watches: the copies are made by other means."""
    if not days:
        return
    copied, proven = known.copied, known.proven
    if copied is None:
        state, says = "due", "none was made yet"
    elif at - copied > days * DAY:
        state, says = "due", f"older than {plural(days, 'day')}"
    elif proven is None:
        state, says = "untested", "made, and never proven"
    elif at - proven > PROVEN_FOR:
        state, says = "untested", f"made; last proven {day(proven)}"
    else:
        state, says = "proven", f"made; proven {day(proven)}"
    yield {**_light("Backup", state, says, copied), "href": "/ledger?of=host"}


def _light(word: str, state: str, says: str, at: Instant | None) -> Context:
    return {"word": word, "state": state, "says": says, "at": at, "href": "/ledger"}


def wall(db: Snapshot, at: Instant, alarms: Iterable[Alarm], view: View) -> Context:
    """What goes on, and what is odd: {live (list of {id, person, resource, login, started, privileged, state}),
    live_total, refused (list of {who, asked, because, at, href}), refused_total (of a day), alarms (list of {text,
    what, href})}."""
    open_now, lately = SessionFilter(status="open", most=MOST_LIVE), SessionFilter(since=Instant(at - DAY))
    return {
        "live": [
            {
                "id": each.session,
                "person": each.person_name,
                "resource": each.resource,
                "login": each.login,
                "started": each.opened,
                "privileged": each.privileged,
                "state": each.state,
            }
            for each in sessions(db, at, open_now)
        ],
        "live_total": count_sessions(db, at, open_now),
        "refused": [
            {
                "who": each.person_name or "somebody unknown",
                "asked": f"{each.login or '?'} on {each.resource or each.asked or '?'}",
                "because": words_of(each.code),
                "at": each.time,
                "href": f"/ledger?entry={each.index}",
            }
            for each in refusals(db, at, SessionFilter(since=Instant(at - DAY), most=MOST_REFUSED))
        ],
        "refused_total": plural(count_refusals(db, at, lately), "refusal"),
        "alarms": [{"text": each.sentence, "what": each.what_to_do, "href": view.link(each.where)} for each in alarms],
    }
