"""What the people of a company do: they sign in, ask, decide, and open sessions, by chance that repeats.

It only uses rights that the history gives at that instant: what comes of it is lawful.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from onepam.boot.demo.company import (
    APPROVER,
    TEAMS,
    access_ends,
    approves,
    is_production,
    own_role,
    person_id,
    resource_id,
    role_of,
    role_version,
    signed_in,
)
from onepam.domain.access.decision import Because
from onepam.domain.access.model import Action, Substance
from onepam.domain.access.proof import MfaProof
from onepam.domain.requests.events import (
    UNDO,
    GrantExpired,
    GrantStarted,
    RequestApproved,
    RequestDenied,
    RequestMade,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed, SessionFailed, SessionOpened
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant

REASONS = ("disk nearly full", "restart after the upgrade", "restore a table", "rotate the logs", "slow since Monday")
LATEST = 9 * HOUR
"""Whoever waits that long is decided on next (microseconds): shorter than a day's work, so that nobody who asks at its
beginning waits for the same hour of the next one, when the request is over."""
ACTIONS = (Action.SHELL, Action.EXEC, Action.SFTP)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request: by which person, for which resource (their numbers)."""

    request: str
    by: int
    resource: int
    substance: Substance
    made: Instant


@dataclass(frozen=True, slots=True)
class _Granted:
    """The access that came of a request."""

    grant: str
    asked: _Asked
    approver: str
    starts: Instant
    ends: Instant


@dataclass(slots=True)
class Work:
    """The work of `people`, who were `founded` then, on `resources`, in the sessions of `node`. Each call is one
    command."""

    people: int
    resources: int
    node: str
    founded: Instant
    seed: int = 1
    _chance: random.Random = field(init=False)
    _sessions: int = 0
    _requests: int = 0
    _sign_ins: int = 0
    _here: dict[int, tuple[str, Instant]] = field(default_factory=dict)
    _asked: list[_Asked] = field(default_factory=list)
    _granted: list[_Granted] = field(default_factory=list)
    _yeses: set[tuple[int, int]] = field(default_factory=set)
    _approvers: list[int] = field(init=False)
    _open: list[tuple[Instant, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - chance that repeats, no secret
        self._approvers = [each for each in range(self.people) if approves(each)]

    def stretch(self, now: Instant, sessions: int, requests: int) -> list[object]:
        """A few minutes: what ends or is decided by `now`, then so many new requests and sessions."""
        made = [*self._closed(now, now), *self._expired(now), *self._decided(now)]
        for _ in range(requests):
            made += self._ask(now)
        for _ in range(sessions):
            made += self._session(now)
        return made

    def evening(self, now: Instant) -> list[object]:
        """Everybody leaves their session."""
        return [*self._closed(Instant(now + DAY), now)]

    def present(self, number: int, now: Instant, within: int = 9 * HOUR) -> Iterator[object]:
        """The person signs in, unless they did so within that time."""
        known = self._here.get(number)
        if known is None or known[1] + within <= now:
            self._sign_ins += 1
            session = f"sgn_{self._sign_ins:06}"
            self._here[number] = (session, now)
            yield from signed_in(number, now, session)

    def proof(self, number: int) -> MfaProof:
        """What the newest sign-in of the person proved."""
        session, at = self._here[number]
        return MfaProof(session, ("password", "totp"), at)

    def _ask(self, now: Instant) -> Iterator[object]:
        self._requests += 1
        asked = self._wished(now)
        while any(each.substance == asked.substance for each in self._asked):  # what waits is not asked for again
            asked = self._wished(now)
        by, substance = asked.by, asked.substance
        self._asked.append(asked)
        yield from self.present(by, now)
        reason, ticket = self._chance.choice(REASONS), f"OPS-{1000 + self._requests}"
        yield RequestMade(asked.request, substance, substance.digest(), Instant(now + DAY), reason, ticket)

    def _wished(self, now: Instant) -> _Asked:
        by = self._somebody(now)
        resource = self._reached(by)
        role = role_of(resource)
        hours = self._chance.randint(1, 4)
        substance = Substance(
            person_id(by), resource_id(resource), "root", role, role_version(role), "repair", ACTIONS, hours * HOUR
        )
        return _Asked(f"req_{self._requests:05}", by, resource, substance, now)

    def _decided(self, now: Instant) -> Iterator[object]:
        ripe = [each for each in self._asked if each.made + LATEST <= now or self._chance.random() < 0.1]
        for each in ripe:
            self._asked.remove(each)
            approver = self._approver(each.by)
            how = self._chance.random()
            if how < 0.05:
                yield from self.present(each.by, now)
                because, by = "no longer needed", person_id(each.by)
                yield RequestWithdrawn(each.request, RequestStatus.WITHDRAWN, because, by)
                continue
            yield from self.present(approver, now, 10 * MINUTE)
            if how < 0.15:
                yield RequestDenied(each.request, person_id(approver), APPROVER, "not in the evening")
                continue
            starts = Instant(now + UNDO + SECOND)
            self._yeses.add((approver, each.by))
            yield RequestApproved(
                each.request, each.substance.digest(), person_id(approver), APPROVER, starts, "go ahead"
            )
            grant = f"grt{each.request[3:]}"
            ends = Instant(starts + each.substance.duration)
            self._granted.append(_Granted(grant, each, person_id(approver), starts, ends))
            binding, by = f"bnd_{each.by}", person_id(approver)
            yield GrantStarted(grant, each.request, each.substance, binding, by, starts, ends)

    def _expired(self, now: Instant) -> Iterator[object]:
        over = [each for each in self._granted if each.ends <= now]
        for each in over:
            self._granted.remove(each)
            yield GrantExpired(each.grant, each.asked.request, each.ends)

    def _session(self, now: Instant) -> Iterator[object]:
        self._sessions += 1
        session = f"ses_{self._sessions:06}"
        running = [each for each in self._granted if each.starts <= now and now + HOUR < each.ends]
        if running and self._chance.random() < 0.2:
            yield from self._by_grant(session, self._chance.choice(running), now)
        else:
            by = self._somebody(now)
            resource = self._reached(by, standing=True)
            role = role_of(resource)
            because = Because(role, role_version(role), "operate", f"bnd_{by}")
            yield from self._opened(session, by, resource, "deploy", because, Instant(now + 8 * HOUR), now)
        if self._chance.random() < 0.03:
            yield SessionFailed(session, SessionEnd.TARGET_DOWN, "no answer within 10 seconds")
        else:
            lasts = int(self._chance.expovariate(1 / (15 * MINUTE)))
            self._open.append((Instant(now + min(lasts + 10 * SECOND, 50 * MINUTE)), session))

    def _by_grant(self, session: str, granted: _Granted, now: Instant) -> Iterator[object]:
        asked = granted.asked
        because = Because(
            asked.substance.role,
            asked.substance.role_version,
            "repair",
            f"bnd_{asked.by}",
            request=asked.request,
            approval_by=granted.approver,
            grant=granted.grant,
        )
        yield from self._opened(session, asked.by, asked.resource, "root", because, granted.ends, now)

    def _opened(
        self, session: str, by: int, resource: int, login: str, because: Because, ends: Instant, now: Instant
    ) -> Iterator[object]:
        yield from self.present(by, now)
        yield SessionOpened(
            session=session,
            person=person_id(by),
            resource=resource_id(resource),
            login=login,
            entry=EntryPoint.SSH_CERTIFICATE,
            actions=ACTIONS,
            ends=Instant(min(ends, now + 8 * HOUR)),
            privileged=login == "root",
            because=because,
            mfa=self.proof(by),
            node=self.node,
            source=f"192.0.2.{by % 200 + 1}",
            client="SSH-2.0-OpenSSH_9.2p1",
        )

    def _closed(self, by: Instant, now: Instant) -> Iterator[object]:
        over = sorted(each for each in self._open if each[0] <= by)
        self._open = [each for each in self._open if each[0] > by]
        for ends, session in over:
            counts: dict[str, Any] = {}
            yield SessionClosed(session, SessionEnd.CLIENT_LEFT, "", 0, counts, False, None, Instant(min(ends, now)))

    def _reached(self, person: int, *, standing: bool = False) -> int:
        """A resource that the person's own role reaches."""
        team = TEAMS.index(own_role(person))
        found = [each for each in range(team, self.resources, len(TEAMS)) if not (standing and is_production(each))]
        return self._chance.choice(found)

    def _somebody(self, now: Instant) -> int:
        """Of those whose access does not end within a day."""
        while True:
            number = self._chance.randrange(self.people)
            ends = access_ends(number, self.founded)
            if ends is None or now + DAY < ends:
                return number

    def _approver(self, asks: int) -> int:
        """Somebody else who approves, and to whom they said no yes themselves, where there is such a one."""
        others = [each for each in self._approvers if each != asks]
        return self._chance.choice([each for each in others if (asks, each) not in self._yeses] or others)
