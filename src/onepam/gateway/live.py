"""Live sessions follow the ledger: who loses the access loses the session.

A session is registered *before* its opening is committed, so that a revocation that lands between the commit and the
first byte is not missed. Every event that may take access away leads to one question: would the decision still say yes?
The end time is a monotonic timer of its own, and works even if every message is missed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from onepam.app.open_session import Opened
from onepam.app.ports import AccessReader, Tail
from onepam.domain.access import events as access_events
from onepam.domain.access import locking as lock_events
from onepam.domain.access.decision import AccessFacts, Because, ResourceFacts, decide
from onepam.domain.access.masking import hides
from onepam.domain.access.proposal import DENIED, WITHDRAWN
from onepam.domain.access.session_users import making
from onepam.domain.history.commit import Placed
from onepam.domain.leaving import brake as directory_events
from onepam.domain.people import events as people_events
from onepam.domain.requests import events as request_events
from onepam.domain.reviews import events as review_events
from onepam.domain.sessions import events as session_events
from onepam.domain.sessions import waiting_statements as waiting_events
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.signing_in import events as sign_in_events
from onepam.domain.signing_in.rules import REPLACED
from onepam.kernel.clock import Clock, Instant, iso
from onepam.kernel.errors import Fault, Refused

log = logging.getLogger(__name__)

WITHOUT_LEDGER_SECONDS = 60.0
_RETRY_SECONDS = 0.5
ASKED_AT_ONCE = 100
"""How many sessions are looked at again in one question to the tables."""

MOST_REMEMBERED = 10_000
"""Revoked sign-ins that are remembered: an opening that rests on one may stand later in the ledger."""

REVOKED = {
    each.value: each for each in (SessionEnd.PROVIDER_LOGOUT, SessionEnd.SIGN_IN_REVOKED, SessionEnd.FACTORS_REPLACED)
}
"""Why a sign-in ends together with the sessions opened under it. Somebody who signs out of the console goes on
working."""

_SAME_OUTAGE_SECONDS = 10.0
"""A quiet ledger gives no sign of life: a failure that comes later than this after the last one is another one."""

End = Callable[[SessionEnd], None]
"""Ends a session at once; the argument is why."""

Tell = Callable[[str], None]
"""Shows a line to whoever sits at a terminal of a session."""


def _nobody(words: str) -> None:
    """No terminal."""


@dataclass(slots=True)
class LiveSession:
    """One session of this process, from before its opening until its last byte."""

    session: str
    person: str
    resource: str
    end: End
    tell: Tell = _nobody
    key: str | None = None
    """The service account's key that opens it; None for a person."""
    permit: Opened | None = None
    grants: frozenset[str] = frozenset()
    """The grants that it rests on now; none where standing permissions allow all of it."""
    sign_in: str = ""
    """The sign-in session whose factor opened it, once the ledger has said so; empty for a machine."""
    touched: bool = False
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class Live:
    """The live sessions of this process, and the task that follows the ledger for them."""

    def __init__(
        self, tail: Tail, access: AccessReader, clock: Clock, seconds_until: Callable[[Instant], float]
    ) -> None:
        """`clock` is the ledger's time, and `seconds_until` how long a steady clock runs until it is an instant."""
        self._tail = tail
        self._access = access
        self._clock = clock
        self._seconds_until = seconds_until
        self._after = 0
        self._sessions: dict[str, LiveSession] = {}
        self._waiting: dict[str, asyncio.Future[Refused | None]] = {}
        self._checks: set[asyncio.Task[None]] = set()
        self._revoked: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def register(
        self, session: str, person: str, resource: str, end: End, tell: Tell = _nobody, key: str | None = None
    ) -> LiveSession:
        """To be called before `open_session`; `end` and `tell` may be called from now on."""
        live = self._sessions[session] = LiveSession(session, person, resource, end, tell, key)
        return live

    def opened(self, live: LiveSession, permit: Opened) -> None:
        """The permit has come: from now its end is timed, and what happened meanwhile is looked at again."""
        live.permit, live.grants = permit, _grants(permit.because, *permit.also)
        self._set_timer(live, permit.ends)
        if live.touched:
            self._check([live])

    def unregister(self, session: str) -> None:
        """The session is over."""
        live = self._sessions.pop(session, None)
        if live is not None and live.timer is not None:
            live.timer.cancel()

    async def confirmation(self, confirmation: str, timeout_seconds: float) -> Refused | None:
        """Waits until the confirmation is given (None) or void (why)."""
        future: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self._waiting[confirmation] = future
        try:
            async with asyncio.timeout(timeout_seconds):
                return await future
        except TimeoutError:
            return Refused("confirmation.lapsed", "Nobody confirmed this in time.", "Connect again.")
        finally:
            del self._waiting[confirmation]

    @contextmanager
    def decision(self, statement: str) -> Iterator["asyncio.Future[Refused | None]"]:
        """What is decided on a statement that waits, while this is entered: None for yes, else why not."""
        future: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self._waiting[statement] = future
        try:
            yield future
        finally:
            del self._waiting[statement]

    def seconds_until(self, instant: Instant) -> float:
        """How long a steady clock runs until then."""
        return self._seconds_until(instant)

    async def follow(self, after: int) -> None:
        """Acts on every event with index >= `after`, for ever, and on none twice, also when it begins again. Without
        the ledger for 60 s, every session ends."""
        self._after = max(self._after, after)
        loop = asyncio.get_running_loop()
        lost = last = -_SAME_OUTAGE_SECONDS
        while True:
            try:
                async for batch in self._tail.follow(self._after):
                    self.apply(batch)
                    self._after = batch[-1].index + 1
            except Fault as fault:
                log.error("the ledger cannot be followed: %s", fault)
                if loop.time() - last > _SAME_OUTAGE_SECONDS:
                    lost = loop.time()
                if loop.time() - lost > WITHOUT_LEDGER_SECONDS:
                    self.end_all(SessionEnd.LEDGER_UNAVAILABLE)
                await asyncio.sleep(_RETRY_SECONDS)
                last = loop.time()

    def end_all(self, because: SessionEnd) -> None:
        """Ends every session of this process."""
        _end(self._sessions.values(), because)

    def tell_end(self, latest: Instant, why: str) -> None:
        """Says at every terminal when its session ends at the latest, which is no later than `latest`."""
        for live in tuple(self._sessions.values()):
            ends = min(latest, live.permit.ends) if live.permit else latest
            try:
                live.tell(f"{why}: this session ends at {iso(ends)} at the latest")
            except Exception:  # a word that is not heard changes nothing
                log.exception("session %s could not be told of its end", live.session)

    def apply(self, batch: list[Placed]) -> None:
        """One batch of events: ends what must end, and looks again at what may have to."""
        suspects: dict[str, LiveSession] = {}
        for placed in batch:
            self._ended(placed.event)
            for live in self._touched(placed.event):
                live.touched = True
                suspects[live.session] = live
        opened = [live for live in suspects.values() if live.permit is not None]
        if opened:
            self._check(opened)

    def _ended(self, event: object) -> None:
        """Ends at once what an event leaves no ground for, and answers those who wait for one."""
        match event:
            case session_events.SessionOpened(session=session, mfa=mfa):
                self._begun(session, mfa.session)
            case session_events.KillOrdered(session=session):
                _end(filter(None, (self._sessions.get(session),)), SessionEnd.KILLED)
            case session_events.ConfirmationGiven(confirmation=confirmation):
                self._answer(confirmation, None)
            case session_events.ConfirmationFailed(confirmation=confirmation, code=code):
                self._answer(confirmation, Refused(code, "The confirmation was refused.", "Connect again."))
            case waiting_events.StatementApproved(statement=statement):
                self._answer(statement, None)
            case waiting_events.StatementEnded(statement=statement):
                self._answer(statement, _unwanted(event))
            case people_events.PersonDisabled(person=person):
                _end(self._of(person), SessionEnd.PERSON_DISABLED)
            case directory_events.DirectoryPersonHeld(person=person):
                _end(self._of(person), SessionEnd.PERSON_HELD)
            case sign_in_events.FactorRemoved(person=person, because=because) if because == REPLACED:
                _end(self._of(person), SessionEnd.FACTORS_REPLACED)
            case sign_in_events.FactorRemoved(factor=factor):
                _end((live for live in self._sessions.values() if live.key == factor), SessionEnd.KEY_REMOVED)
            case sign_in_events.SignedOut(session=session, because=because) if because in REVOKED:
                self._revoke(session, REVOKED[because])
            case _:
                pass

    def _touched(self, event: object) -> list[LiveSession]:
        """The sessions that an event may have taken the ground from."""
        match event:
            case (
                people_events.PersonChanged(person=person)
                | people_events.GroupMemberRemoved(person=person)
                | review_events.RoleWithheld(person=person)
            ):
                return self._of(person)
            case access_events.ResourceSet(resource=resource) | access_events.ResourceRemoved(resource=resource):
                return [live for live in self._sessions.values() if live.resource == resource]
            case access_events.RoleSet() | access_events.RoleRemoved() | access_events.BindingEnded():
                return list(self._sessions.values())
            case lock_events.LockSet(person=person, resource=resource):
                return self._locked(person, resource)
            case request_events.GrantEnded(grant=grant):
                return [live for live in self._sessions.values() if live.permit is None or grant in live.grants]
            case _:
                return []

    def _locked(self, person: str | None, resource: str | None) -> list[LiveSession]:
        return [
            live
            for live in self._sessions.values()
            if person in (None, live.person) and resource in (None, live.resource)
        ]

    def _of(self, person: str) -> list[LiveSession]:
        return [live for live in self._sessions.values() if live.person == person]

    def _begun(self, session: str, sign_in: str) -> None:
        if (live := self._sessions.get(session)) is not None:
            live.sign_in = sign_in
            if sign_in in self._revoked:
                live.end(SessionEnd.SIGN_IN_REVOKED)

    def _revoke(self, sign_in: str, because: SessionEnd) -> None:
        self._revoked[sign_in] = None
        if len(self._revoked) > MOST_REMEMBERED:
            del self._revoked[next(iter(self._revoked))]
        _end((live for live in self._sessions.values() if live.sign_in == sign_in), because)

    def _answer(self, confirmation: str, answer: Refused | None) -> None:
        future = self._waiting.get(confirmation)
        if future is not None and not future.done():
            future.set_result(answer)

    def _check(self, suspects: list[LiveSession]) -> None:
        task = asyncio.get_running_loop().create_task(self._check_all(suspects))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check_all(self, suspects: list[LiveSession]) -> None:
        """In their order, a hundred at a time; the many sessions of one person on one resource are one question."""
        for start in range(0, len(suspects), ASKED_AT_ONCE):
            some = suspects[start : start + ASKED_AT_ONCE]
            asked = tuple(dict.fromkeys((live.person, live.resource) for live in some))
            try:
                known = dict(zip(asked, await self._access(asked), strict=True))
            except Fault as fault:
                log.error("%d sessions end: their access cannot be checked: %s", len(some), fault)
                _end(some, SessionEnd.LEDGER_UNAVAILABLE)
                continue
            for live in some:
                self._judge(live, known[live.person, live.resource])

    def _judge(self, live: LiveSession, facts: AccessFacts) -> None:
        if live.permit is None or live.session not in self._sessions:
            return
        permit = live.permit
        verdict = decide(facts, permit.login, self._clock(), permit.actions, permit.guardrails)
        if isinstance(verdict, Refused) or facts.resource is None:
            code = verdict.code if isinstance(verdict, Refused) else SessionEnd.ACCESS_TAKEN
            live.end(SessionEnd.of(code, SessionEnd.ACCESS_TAKEN))
        elif (facts.resource.address, facts.resource.port) != (live.permit.address, live.permit.port):
            live.end(SessionEnd.RESOURCE_MOVED)
        elif _narrowed(permit, facts.resource):
            live.end(SessionEnd.ACCESS_NARROWED)
        else:
            live.grants = _grants(*verdict.rests_on())
            self._set_timer(live, min(live.permit.ends, verdict.ends))

    def _set_timer(self, live: LiveSession, ends: Instant) -> None:
        if live.timer is not None:
            live.timer.cancel()
        live.timer = asyncio.get_running_loop().call_later(self._seconds_until(ends), live.end, SessionEnd.EXPIRED)


def _narrowed(permit: Opened, resource: ResourceFacts) -> bool:
    """Whether more is masked by now, or a session that began now would be another user of the database."""
    return not hides(permit.mask, resource.mask) or permit.making != making(resource.session_users, permit.login)


def _unwanted(event: waiting_events.StatementEnded) -> Refused:
    """What a client hears of its statement that does not run."""
    if event.because not in (WITHDRAWN, DENIED):  # whoever it is by may have said yes to what was void
        return Refused(event.because, "this statement waits no longer.")
    why = f": {event.comment}" if event.comment else ""
    if event.because == WITHDRAWN:
        return Refused("statement.withdrawn", f"{event.by} took this statement back{why}.")
    return Refused("statement.denied", f"{event.by} said no to this statement{why}.")


def _grants(*chains: Because) -> frozenset[str]:
    return frozenset(each.grant for each in chains if each.grant)


def _end(sessions: Iterable[LiveSession], because: SessionEnd) -> None:
    for live in tuple(sessions):
        try:
            live.end(because)
        except Exception:  # whoever stands behind it loses the access all the same
            log.exception("session %s could not be ended", live.session)
