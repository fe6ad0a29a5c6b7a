"""Letting a directory in, in the console: two administrators, a token shown once, its end."""

import re

import pytest

from onepam.app.providers.federated_sign_in import EnteringQuery
from onepam.app.provisioning.traffic import LATEST, MOST_PROVIDERS, ScimRequest, ScimTraffic
from onepam.domain.access.model import SubjectKind
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.entering import EnteringFacts
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.provisioning.events import ScimGroupRemoved, ScimGroupSet, ScimUserSet
from onepam.kernel.clock import Instant
from onepam.store.facts.federated import federated
from tests.company import binding, record
from tests.console.browsing import Office

pytestmark = pytest.mark.anyio

FORM = {"provider": "okta", "name": "Okta", "days": "100", "networks": "", "end_attribute": ""}


async def test_a_token_takes_two_and_is_shown_once(office: Office) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    shown = (await ada.post("/provisioning/tokens", **FORM)).text
    assert re.search(r"scim_[A-Za-z0-9_-]{43}", shown)
    again = await ada.read("/provisioning")
    assert not re.search(r"scim_[A-Za-z0-9_-]{43}", again)
    token = re.search(r"/approvals/(stk_\w+)", again)
    assert token
    assert 'value="approve"' not in again
    path = f"/provisioning/tokens/{token[1]}"
    assert "Nobody approves" in await ada.refused(f"/approvals/{token[1]}", decision="approve", back="/provisioning")
    assert 'value="approve"' in await bob.read("/provisioning")
    assert "In touch" not in await bob.approves(token[1], back="/provisioning")
    assert "void" in await bob.done(f"{path}/end", reason="not needed")
    assert (await bob.post(f"{path}/end", reason="again")).status_code == 404
    assert "400 days" in await ada.refused("/provisioning/tokens", **{**FORM, "days": "1000"})


async def test_a_token_for_the_people_of_an_identity_provider(office: Office) -> None:
    """What SCIM says of them goes before what their sign-ins say; pages call the provider by its name."""
    okta = "idp_" + "a" * 16
    rule = ProviderRule()
    await record(
        office.company.ledger, ProviderSet("chg_9", okta, ProviderKind.OIDC, "Okta Corp", "{}", rule, "ada", "bob")
    )
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    query = EnteringQuery(okta, "digest", "", "sgn_x")
    assert not (await facts(office, query)).provisioned
    assert f'<option value="{okta}">Okta Corp</option>' in await ada.read("/provisioning")
    await ada.post("/provisioning/tokens", **{**FORM, "provider": "", "of": okta})
    shown = await ada.read("/provisioning")
    token = re.search(r"/approvals/(stk_\w+)", shown)
    assert token
    assert not (await facts(office, query)).provisioned
    await bob.approves(token[1])
    assert (await facts(office, query)).provisioned


async def facts(office: Office, query: EnteringQuery) -> EnteringFacts:
    return await office.company.reader(lambda db, at: federated(db, query, at))


async def test_a_client_of_client_credentials_is_shown_its_id_and_secret(office: Office) -> None:
    ada = await office.sign_in("ada")
    shown = (await ada.post("/provisioning/tokens", **FORM, oauth="on")).text
    assert "/scim/oauth/token" in shown
    assert re.search(r"stk_\w+", shown)
    assert "client credentials" in await ada.read("/provisioning")


def test_requests_are_counted_within_bounds() -> None:

    traffic = ScimTraffic()
    for number in range(MOST_PROVIDERS + 10):
        for _ in range(2):
            traffic.count(f"p{number}", "t", ScimRequest(Instant(number), "GET", "Users", 409, "no"))
    assert traffic.of("p0") is not None
    assert traffic.of(f"p{MOST_PROVIDERS}") is None
    for _ in range(LATEST + 5):
        traffic.count("p0", "t", ScimRequest(Instant(1), "GET", "Users", 500, "no"))
    found = traffic.of("p0")
    assert found is not None
    assert len(found.failures) == LATEST
    assert found.statuses == {409: 2, 500: LATEST + 5}


async def test_administrators_are_told_of_a_bound_group_that_no_directory_sends(office: Office) -> None:
    await record(
        office.company.ledger,
        *(binding(f"directory:{name}", "engineer", kind=SubjectKind.GROUP) for name in ("Gone", "Signed", "Sent")),
        GroupMemberAdded("directory:Signed", "aud", "claims:idp_1", None),
        ScimGroupSet("grp_1", "okta", 1, "Gone", "stk_1", "", "{}"),
        ScimGroupSet("grp_2", "okta", 1, "Sent", "stk_1", "", "{}"),
    )
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    assert "No directory sends" not in await ada.read("/")
    await record(office.company.ledger, ScimGroupRemoved("grp_1", "okta", "Gone", (), "stk_1"))
    told = await ada.read("/")
    assert "No directory sends the group Gone: bindings of engineer to it reach nobody." in told
    assert told.count("No directory sends") == 1
    assert "No directory sends" not in await eve.read("/")


async def test_only_those_who_oversee_read_it(office: Office) -> None:
    eve = await office.sign_in("eve")
    assert (await eve.get("/provisioning")).status_code == 403


async def test_users_in_trouble_and_groups_are_narrowed_and_paged(office: Office) -> None:
    users = [ScimUserSet(f"usr_{n}", "okta", None, True, 1, "no_address", "stk_1", f"kiosk-{n:02}") for n in range(30)]
    groups = [ScimGroupSet(f"grp_{n}", "okta", 1, f"Team {n:02}", "stk_1") for n in range(30)]
    held = binding("directory:Databases", "engineer", kind=SubjectKind.GROUP)
    await record(office.company.ledger, *users, *groups, held)
    ada = await office.sign_in("ada")
    first = await ada.read("/provisioning")
    assert [each in first for each in ("kiosk-24", "kiosk-25", "Team 24", "Team 25", "Databases")] == [
        True, False, True, False, True,
    ]  # fmt: skip
    assert "30 users" in first
    assert "30 groups" in first
    later = await ada.read("/provisioning?after=usr_24&groups_after=grp_24")
    assert [each in later for each in ("kiosk-24", "kiosk-25", "Team 24", "Team 25", "Databases")] == [
        False, True, False, True, False,
    ]  # fmt: skip
    narrowed = await ada.read("/provisioning?q=KIOSK-07&trouble=no_address")
    assert ("kiosk-07" in narrowed, "kiosk-08" in narrowed, "Team 07" in narrowed, "Databases" in narrowed) == (
        True, False, False, False,
    )  # fmt: skip
    assert "Nothing matches" in await ada.read("/provisioning?q=nobody")
