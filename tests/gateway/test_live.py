"""Live sessions against the real ledger: whatever the order of opening and revoking, nothing stays open afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from onepam.app.open_session import Knock, Opened, open_session
from onepam.domain.access.decision import AccessFacts
from onepam.domain.access.events import BindingAdded, BindingEnded, ResourceRemoved, RoleRemoved
from onepam.domain.access.model import Action, Mode, Permission, SubjectKind
from onepam.domain.history.commit import Placed
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.people.events import (
    GroupMemberAdded,
    GroupMemberRemoved,
    PersonChanged,
    PersonDisabled,
    PersonEnabled,
)
from onepam.domain.requests.events import GrantEnded
from onepam.domain.reviews.events import RoleWithheld, Withheld
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.signing_in.events import FactorRemoved, SignedOut
from onepam.gateway import live as module
from onepam.gateway.live import Live
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.store.read.access import access
from tests.company import DEV, PROD, Company, binding, record, resource_set, role_set
from tests.gateway.test_live_tail import no_access

pytestmark = pytest.mark.anyio

T = TypeVar("T")

TRIES = 1_000


@dataclass
class Client:
    """What a session's connection would be: it is told to end, once for every reason there is."""

    session: str
    ends: list[str] = field(default_factory=list)
    permit: Opened | None = None

    @property
    def over(self) -> bool:
        return bool(self.ends)


class Gateway:
    """The door and the live sessions of one process, without a wire."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.live = Live(company.ledger, self._access, company.ledger.time, company.ledger.seconds_until)
        self.questions: list[int] = []
        self._count = 0

    async def _access(self, asked: Sequence[tuple[str, str]]) -> list[AccessFacts]:
        self.questions.append(len(asked))
        return await self.company.reader(access, None, asked)

    async def open(self, person: str, resource: str = "dev-1", login: str = "app") -> Client:
        """As `PersonDoor` does it: registered first, then asked, then timed."""
        self._count += 1
        client = Client(f"ses_{self._count:06}")
        live = self.live.register(client.session, person, resource, client.ends.append)
        answer = await open_session(self.company.ledger, self.knock(client.session, person, resource, login))
        if isinstance(answer, Opened):
            client.permit = answer
            self.live.opened(live, answer)
        else:
            self.live.unregister(client.session)
        return client

    def knock(self, session: str, person: str, resource: str, login: str) -> Knock:
        entry = EntryPoint.SSH_CERTIFICATE
        return Knock(session, entry, person, resource, login, "node-1", "192.0.2.1", "test", f"sgn_{person}")

    async def caught_up(self) -> None:
        """Until everything committed so far has been followed and checked."""
        marker = f"ses_marker{self._count}"
        seen: list[str] = []
        self.live.register(marker, "marker", "marker", seen.append)
        await record(
            self.company.ledger, ResourceRemoved("marker", "chg_9", None), PersonDisabled("marker", "ada", "x")
        )
        async with asyncio.timeout(10):
            while not seen or self.live._checks:  # noqa: ASYNC110 - nobody else knows
                await asyncio.sleep(0.001)
        self.live.unregister(marker)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    company = await Company.create(tmp_path)
    gateway = Gateway(company)
    following = asyncio.get_running_loop().create_task(gateway.live.follow(company.ledger.size()))
    yield gateway
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    company.close()


REVOCATIONS: list[tuple[Callable[[], tuple[object, ...]], Callable[[], tuple[object, ...]]]] = [
    (
        lambda: (PersonDisabled("eve", "ada", "left"),),
        lambda: (PersonEnabled("eve", "ada", "back"),),
    ),
    (
        lambda: (BindingEnded("bnd_eve_engineer", "left", "chg_2", None),),
        lambda: (BindingAdded("bnd_eve_engineer", "engineer", SubjectKind.PERSON, "eve", None, "f", "b", "c", None),),
    ),
    (lambda: (role_set("engineer", ()),), lambda: (role_set("engineer", (DEV,)),)),
    (lambda: (RoleRemoved("engineer", "chg_2", None),), lambda: (role_set("engineer", (DEV,)),)),
    (
        lambda: (ResourceRemoved("dev-1", "chg_2", None),),
        lambda: (resource_set("dev-1", {"env": "dev", "app": "web"}),),
    ),
    (
        lambda: (PersonChanged("eve", "ada", None, None, Instant(1), "Eve Example", "eve@example.com"),),
        lambda: (PersonChanged("eve", "ada", None, None, None, "Eve Example", "eve@example.com"),),
    ),
]


async def test_nothing_stays_open_after_a_revocations_commit(gateway: Gateway) -> None:
    """1,000 tries: several openings race with one revocation, each begun at another moment. Whoever got a permit before
    the commit is ended; whoever asks after it gets none."""
    random, ledger = Random(7), gateway.company.ledger
    opened_before = refused = 0
    for number in range(TRIES // 4):
        take, give_back = REVOCATIONS[number % len(REVOCATIONS)]

        openings = [_later(random.randrange(12), gateway.open("eve")) for _ in range(4)]
        revoking = asyncio.ensure_future(_later(random.randrange(12), record(ledger, *take())))
        clients = await asyncio.gather(*openings)
        await revoking
        after = await gateway.open("eve")
        assert after.permit is None
        await gateway.caught_up()
        for client in clients:
            opened_before += client.permit is not None
            refused += client.permit is None
            assert client.permit is None or client.over
            gateway.live.unregister(client.session)
        await record(ledger, *give_back())
    assert opened_before > TRIES // 20, "the race was never on"
    assert refused > TRIES // 20, "the race was never on"


async def _later(turns: int, work: Coroutine[Any, Any, T]) -> T:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await work


@pytest.mark.claim(
    "Losing access ends the running session, not only the next one",
    altered="the end of a membership touched no live session",
)
@pytest.mark.parametrize("source", ["scim:okta", "access.yaml"])
async def test_who_leaves_the_group_loses_the_session(gateway: Gateway, source: str) -> None:
    """What a group gave, nothing else: aud holds the engineer's role by it only."""
    ledger = gateway.company.ledger
    await record(
        ledger,
        BindingAdded("bnd_ops", "engineer", SubjectKind.GROUP, "directory:Ops", None, "f", "b", "c", None),
        GroupMemberAdded("directory:Ops", "aud", source, None),
        GroupMemberAdded("directory:Ops", "eve", source, None),
    )
    client, other = await gateway.open("aud"), await gateway.open("eve")
    assert client.permit is not None
    await record(
        ledger,
        GroupMemberRemoved("directory:Ops", "aud", source, None),
        GroupMemberRemoved("directory:Ops", "eve", source, None),
    )
    await gateway.caught_up()
    assert client.over
    assert not other.over, "eve has the role by her own binding, too"


async def test_what_a_review_removes_ends_the_live_sessions_by_it(gateway: Gateway) -> None:
    client = await gateway.open("eve")
    await record(gateway.company.ledger, RoleWithheld("eve", "engineer", "rev_1", Withheld.REMOVED, "ada"))
    await gateway.caught_up()
    assert client.over
    assert (await gateway.open("eve")).permit is None


async def test_whoever_a_directory_ends_loses_the_session_though_the_account_is_held(gateway: Gateway) -> None:
    client = await gateway.open("eve")
    held = DirectoryPersonHeld("hld_1", "eve", "scim:okta", HoldReason.MANY, "deactivated", None, None, None)
    await record(gateway.company.ledger, held)
    await gateway.caught_up()
    assert client.ends == ["person.held"]
    assert (await gateway.open("eve")).permit is None


async def test_what_concerns_others_ends_nothing(gateway: Gateway) -> None:
    company = gateway.company
    client = await gateway.open("eve")
    await record(
        company.ledger,
        PersonDisabled("vic", "ada", "left"),
        BindingEnded("bnd_vic_vendor", "left", "chg_2", None),
        ResourceRemoved("web-2", "chg_2", None),
        role_set("vendor", ()),
    )
    await gateway.caught_up()
    assert client.permit is not None
    assert not client.over
    assert len(gateway.live) == 1


@pytest.mark.parametrize(
    ("address", "port", "ends"),
    [
        ("dev-1.example.com", 2222, ["resource.moved"]),
        ("dev-2.example.com", 22, ["resource.moved"]),
        ("dev-1.example.com", 22, []),
    ],
)
async def test_a_target_that_moved_is_another_one(gateway: Gateway, address: str, port: int, ends: list[str]) -> None:
    client = await gateway.open("eve")
    said = replace(resource_set("dev-1", {"env": "dev", "app": "new"}), address=address, port=port)
    await record(gateway.company.ledger, said)
    await gateway.caught_up()
    assert client.ends == ends


async def test_a_grant_that_ends_between_the_opening_and_its_permit_ends_the_session(gateway: Gateway) -> None:
    company = gateway.company
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    client = Client("ses_between")
    live = gateway.live.register(client.session, "eve", "web-1", client.ends.append)
    permit = await open_session(company.ledger, gateway.knock(client.session, "eve", "web-1", "app"))
    assert isinstance(permit, Opened)
    await record(company.ledger, GrantEnded(granted.grant, "req_x", "holder", "eve"))
    await gateway.caught_up()
    gateway.live.opened(live, permit)
    await gateway.caught_up()
    assert client.ends == ["access.needs_approval"]


async def test_a_wider_role_of_another_kind_ends_nothing(gateway: Gateway) -> None:
    """Another permission that lasts longer and allows less does not take away what the session rests on."""
    client = await gateway.open("eve")
    wider = replace(DEV, name="longer", actions=(Action.SHELL,), longest=10 * HOUR)
    await record(gateway.company.ledger, role_set("engineer", (DEV, wider)))
    await gateway.caught_up()
    assert not client.over


@pytest.mark.claim(
    "Losing access ends the running session, not only the next one: kill, expiry",
    altered="a session that opened had no timer",
)
async def test_the_end_comes_though_nobody_says_so(tmp_path: Path) -> None:
    """The timer is the loop's own: nobody follows the ledger, and the session still ends at its end."""
    company = await Company.create(tmp_path)
    await record(company.ledger, role_set("engineer", (replace(DEV, longest=SECOND // 5),)))
    client = await Gateway(company).open("eve")
    assert client.permit is not None
    async with asyncio.timeout(30):
        while not client.over:  # noqa: ASYNC110 - the test's own list
            await asyncio.sleep(0.01)
    assert client.ends == ["expired"]
    company.close()


async def test_access_that_cannot_be_checked_is_no_access(gateway: Gateway) -> None:
    client = await gateway.open("eve")
    gateway.live._access = no_access
    await record(gateway.company.ledger, role_set("vendor", ()))
    await gateway.caught_up()
    assert client.ends == ["ledger.unavailable"]


async def test_a_thousand_sessions_are_looked_at_again_in_a_few_questions(gateway: Gateway) -> None:
    """A mover: what the new role does not have ends, of all sessions, and the rest goes on; a person's many sessions
    on one resource are one question."""
    company = gateway.company
    await record(company.ledger, *(resource_set(f"dev-{number}", {"env": "dev"}) for number in range(2, 6)))
    clients = [await gateway.open("eve", f"dev-{number % 4 + 2}") for number in range(1_000)]
    assert all(client.permit for client in clients)
    await gateway.caught_up()
    gateway.questions.clear()
    await record(company.ledger, resource_set("dev-5", {"env": "other"}), role_set("engineer", (DEV,)))
    await gateway.caught_up()
    assert {number % 4 + 2 for number, client in enumerate(clients) if client.over} == {5}
    assert sum(client.over for client in clients) == 250
    assert len(gateway.questions) < 20
    assert max(gateway.questions) <= module.ASKED_AT_ONCE


@pytest.mark.parametrize(
    ("because", "over"),
    [("provider.logout", True), ("session.revoked", True), ("factors.replaced", True), ("own", False)],
)
async def test_a_revoked_sign_in_ends_the_sessions_opened_under_it(gateway: Gateway, because: str, over: bool) -> None:
    mine = await gateway.open("eve")
    await record(gateway.company.ledger, SignedOut("sgn_vic", "vic", because, None))
    await gateway.caught_up()
    assert not mine.over
    await record(gateway.company.ledger, SignedOut("sgn_eve", "eve", because, None))
    await gateway.caught_up()
    assert mine.ends == ([because] if over else [])


@pytest.mark.parametrize(("because", "ends"), [("replaced", ["factors.replaced"]), ("renewed", []), ("removed", [])])
async def test_replaced_factors_end_every_session_of_the_person(
    gateway: Gateway, because: str, ends: list[str]
) -> None:
    """Whoever stole the factors may have signed out of the console since, and works on at a target."""
    mine, others = await gateway.open("eve"), await gateway.open("sam")
    await record(gateway.company.ledger, FactorRemoved("fac_1", "eve", because, "eve"))
    await gateway.caught_up()
    assert (mine.ends, others.ends) == (ends, [])


async def test_an_opening_that_rests_on_a_revoked_sign_in_ends(gateway: Gateway) -> None:
    """A confirmation that was given before the revocation, and used after it."""
    gateway.live.apply([Placed(1, Instant(1), SignedOut("sgn_eve", "eve", "provider.logout", None))])
    client = await gateway.open("eve")
    await gateway.caught_up()
    assert client.ends == ["session.revoked"]
    assert len(gateway.live._revoked) == 1


async def test_a_grant_that_adds_to_what_stands_ends_the_session_with_it(gateway: Gateway) -> None:
    """The permit is of both ways in, and one of them goes: what is left of it is for another connection."""
    company = gateway.company
    files = Permission("files", (Action.SFTP,), {"env": "prod"}, ("app",), Mode.STANDING, 8 * HOUR)
    shell = replace(PROD, actions=(Action.SHELL,))
    await record(company.ledger, role_set("engineer", (shell,)), role_set("files", (files,)), binding("eve", "files"))
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    client = await gateway.open("eve", "web-1")
    assert client.permit is not None
    assert client.permit.actions == (Action.SHELL, Action.SFTP)
    assert client.permit.ends == granted.ends
    await record(company.ledger, GrantEnded(granted.grant, "req_x", "holder", "eve"))
    await gateway.caught_up()
    assert client.ends == ["access.narrowed"]
    again = await gateway.open("eve", "web-1")
    assert again.permit is not None
    assert again.permit.actions == (Action.SFTP,)
