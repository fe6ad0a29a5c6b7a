"""Signing in through a provider on the real ledger: what is kept of whom, and what erasing leaves."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.leaving.decide_hold import decide_holds
from onepam.app.people.disable_person import disable_person
from onepam.app.providers.federated_sign_in import sign_in_by_provider, sign_out_by_provider
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.model import SubjectKind
from onepam.domain.history.system import PayloadsErased
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.providers.assertion import Assertion, ProviderKind
from onepam.domain.providers.entering import NOBODY, Entering, SignedInto, subject_digest
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.providers.logout import USED
from onepam.domain.provisioning.events import ScimTokenApproved, ScimTokenEnded, ScimTokenProposed, ScimUserSet
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.gate import Visitor
from onepam.kernel.clock import DAY, FOREVER, Instant
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.engine.rebuild import compare
from onepam.store.read.directory_brake import held_people
from tests.company import START, Company, binding, record

pytestmark = pytest.mark.anyio

RULE = ProviderRule(attests=("mfa",), domains=("example.com",))
OKTA = ProviderSet("chg_1", "idp_1", ProviderKind.OIDC, "Okta", "{}", RULE, "ada", "bob")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await record(company.ledger, OKTA)
    yield company
    company.close()
    assert compare(company.path) == []


def said(company: Company, unique: str, email: str | None = "eve@example.com") -> Assertion:
    """A message about eve, whose subject is her address, as some providers have it."""
    return Assertion("idp_1", "eve@example.com", "eve", email, "Eve", None, ("mfa",), "", company.clock.now, unique)


def entering(number: int) -> Entering:
    return Entering(
        f"per_{number}", f"idn_{number}", f"enr_{number}", "", f"{number:0>64}", Visitor("192.0.2.1"), "browser"
    )


def in_bodies(company: Company, text: str) -> int:
    with closing(connect(company.path)) as db:
        return len(rows(db, "SELECT 1 FROM entry WHERE instr(body, ?)", (text.encode(),)))


async def test_an_erased_subject_is_unknown_again(company: Company) -> None:
    first = await sign_in_by_provider(company.ledger, said(company, "n1"), entering(1))
    assert isinstance(first, SignedInto)
    digest = subject_digest("idp_1", "eve@example.com")
    assert in_bodies(company, digest) == 0, "a digest of an address is as good as the address"
    known = await sign_in_by_provider(company.ledger, said(company, "n2", None), entering(2))
    assert isinstance(known, SignedInto)
    with closing(connect(company.path)) as db:
        indexes = tuple(each[0] for each in rows(db, "SELECT idx FROM payload WHERE person = 'eve' ORDER BY idx"))
    await record(company.ledger, PayloadsErased("ers_1", "eve", indexes, naming=False))
    with closing(connect(company.path)) as db:
        kept = rows(db, "SELECT provider, subject_digest, subject, user_name FROM identity WHERE person = 'eve'")
        assert [tuple(each) for each in kept] == [("idp_1", None, None, None)]
    assert await sign_in_by_provider(company.ledger, said(company, "n3", None), entering(3)) == NOBODY


async def test_a_logout_serves_once_whichever_node_it_comes_to(company: Company) -> None:
    """The ledger remembers it: not a process, which another one does not know of."""
    first = await sign_in_by_provider(company.ledger, said(company, "n1"), entering(1))
    assert isinstance(first, SignedInto)
    assert await sign_out_by_provider(company.ledger, "idp_1", "jti-1", (first.session,)) == 1
    again = await sign_in_by_provider(company.ledger, said(company, "n2"), entering(2))
    assert isinstance(again, SignedInto)
    assert await sign_out_by_provider(company.ledger, "idp_1", "jti-1", (again.session,)) == USED
    with closing(connect(company.path)) as db:
        open_now = rows(db, f"SELECT session FROM sign_in WHERE person = 'eve' AND valid_until = {FOREVER}")
    assert again.session in {each[0] for each in open_now}
    await record(company.ledger, replace(OKTA, change="chg_2", provider="idp_2", name="Other"))
    assert await sign_out_by_provider(company.ledger, "idp_2", "jti-1", ()) == 0, "another provider's id"
    assert await sign_out_by_provider(company.ledger, "idp_1", "jti-2", (again.session,)) == 1


async def test_a_leaver_does_not_come_back_as_somebody_new(company: Company) -> None:
    await record(company.ledger, replace(OKTA, rule=replace(RULE, joins=True)))
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert await sign_in_by_provider(company.ledger, said(company, "n1"), entering(1)) == NOBODY
    stranger = replace(said(company, "n2", "new@example.com"), subject="new@example.com")
    assert isinstance(await sign_in_by_provider(company.ledger, stranger, entering(2)), SignedInto)


TOKEN = ScimTokenProposed("tok_1", "idp_1", "feed", (), "", Instant(START + 365 * DAY), "ada", "d" * 64)
USER = ScimUserSet("usr_1", "idp_1", "vic", True, 1, "", "tok_1", "vic", None, "{}")


@pytest.mark.parametrize(
    ("told", "days", "fed"),
    [
        ((), 0, False),
        ((TOKEN,), 0, False),
        ((replace(TOKEN, provider="idp_2"), ScimTokenApproved("tok_1", "idp_2", "bob")), 0, False),
        ((TOKEN, ScimTokenApproved("tok_1", "idp_1", "bob")), 0, True),
        ((TOKEN, ScimTokenApproved("tok_1", "idp_1", "bob"), ScimTokenEnded("tok_1", "idp_1", "", "bob")), 29, True),
        ((TOKEN, ScimTokenApproved("tok_1", "idp_1", "bob"), ScimTokenEnded("tok_1", "idp_1", "", "bob")), 31, False),
        ((TOKEN, ScimTokenEnded("tok_1", "idp_1", "", "bob")), 0, False),
        ((replace(TOKEN, ends=Instant(START + DAY)), ScimTokenApproved("tok_1", "idp_1", "bob")), 32, False),
        ((USER,), 90, True),
        ((replace(USER, provider="idp_2"),), 0, False),
    ],
)
async def test_where_scim_feeds_a_message_changes_neither_attributes_nor_groups(
    company: Company, told: tuple[object, ...], days: int, fed: bool
) -> None:
    rule = replace(OKTA, rule=replace(RULE, groups=True))
    origin = PersonAdded("zoe", PersonKind.EMPLOYEE, "joined", None, None, None, None, "Zoe", "zoe@example.com",
                         "claims:idp_1")  # fmt: skip
    await record(company.ledger, rule, origin, *told)
    company.clock.advance(days * DAY)
    message = replace(said(company, "n1", "zoe@example.com"), subject="z", name="Zoe New", groups=("Engineering",))
    assert isinstance(await sign_in_by_provider(company.ledger, message, entering(1)), SignedInto)
    with closing(connect(company.path)) as db:
        named = rows(db, f"SELECT name FROM person WHERE person = 'zoe' AND valid_until = {FOREVER}")[0][0]
        groups = rows(db, f"SELECT grp FROM group_member WHERE person = 'zoe' AND valid_until = {FOREVER}")
    assert (named, [each[0] for each in groups]) == (("Zoe", []) if fed else ("Zoe New", ["directory:Engineering"]))


ADMINS = "directory:Admins"


async def zoe_signs_in(company: Company, number: int, *groups: str) -> None:
    message = replace(said(company, f"z{number}", "zoe@example.com"), subject="zoe", groups=groups)
    assert isinstance(await sign_in_by_provider(company.ledger, message, entering(number)), SignedInto)


def holds(company: Company) -> list[tuple[str, str]]:
    return [(each.person, each.reason.value) for each in company.reader.now(held_people)]


def groups_of(company: Company) -> set[str]:
    with closing(connect(company.path)) as db:
        found = rows(db, f"SELECT grp FROM group_member WHERE person = 'per_1' AND valid_until = {FOREVER}")
    return {each[0] for each in found}


@pytest.fixture
async def by_group(company: Company) -> Company:
    """Zoe administers by a group that her provider says, and so does nobody else."""
    rule = replace(OKTA, rule=replace(RULE, groups=True, joins=True))
    await record(company.ledger, rule, binding(ADMINS, "administrator", kind=SubjectKind.GROUP))
    await zoe_signs_in(company, 1, "Admins", "Engineers")
    assert groups_of(company) == {ADMINS, "directory:Engineers"}
    ends = (BindingEnded(f"bnd_{who}_administrator", "left", "chg_9", None) for who in ("ada", "bob"))
    await record(company.ledger, *ends)
    return company


async def test_a_message_takes_the_last_administrators_group_only_by_the_brake(by_group: Company) -> None:
    """The group that administers stays in effect, the person has the console and nothing else, and it is said once."""
    await zoe_signs_in(by_group, 2)
    assert groups_of(by_group) == {ADMINS}
    assert holds(by_group) == [("per_1", "last_administrators_group")]
    size = by_group.ledger.size()
    await zoe_signs_in(by_group, 3)
    assert holds(by_group) == [("per_1", "last_administrators_group")]
    assert by_group.ledger.size() == size + 1, "the sign-in, and nothing else"
    await zoe_signs_in(by_group, 4, "Admins")
    assert holds(by_group) == []
    assert groups_of(by_group) == {ADMINS}


async def test_a_message_takes_what_another_administrator_can_do_without(by_group: Company) -> None:
    await record(by_group.ledger, binding("ada", "administrator"), passkey("ada"))
    await zoe_signs_in(by_group, 2)
    assert (groups_of(by_group), holds(by_group)) == (set(), [])


async def test_a_message_that_names_another_group_that_administers_takes_the_first(by_group: Company) -> None:
    await record(by_group.ledger, binding("directory:Keepers", "administrator", kind=SubjectKind.GROUP))
    await zoe_signs_in(by_group, 2, "Keepers")
    assert (groups_of(by_group), holds(by_group)) == ({"directory:Keepers"}, [])


async def test_another_administrators_word_ends_what_the_message_did_not_say(by_group: Company) -> None:
    await zoe_signs_in(by_group, 2)
    await record(by_group.ledger, binding("ada", "administrator"), passkey("ada"))
    await by_group.sign_in("ada")
    done = await decide_holds(by_group.ledger, by_group.actor("ada"), ["per_1"], True, "she works here")
    assert done == (1, None)
    assert (groups_of(by_group), holds(by_group)) == (set(), [])


def passkey(person: str) -> FactorEnrolled:
    return FactorEnrolled(f"fac_{person}", person, FactorKind.PASSKEY, "v1", None, None, reference=f"ref_{person}")
