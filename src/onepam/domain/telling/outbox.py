"""The outbox: who is being told, what of it was delivered, and what is to be told next.

The ledger is the queue. What a receiver still has to be told follows from the entries since the receiver was set and
from the deliveries, which are entries themselves; no other memory decides. So a process that is killed between a
delivery and its entry delivers again, and the repeat bears the same `Notice.id`: receivers recognise it.

What is alike is folded: the first at once, whatever else follows within the hour as one notice with a count.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, ClassVar

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused

TOGETHER = 2 * SECOND
"""Alike entries this close to the first are one notice: one command may write several (microseconds)."""

FOLDED = HOUR
"""The span of a notice that follows another of its like within the same span (microseconds)."""

SHORTLY = 5 * MINUTE
"""The same of what somebody waits for (microseconds)."""

SETTLING = 3 * SECOND
"""How long after its span a notice is sent: what was decided in the span is in the ledger by then (microseconds)."""

SHORTEST_PAUSE = 5 * SECOND
LONGEST_PAUSE = HOUR
GIVEN_UP = 2 * DAY
"""A notice that could not be delivered for so long is given up (microseconds)."""

FEWEST_TRIES = 10
"""... and not before so many tries of this process: it may have been down itself."""

REFUSED_FOR_GOOD = frozenset({"mail.recipient"})
"""Refusals that another try does not change: the mail server says that there is no such address."""

ALARMS, REQUESTS = "alarms", "requests"
"""What a chat is told of, each a receiver of its own: `NAME:alarms`, `NAME:requests`."""

MAIL = "mail"
"""The receiver that stands for everybody who is told by e-mail; each of them is one of their own, `mail:PERSON`."""

SECURITY = "security"
"""The receiver that is the company's security address."""


class Channel(StrEnum):
    """How a receiver is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    SYSLOG = "syslog"
    SLACK = "slack"
    TEAMS = "teams"


@event("receiver.set", klass="notice", control="MON-04", words="{receiver} is told of what happens from now on")
@dataclass(frozen=True, slots=True)
class ReceiverSet:
    """The configuration names this receiver: what happens from this entry on is told to it. `mail` stands for everybody
    who is told by e-mail."""

    receiver: str
    channel: Channel


@event("receiver.ended", klass="notice", control="MON-04", words="{receiver} is told of nothing any more")
@dataclass(frozen=True, slots=True)
class ReceiverEnded:
    """The configuration does not name this receiver any more; it is told of nothing from now on."""

    receiver: str


@event("receiver.failing", klass="notice", control="MON-04", words="{receiver} does not take its notices: {because}")
@dataclass(frozen=True, slots=True)
class ReceiverFailing:
    """A delivery to this receiver failed, and the one before did not; `because` is the code of the refusal. It is
    tried again until `notice.sent` or `notice.failed`."""

    receiver: str
    channel: Channel
    because: str


@event("notice.sent", klass="notice", control="MON-04", words="{receiver} took a notice of {kind}")
@dataclass(frozen=True, slots=True)
class NoticeSent:
    """The receiver took a notice of `count` alike entries, the first and the last of which have these indexes.

    `notice` is the id that went along (Message-ID, webhook-id): an attempt whose success is unknown bore it, too.
    `receiver` is `mail:PERSON`, or a name of the configuration.
    """

    notice: str
    receiver: str
    channel: Channel
    kind: str
    alike: str
    first: int
    last: int
    count: int


@event("notice.failed", klass="notice", control="MON-04", words="A notice to {receiver} was given up: {because}")
@dataclass(frozen=True, slots=True)
class NoticeFailed:
    """A notice was given up: the receiver refused it for good, or could not be reached for two days. `because` is the
    code of the last refusal; the rest is as in `notice.sent`."""

    notice: str
    receiver: str
    channel: Channel
    kind: str
    alike: str
    first: int
    last: int
    count: int
    because: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An entry of which somebody is told: one sentence, and the console's path that shows more.

    `alike` groups what is folded, for the span `folded`; nobody is told before `settles` is over (microseconds). `text`
    is what else a notice carries for machines and for keeping, such as a signed checkpoint; else empty. `about` is what
    would be over, such as a request.
    """

    index: int
    at: Instant
    kind: str
    alike: str
    sentence: str
    where: str
    alarm: bool
    text: str = ""
    about: str = ""
    folded: int = FOLDED
    settles: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The last notice of its like that a receiver was told (or that was given up): its first entry's time, and the
    index of its last."""

    at: Instant
    last: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What one receiver is told at once: the newest of `count` alike entries, from `first` to `last`."""

    receiver: str
    first: int
    first_at: Instant
    count: int
    newest: Occurrence

    @property
    def id(self) -> str:
        """The same for every attempt, of every process: by it a repeat is recognised."""
        known = f"{self.receiver} {self.newest.alike} {self.first} {self.newest.index}".encode()
        return f"notice-{self.first}-{sha256(known).hexdigest()[:16]}"

    @property
    def sentence(self) -> str:
        """What happened; of several alike, the newest and how many there were."""
        return self.newest.sentence if self.count == 1 else f"{self.newest.sentence} ({self.count} alike.)"


@dataclass(frozen=True, slots=True)
class Digest:
    """What somebody is told in one e-mail at the hour that they chose: `slot` is when that was."""

    receiver: str
    slot: Instant
    notices: tuple[Notice, ...]

    @property
    def id(self) -> str:
        """As that of a notice: of one slot there is one digest."""
        return f"digest-{self.slot // SECOND}-{sha256(f'{self.receiver} {self.slot}'.encode()).hexdigest()[:16]}"


def mail_to(person: str) -> str:
    """The receiver that is a person's own address."""
    return f"{MAIL}:{person}"


def chat_for(name: str, subject: str) -> str:
    """The receiver that is a chat, of the configuration's name, as far as it is told of `ALARMS` or `REQUESTS`."""
    return f"{name}:{subject}"


def subject_of(receiver: str) -> str:
    """Of what a chat is told; "" for another receiver."""
    subject = receiver.rpartition(":")[2]
    return subject if subject in (ALARMS, REQUESTS) else ""


def person_of(receiver: str) -> str:
    """The person whose address the receiver is; "" for a receiver of the configuration."""
    kind, _, person = receiver.partition(":")
    return person if kind == MAIL else ""


def next_notice(receiver: str, waiting: Iterable[Occurrence], told: Mapping[str, Told], now: Instant) -> Notice | None:
    """What the receiver is told next, the oldest first; None where nothing is due yet.

    `waiting` are occurrences in the ledger's order, of which those up to `told` (by `alike`) are settled.
    """
    open_groups: dict[str, Notice] = {}
    ends: dict[str, Instant] = {}
    for each in waiting:
        before = told.get(each.alike)
        if before is not None and each.index <= before.last:
            continue
        begun = open_groups.get(each.alike)
        if begun is None:
            follows = before is not None and each.at - before.at < each.folded
            open_groups[each.alike] = Notice(receiver, each.index, each.at, 1, each)
            ends[each.alike] = Instant(each.at + max(each.folded if follows else TOGETHER, each.settles))
        elif each.at < ends[each.alike]:
            open_groups[each.alike] = Notice(receiver, begun.first, begun.first_at, begun.count + 1, each)
    due = [each for alike, each in open_groups.items() if ends[alike] + SETTLING <= now]
    return min(due, key=lambda each: each.first, default=None)


def digest_of(receiver: str, waiting: Iterable[Occurrence], told: Mapping[str, Told], slot: Instant) -> Digest | None:
    """All that waits, alike by alike, as the digest of a slot; None for nothing."""
    found: dict[str, Notice] = {}
    for each in waiting:
        before, begun = told.get(each.alike), found.get(each.alike)
        if before is not None and each.index <= before.last:
            continue
        first, at, count = (begun.first, begun.first_at, begun.count) if begun else (each.index, each.at, 0)
        found[each.alike] = Notice(receiver, first, at, count + 1, each)
    return Digest(receiver, slot, tuple(found.values())) if found else None


def pause(failures: int) -> int:
    """How long to wait after so many failures in a row (microseconds): twice as long each time, up to an hour."""
    return min(LONGEST_PAUSE, SHORTEST_PAUSE << min(failures - 1, 20))


def given_up(notice: Notice, failing_since: Instant | None, tries: int, now: Instant) -> bool:
    """Whether a failed try was the last: the receiver has failed for two days, all of them with this notice due."""
    since = now if failing_since is None else max(failing_since, notice.newest.at)
    return tries >= FEWEST_TRIES and now - since >= GIVEN_UP


@dataclass(frozen=True, slots=True)
class ReceiverFacts:
    """What the ledger says of a receiver: since when its deliveries fail, and its last settled notice of each like."""

    failing_since: Instant | None
    told: Mapping[str, Told]


@dataclass(frozen=True, slots=True)
class ReceiverQuery:
    """The facts of one receiver, and of the notices of these likes."""

    facts: ClassVar[type[ReceiverFacts]] = ReceiverFacts
    receiver: str
    alikes: tuple[str, ...]


def sent(facts: ReceiverFacts, notices: Sequence[Notice], along: str, channel: Channel) -> Decided[None] | Refused:
    """The receiver took them, in one message with the id `along`. What was settled before is not settled twice."""
    left = _unsettled(facts, notices)
    if isinstance(left, Refused):
        return left
    return Decided(tuple(NoticeSent(along, **_settles(each, channel)) for each in left), None)


def failed(
    facts: ReceiverFacts, notices: Sequence[Notice], along: str, channel: Channel, because: Refused, tries: int,
    now: Instant,
) -> Decided[bool] | Refused:  # fmt: skip
    """The receiver's newest try of `tries` in a row failed. The result is whether the notices are given up."""
    left = _unsettled(facts, notices)
    if isinstance(left, Refused):
        return left
    begins = facts.failing_since is None
    events: tuple[object, ...] = (ReceiverFailing(left[0].receiver, channel, because.code),) if begins else ()
    newest = max(left, key=lambda each: each.newest.at)
    if because.code in REFUSED_FOR_GOOD or given_up(newest, facts.failing_since, tries, now):
        events += tuple(NoticeFailed(along, **_settles(each, channel), because=because.code) for each in left)
        return Decided(events, True)
    return Decided(events, False)


def _settles(notice: Notice, channel: Channel) -> dict[str, Any]:
    """What an entry says of a notice that is settled."""
    new = notice.newest
    return {
        "receiver": notice.receiver,
        "channel": channel,
        "kind": new.kind,
        "alike": new.alike,
        "first": notice.first,
        "last": new.index,
        "count": notice.count,
    }


def _unsettled(facts: ReceiverFacts, notices: Collection[Notice]) -> list[Notice] | Refused:
    told = facts.told
    left = [each for each in notices if (known := told.get(each.newest.alike)) is None or known.last < each.first]
    return left or Refused("notice.settled", "This notice was settled before.")


@dataclass(frozen=True, slots=True)
class ReceiversFacts:
    """The receivers in force, each with its channel."""

    receivers: Mapping[str, Channel]


@dataclass(frozen=True, slots=True)
class ReceiversQuery:
    """All receivers in force."""

    facts: ClassVar[type[ReceiversFacts]] = ReceiversFacts


def set_receivers(facts: ReceiversFacts, wanted: Mapping[str, Channel]) -> Decided[None]:
    """The configuration names exactly these receivers; one that is known keeps what it still has to be told."""
    ended = [each for each in sorted(facts.receivers) if wanted.get(each) is not facts.receivers[each]]
    begun = [each for each in sorted(wanted) if facts.receivers.get(each) is not wanted[each]]
    return Decided((*map(ReceiverEnded, ended), *(ReceiverSet(each, wanted[each]) for each in begun)), None)
