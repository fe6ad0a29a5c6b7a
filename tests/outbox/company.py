"""A company whose outbox tells real receivers, at times that the test passes in."""

import base64
import json
import secrets
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.node import hold
from onepam.boot.receivers import receivers_of
from onepam.domain.access.events import BindingAdded, RoleSet
from onepam.domain.access.model import ConsoleRight, SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.egress.outbox.deliver import Deliverer
from onepam.jobs.outbox import Outbox
from onepam.kernel.clock import SECOND, Instant
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from tests.boot.test_web import certificate
from tests.outbox.receivers import PASSWORD
from tests.targets import free_port

E = TypeVar("E")


@dataclass(frozen=True)
class Place:
    """Where everything is: the data, the configuration, the ports of the receivers, and their certificate."""

    config: Config
    mail: int
    hook: int
    syslog: int
    tls: tuple[Path, Path]
    secret: str


def place(folder: Path, *, mail: str = "smtp://onepam@localhost", **settings: Any) -> Place:
    """A configuration with all three channels."""
    folder.mkdir(exist_ok=True)
    tls = certificate(folder)
    ports = free_port(), free_port(), free_port()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    for name, content in (("hook.secret", secret), ("mail.password", PASSWORD)):
        (folder / name).write_text(content + "\n")
        (folder / name).chmod(0o600)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    config = Config(
        data, origin="ledger.test", console_url="https://pam.example.com",
        mail_server=f"{mail}:{ports[0]}", mail_from="onepam@example.com",
        mail_password_file=str(folder / "mail.password") if "@" in mail else "",
        webhooks=(f"siem https://localhost:{ports[1]}/in {folder / 'hook.secret'}",),
        syslog=(f"logs localhost:{ports[2]}",), notice_ca=str(tls[0]), **settings,
    )  # fmt: skip
    return Place(config, *ports, tls, secret)


class Company:
    """The ledger and its outbox in this process; `now` is the ledger's time. Receivers have their own, the real one."""

    def __init__(self, config: Config, now: Instant) -> None:
        self.now = now
        self.config = config
        database = config.data / "ledger.db"
        self._database = database
        self.ledger = SqliteLedger(
            database, NodeAuthor.uncertified("nod_test"), self._clock, secrets.token_bytes, self._clock
        )
        self.reader = SqliteReader(database, self._clock)
        self.receivers = receivers_of(config, frozenset())
        lock = config.data / "outbox.lock"
        self.outbox = Outbox(
            lambda: hold(lock, create=True), self.receivers, config.url, config.origin,
            self.ledger, self.reader, self._clock,
        )  # fmt: skip
        self._deliverer: Deliverer | None = None
        self._after = 0

    def _clock(self) -> Instant:
        return self.now

    async def begin(self) -> None:
        """The receivers are set; ada and max administer, eve does not."""
        await self.outbox.begin()
        role = RoleSet("administrator", "v1", "Administer", "ada", (), (ConsoleRight.ADMINISTER,), "founding", None)
        await self.record(
            *map(_person, ("ada", "max", "eve")),
            role,
            *(
                BindingAdded(f"bnd_{each}", "administrator", SubjectKind.PERSON, each, None, "x", "x", "founding", None)
                for each in ("ada", "max")
            ),
        )  # fmt: skip

    async def record(self, *events: object) -> None:
        await self.ledger.commit(NoFacts(), lambda facts, now: Decided(events, None))

    async def tell(self, after: int = 6 * SECOND) -> None:
        """One round, `after` microseconds from now."""
        self.now = Instant(self.now + after)
        deliverer = self._deliverer = self._deliverer or await self.outbox.deliverer()
        self._after = await self.outbox.follow(deliverer, self._after)
        await deliverer.round(self.now, wall_clock())

    def written(self, kind: type[E]) -> list[E]:
        """The entries of one kind."""
        db = connect(self._database, read_only=True)
        try:
            found = [each.event for each in entries(db, 0, 1 << 30)]
        finally:
            db.close()
        return [each for each in found if isinstance(each, kind)]

    async def close(self) -> None:
        for fetch in self.receivers.fetches:
            await fetch.aclose()
        self.reader.close()
        self.ledger.close()


def _person(name: str) -> PersonAdded:
    return PersonAdded(
        name, PersonKind.EMPLOYEE, "hired", None, None, None, name=name.title(), email=f"{name}@example.com"
    )


def toml(config: Config) -> str:
    """The configuration as its file."""
    found = {each.name: getattr(config, each.name) for each in fields(Config) if each.name != "data"}
    changed = {name: value for name, value in found.items() if value != getattr(Config(config.data), name)}
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in changed.items())
