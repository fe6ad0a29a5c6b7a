"""The proof of the second factor at the door: every entry point x every basis x every kind of access, and each rule.

The tables stand here in full, so that a basis or an entry point that is new fails until it has its line.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.sessions.confirm import give_confirmation
from onepam.app.sessions.issue_token import issue_token
from onepam.domain.access.authority import Actor
from onepam.domain.access.model import Action, MfaRule, Mode, Permission, ResourceKind
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationGiven, EntryPoint, SessionOpened
from onepam.domain.signing_in.events import FactorKind, SteppedUp
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.store.facts.holdings import mfa_proof
from tests.app.test_open_session import history
from tests.company import Company, binding, database_set, record, refused, resource_set, role_set

pytestmark = pytest.mark.anyio

CERTIFICATE, CONFIRMED, MACHINE = (
    EntryPoint.SSH_CERTIFICATE, EntryPoint.SSH_KEY_CONFIRMED, EntryPoint.SSH_SERVICE_KEY,
)  # fmt: skip
TOKEN, OF_DATABASES = EntryPoint.POSTGRES_TOKEN, EntryPoint.POSTGRES_CERTIFICATE
MYSQL = EntryPoint.MYSQL_TOKEN
KINDS = {
    "ordinary": ({"app": "ordinary"}, None, False),
    "privileged": ({"app": "privileged", "env": "prod"}, None, False),
    "administrative": ({"app": "administrative"}, None, True),
    "resistant": ({"app": "resistant"}, MfaRule(phishing_resistant=True), False),
    "fresh": ({"app": "fresh"}, MfaRule(fresh=True), False),
    "both": ({"app": "both"}, MfaRule(phishing_resistant=True, fresh=True), False),
    "young": ({"app": "young"}, MfaRule(max_age=HOUR), False),
}
"""A resource of each kind: its labels, its rule, and whether the permission on it is administrative."""

OPENS = "ordinary privileged administrative resistant fresh both young"
TABLE = {
    (CERTIFICATE, MfaBasis.OWN): OPENS,
    (CERTIFICATE, MfaBasis.STEPPED_UP): OPENS,
    (CERTIFICATE, MfaBasis.ATTESTED): OPENS,
    (CERTIFICATE, MfaBasis.DECLARED): "ordinary privileged young",
    (CERTIFICATE, MfaBasis.ACCEPTED): "ordinary young",
    **{(entry, basis): OPENS for entry in (TOKEN, OF_DATABASES, MYSQL)
       for basis in (MfaBasis.OWN, MfaBasis.STEPPED_UP, MfaBasis.ATTESTED)},
    **{(entry, MfaBasis.DECLARED): "ordinary privileged young" for entry in (TOKEN, OF_DATABASES, MYSQL)},
    **{(entry, MfaBasis.ACCEPTED): "ordinary young" for entry in (TOKEN, OF_DATABASES, MYSQL)},
    (CONFIRMED, MfaBasis.OWN): "ordinary privileged administrative fresh young",
    (CONFIRMED, MfaBasis.STEPPED_UP): "ordinary privileged administrative fresh young",
    (CONFIRMED, MfaBasis.ATTESTED): "ordinary privileged administrative fresh young",
    (CONFIRMED, MfaBasis.DECLARED): "ordinary privileged young",
    (CONFIRMED, MfaBasis.ACCEPTED): "ordinary young",
}  # fmt: skip
"""What each proof opens, a passkey shown a minute ago behind it. A service account shows none, and is no person:
tests/app/test_service_keys.py."""


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    permissions = [
        Permission(
            name, (Action.SHELL, Action.QUERY), {"app": name}, ("app",), Mode.STANDING, 8 * HOUR, (), administrative
        )
        for name, (_, _, administrative) in KINDS.items()
    ]
    await record(
        company.ledger,
        role_set("everything", permissions),
        binding("eve", "everything"),
        *(replace(resource_set(name, labels), mfa=rule) for name, (labels, rule, _) in KINDS.items()),
        *(replace(database_set(f"{name}-db", labels), mfa=rule) for name, (labels, rule, _) in KINDS.items()),
        *(
            replace(database_set(f"{name}-my", labels, ResourceKind.MYSQL), mfa=rule)
            for name, (labels, rule, _) in KINDS.items()
        ),
    )
    yield company
    company.close()


async def signed_in(company: Company, basis: MfaBasis = MfaBasis.OWN, *, passkey: bool = True) -> None:
    """Eve signs in now, on this basis."""
    provider = "" if basis is MfaBasis.OWN else "idp_1"
    event = replace(company.signed_in("eve"), basis=basis, provider=provider, phishing_resistant=passkey)
    await record(company.ledger, event)


def knock(company: Company, resource: str, **proof: str) -> Knock:
    entry = CONFIRMED if proof.keys() == {"confirmation"} else CERTIFICATE
    return Knock(company.new("ses"), entry, "eve", resource, "app", "node-1", "192.0.2.1", "OpenSSH", **proof)


async def by_certificate(company: Company, resource: str, **proof: str) -> Opened | Challenge | Refused:
    return await open_session(company.ledger, knock(company, resource, sign_in="sgn_eve", **proof))


async def asked(company: Company, resource: str) -> str:
    """A terminal of eve's waits for her."""
    name, now = company.new("cnf"), company.clock()
    await record(
        company.ledger, ConfirmationAsked(name, "eve", resource, "app", Instant(now + 2 * MINUTE), "c0de", "192.0.2.1")
    )
    return name


async def confirmed(company: Company, resource: str) -> str:
    """Eve has confirmed by the factor of her sign-in: whatever the page lets through, the door looks again."""
    name = await asked(company, resource)
    proof, _ = await company.reader(lambda db, at: mfa_proof(db, "eve", "sgn_eve", at), None)
    assert proof is not None
    await record(company.ledger, ConfirmationGiven(name, "eve", proof))
    return name


async def by_key(company: Company, resource: str) -> Opened | Challenge | Refused:
    first = await open_session(company.ledger, replace(knock(company, resource), entry=CONFIRMED))
    assert isinstance(first, Challenge) is (resource not in ("resistant", "both"))
    given = await confirmed(company, resource)
    return await open_session(company.ledger, knock(company, resource, confirmation=given))


async def by_token(company: Company, kind: str, entry: EntryPoint = TOKEN) -> Opened | Challenge | Refused:
    """A token of eve's, got a moment ago under the same sign-in."""
    token, eve, resource = company.new("tok"), company.actor("eve"), f"{kind}-{'my' if entry is MYSQL else 'db'}"
    issued = await issue_token(company.ledger, eve, token, resource, "app", token.encode().hex())
    if isinstance(issued, Refused):
        return issued
    asked = replace(knock(company, resource, sign_in="sgn_eve"), entry=entry, token=token)
    return await open_session(company.ledger, asked)


async def by_token_of_mysql(company: Company, kind: str) -> Opened | Challenge | Refused:
    return await by_token(company, kind, MYSQL)


async def by_certificate_of_databases(company: Company, kind: str) -> Opened | Challenge | Refused:
    asked = replace(knock(company, f"{kind}-db", sign_in="sgn_eve"), entry=OF_DATABASES)
    return await open_session(company.ledger, asked)


ENTRIES: dict[EntryPoint, Callable[[Company, str], Awaitable[Opened | Challenge | Refused]]] = {
    CERTIFICATE: by_certificate,
    CONFIRMED: by_key,
    TOKEN: by_token,
    MYSQL: by_token_of_mysql,
    OF_DATABASES: by_certificate_of_databases,
}


def test_every_entry_point_and_basis_is_in_the_table() -> None:
    assert {entry for entry, _ in TABLE} | {MACHINE} == set(EntryPoint)
    assert TABLE.keys() == {(entry, basis) for entry in ENTRIES for basis in MfaBasis}


@pytest.mark.parametrize(("entry", "basis"), TABLE)
async def test_what_a_proof_opens(company: Company, entry: EntryPoint, basis: MfaBasis) -> None:
    opened = []
    for kind in KINDS:
        await signed_in(company, basis)
        company.clock.advance(MINUTE)
        if isinstance(await ENTRIES[entry](company, kind), Opened):
            opened.append(kind)
    assert opened == TABLE[entry, basis].split()
    for event in history(company, SessionOpened):
        assert isinstance(event, SessionOpened)
        provider = "" if basis is MfaBasis.OWN else "idp_1"
        assert (event.mfa.basis, event.mfa.provider, event.mfa.phishing_resistant) == (basis, provider, True)


async def test_a_resistant_resource_takes_no_other_factor(company: Company) -> None:
    for basis in MfaBasis:
        await signed_in(company, basis, passkey=False)
        refused(await by_certificate(company, "resistant"), "mfa.phishing_resistant")
    await signed_in(company, MfaBasis.ATTESTED, passkey=False)
    now = company.clock()
    await record(company.ledger, SteppedUp("sgn_eve", "eve", FactorKind.PASSKEY, now, MfaBasis.STEPPED_UP, True))
    opened = await by_certificate(company, "resistant")
    assert isinstance(opened, Opened)
    (event,) = history(company, SessionOpened)
    assert isinstance(event, SessionOpened)
    assert event.mfa == MfaProof("sgn_eve", ("password", "totp", "passkey"), now, MfaBasis.STEPPED_UP, "idp_1", True)


async def test_a_registered_key_is_told_at_once_that_no_confirmation_would_do(company: Company) -> None:
    for kind in ("resistant", "both"):
        answer = await open_session(company.ledger, replace(knock(company, kind), entry=CONFIRMED))
        refused(answer, "mfa.phishing_resistant")


async def test_a_factor_older_than_the_resource_takes(company: Company) -> None:
    await signed_in(company)
    company.clock.advance(HOUR)
    refused(await by_certificate(company, "young"), "sign_in.stale")
    assert isinstance(await by_certificate(company, "ordinary"), Opened)


async def test_a_fresh_factor_serves_one_session_and_then_the_terminal_asks(company: Company) -> None:
    await signed_in(company)
    assert isinstance(await by_certificate(company, "fresh"), Opened)
    assert isinstance(await by_certificate(company, "fresh"), Challenge)
    given = await confirmed(company, "fresh")
    refused(await by_certificate(company, "fresh", confirmation=given), "mfa.fresh")  # the same factor again
    await signed_in(company)
    given = await confirmed(company, "fresh")
    assert isinstance(await by_certificate(company, "fresh", confirmation=given), Opened)


async def test_a_factor_that_served_elsewhere_or_is_old_is_not_fresh(company: Company) -> None:
    await signed_in(company)
    assert isinstance(await by_certificate(company, "ordinary"), Opened)
    assert isinstance(await by_certificate(company, "fresh"), Challenge)
    refused(await by_certificate(company, "both"), "mfa.fresh")  # it takes no confirmation, so it says so
    assert isinstance(await by_certificate(company, "ordinary"), Opened)
    await signed_in(company)
    company.clock.advance(5 * MINUTE)
    assert isinstance(await by_certificate(company, "fresh"), Challenge)


async def test_another_sign_in_under_the_same_factor_is_no_other_factor(company: Company) -> None:
    """Two command lines of one console session share what was shown there."""
    console = replace(company.signed_in("eve"), phishing_resistant=True)
    await record(company.ledger, console, replace(console, session="sgn_cli", parent="sgn_eve", token_digest="other"))
    assert isinstance(await by_certificate(company, "fresh"), Opened)
    second = replace(knock(company, "fresh", sign_in="sgn_cli"), entry=CERTIFICATE)
    assert isinstance(await open_session(company.ledger, second), Challenge)


async def test_the_page_asks_for_a_factor_that_served_nobody(company: Company) -> None:
    await signed_in(company)
    actor = Actor("eve", "sgn_eve", "192.0.2.1")
    assert await give_confirmation(company.ledger, actor, await asked(company, "fresh"), "c0de") is None
    assert isinstance(await by_certificate(company, "ordinary"), Opened)
    waiting = await asked(company, "fresh")
    refused(await give_confirmation(company.ledger, actor, waiting, "c0de"), "confirmation.stale_factor")
    assert await give_confirmation(company.ledger, actor, await asked(company, "ordinary"), "c0de") is None
    await record(company.ledger, SteppedUp("sgn_eve", "eve", FactorKind.TOTP, company.clock(), MfaBasis.OWN))
    assert await give_confirmation(company.ledger, actor, waiting, "c0de") is None
    assert isinstance(await by_certificate(company, "fresh", confirmation=waiting), Opened)


async def test_a_confirmation_does_not_outlive_the_certificates_sign_in(company: Company) -> None:
    await signed_in(company)
    given = await confirmed(company, "fresh")
    nobody = knock(company, "fresh", sign_in="sgn_none", confirmation=given)
    refused(await open_session(company.ledger, nobody), "sign_in.ended")


async def test_a_rule_binds_from_the_moment_it_is_set_and_ends_no_session(company: Company) -> None:
    await signed_in(company, passkey=False)
    assert isinstance(await by_certificate(company, "ordinary"), Opened)
    await record(
        company.ledger, replace(resource_set("ordinary", {"app": "ordinary"}), mfa=MfaRule(phishing_resistant=True))
    )
    refused(await by_certificate(company, "ordinary"), "mfa.phishing_resistant")
    company.clock.advance(SECOND)
    assert len(history(company, SessionOpened)) == 1
