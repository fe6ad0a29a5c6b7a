"""What a month of plain work does not show: a database, recordings to play, refusals, leavers, service accounts.

Its people are added to the company's, by the next numbers. Its recordings are made by the product's own sealer, so they
are checked and played like any other; everything else of the month has none.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from onepam.boot.demo.company import (
    FOUNDING,
    TEAMS,
    Command,
    bound,
    called,
    enrolled,
    own_role,
    person_id,
    resource_id,
    role_version,
)
from onepam.boot.demo.work import Work
from onepam.domain.access.decision import Because
from onepam.domain.access.events import ResourceSet, RoleSet
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.access.model import Action, Mode, Permission, ResourceKind, SubjectKind
from onepam.domain.leaving.leaving import Cause, Held, departure
from onepam.domain.leaving.probing import ProbedProof, ProbeMade, ProbePath, ProbePurpose, ProbeResult
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed, SessionOpened, SessionRefused
from onepam.files.private_file import create_private
from onepam.gateway.recorder import recording_path
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.recording import frames
from onepam.recording.seal import Sealer
from onepam.recording.statements import Executed, Finished, Form, Outcome, StatementText

ANALYSTS, LEAVERS = range(4), range(4, 8)
"""Numbers after the company's last one."""
PASSING, GOING = 8, 9
"""Two vendors: one whose last day is near, and one whose time is over minutes after the start."""
SERVICES = ("svc-backup", "svc-deploy", "svc-reports")
DATABASE, ANALYST, CHANGE = "orders", "analyst", FOUNDING
GUARDRAILS = Guardrails((StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE), 10_000, 30 * SECOND)
READS = Permission(
    "read-orders", (Action.QUERY,), {"tier": "orders"}, ("reporting",), Mode.STANDING, 8 * HOUR, guardrails=GUARDRAILS
)
REFUSED = (
    ("access.needs_approval", "db-3", "root"), ("person.disabled", "web-12", "deploy"),
    ("resource.unknown", None, "deploy"), ("access.login", "app-7", "admin"), ("sign_in.ended", "cache-2", "deploy"),
)  # fmt: skip
"""Code, resource, login."""
ASKED = (
    (b"SELECT status, count(*) FROM orders GROUP BY status", Outcome.OK, 4, "SELECT 4"),
    (b"SELECT customer, sum(cents) FROM orders GROUP BY customer LIMIT 500", Outcome.OK, 500, "SELECT 500"),
    (b"SELECT * FROM refunds WHERE day = current_date", Outcome.ERROR, 0, "42P01 relation \"refunds\" does not exist"),
    (b"DROP TABLE orders", Outcome.REFUSED, 0, "OnePAM: statements of the class ddl do not pass"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variety:
    """Of a company of `people`, whose recordings lie in `recordings`, each under a `new_key` of its own."""

    people: int
    node: str
    until: Instant
    recordings: Path
    new_key: Callable[[str], bytes]

    def joined(self, now: Instant) -> list[object]:
        """Its people and service accounts; one of these belongs to somebody who leaves."""
        ends = {PASSING: Instant(self.until + 2 * DAY), GOING: Instant(self.until + 10 * MINUTE)}
        numbers = (*ANALYSTS, *LEAVERS, *ends)
        owners = (person_id(1), person_id(2), self._person(LEAVERS[0]))
        return [
            *(self._added(each, ends.get(each)) for each in numbers),
            *(_service(name, owner) for name, owner in zip(SERVICES, owners, strict=True)),
        ]

    def objects(self) -> list[object]:
        """A database, who may ask it what, and what the others hold."""
        role = _analyst()
        others = (*LEAVERS, PASSING, GOING)
        return [
            RoleSet(ANALYST, role.version(), role.purpose, role.owner, role.permissions, role.console, CHANGE, None),
            _database(),
            *(self._bound(each, ANALYST) for each in ANALYSTS),
            *(self._bound(each, own_role(self.people + each)) for each in others),
        ]

    def factors(self, now: Instant) -> list[object]:
        """As everybody has them from the founding on."""
        return [each for number in range(GOING + 1) for each in enrolled(self.people + number, now)]

    def shown(self, work: Work) -> Iterator[tuple[Instant, Command]]:
        """The last minutes of the month: who comes in, what they do, who is refused, who leaves."""
        begins = [Instant(self.until - 9 * MINUTE + number * SECOND) for number in (*ANALYSTS, *LEAVERS)]
        for number, at in enumerate(begins):
            yield at, partial(self._opened, work, number)
        for number, at in enumerate(begins):
            yield Instant(at + 5 * MINUTE), partial(self._closed, number, at)
        for number, (code, resource, login) in enumerate(REFUSED):
            yield Instant(self.until - 3 * MINUTE + number * SECOND), partial(_refused, number, code, resource, login)
        for number in LEAVERS[:3]:
            yield Instant(self.until - 2 * MINUTE + number * SECOND), partial(self._left, work, number)

    def _person(self, number: int) -> str:
        return person_id(self.people + number)

    def _bound(self, number: int, role: str) -> object:
        return bound(f"bnd_{self.people + number}", role, SubjectKind.PERSON, self._person(number), "of that team")

    def _added(self, number: int, ends: Instant | None) -> PersonAdded:
        name, email = called(self.people + number)
        kind = PersonKind.EMPLOYEE if ends is None else PersonKind.VENDOR
        sponsor = person_id(1) if ends is not None else None
        return PersonAdded(
            self._person(number), kind, "the founding", None, sponsor, ends, person_id(1), name, f"also-{email}"
        )

    def _where(self, number: int) -> tuple[str, str, Because]:
        """Resource, login and why, of the session of that number."""
        who = self.people + number
        if number in ANALYSTS:
            return DATABASE, "reporting", Because(ANALYST, _analyst().version(), READS.name, f"bnd_{who}")
        role = own_role(who)
        return resource_id(TEAMS.index(role)), "deploy", Because(role, role_version(role), "operate", f"bnd_{who}")

    def _opened(self, work: Work, number: int, now: Instant) -> list[object]:
        signs_in = list(work.present(self.people + number, now))
        resource, login, because = self._where(number)
        queries = number in ANALYSTS
        return [
            *signs_in,
            SessionOpened(
                session=_session(number),
                person=self._person(number),
                resource=resource,
                login=login,
                entry=EntryPoint.POSTGRES_CERTIFICATE if queries else EntryPoint.SSH_CERTIFICATE,
                actions=READS.actions if queries else (Action.SHELL, Action.EXEC, Action.SFTP),
                ends=Instant(now + 8 * HOUR),
                privileged=queries,
                because=because,
                mfa=work.proof(self.people + number),
                node=self.node,
                source=f"192.0.2.{number + 1}",
                client="psql" if queries else "SSH-2.0-OpenSSH_9.2p1",
                guardrails=GUARDRAILS if queries else None,
            ),
        ]

    def _closed(self, number: int, began: Instant, now: Instant) -> list[object]:
        """Its recording is sealed, but for the last one: its process died."""
        session, gap = _session(number), "the gateway's process died"
        if number == LEAVERS[-1]:
            return [SessionClosed(session, SessionEnd.GATEWAY_DIED, "", 0, {}, False, gap)]
        resource, login, _ = self._where(number)
        protocol = "postgres" if number in ANALYSTS else "ssh"
        sealer = Sealer(session, self.new_key(session))
        sealer.append(frames.Opened(0, session, self._person(number), resource, login, protocol, began))
        for frame in _statements() if number in ANALYSTS else _terminal():
            sealer.append(frame)
        sealer.append(frames.Closed(now - began, SessionEnd.CLIENT_LEFT.value, sealer.counts))
        sealed, head = sealer.seal()
        create_private(recording_path(self.recordings, session), bytes(sealer.header + sealed), secrets.token_bytes)
        ended = (SessionEnd.CLIENT_LEFT, head.digest.hex(), head.seq, dict(sealer.counts), True, None, now)
        return [SessionClosed(session, *ended)]

    def _left(self, work: Work, number: int, now: Instant) -> list[object]:
        """All that they hold ends; of the second one the news had come late, of the third one no listener answered."""
        who, by = self.people + number, person_id(0)
        person, late = person_id(who), number == LEAVERS[1]
        cause = Cause("administrator", "left the company", by, Instant(now - 30 * HOUR) if late else None)
        factors = tuple(f"fac_{who}_{kind}" for kind in ("password", "totp"))
        held = Held(sign_ins=(work.proof(who).session,), factors=factors, bindings=(f"bnd_{who}",))
        result = ProbeResult.UNANSWERED if number == LEAVERS[2] else ProbeResult.REFUSED
        return [*work.present(0, now), *departure(held, person, cause), _probe(number, person, result, self.node)]


def _session(number: int) -> str:
    return f"ses_shown_{number}"


def _analyst() -> RoleDefinition:
    return RoleDefinition(ANALYST, "Asks the orders' database", "per_0", (), (READS,))


def _service(name: str, owner: str) -> PersonAdded:
    return PersonAdded(
        name.replace("svc-", "per_svc_"), PersonKind.SERVICE, "the founding", None, owner, None, None, name
    )


def _database() -> ResourceSet:
    return ResourceSet(
        resource=DATABASE,
        kind=ResourceKind.POSTGRES,
        labels={"env": "prod", "tier": "orders", "region": "eu-1"},
        owner="per_0",
        logins=("reporting",),
        pins=(f"sha256:{'ab' * 32}",),
        port=5432,
        change=CHANGE,
        by=None,
        address="10.1.0.1",
        mask=Mask(columns=("customers.iban",)),
    )


def _refused(number: int, code: str, resource: str | None, login: str, now: Instant) -> list[object]:
    person, asked = (None, "old-server") if resource is None else (person_id(number + 9), resource)
    entry, source = EntryPoint.SSH_CERTIFICATE, "192.0.2.99"
    return [SessionRefused(f"ses_refused_{number}", person, resource, entry, code, login, asked, source)]


def _probe(number: int, person: str, result: ProbeResult, node: str) -> ProbeMade:
    code = "person.disabled" if result is ProbeResult.REFUSED else ""
    of = (ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.LEAVER, "", "", "", "")
    return ProbeMade(f"prb_shown_{number}", person, *of, result, code, node)


def _statements() -> Iterator[frames.Frame]:
    for number, (text, outcome, count, said) in enumerate(ASKED, 1):
        at = number * 20 * SECOND
        yield StatementText(at, number, text)
        yield Executed(at + 1, number, number, Form.SIMPLE)
        yield Finished(at + 12_300, number, outcome, b"I", count, 40 * count, said)


def _terminal() -> Sequence[frames.Frame]:
    stdout = frames.Stream.STDOUT
    return (
        frames.ChannelOpened(SECOND, 0, "pty", "", "xterm", 100, 30),
        frames.Output(2 * SECOND, 0, stdout, b"$ systemctl status app\r\n"),
        frames.Output(3 * SECOND, 0, stdout, b"\x1b[32mactive (running)\x1b[0m since Monday\r\n$ "),
        frames.ChannelClosed(60 * SECOND, 0, 0),
        frames.ChannelOpened(70 * SECOND, 1, "sftp"),
        frames.FileOperation(71 * SECOND, 1, 1, "open", "/etc/app/app.conf", "asked", detail="write create"),
        frames.FileOperation(72 * SECOND, 1, 1, "write", "/etc/app/app.conf", "ok", size=1_204, sha256="a" * 64),
        frames.ChannelClosed(80 * SECOND, 1, 0),
    )
