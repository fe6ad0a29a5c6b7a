"""The address that somebody signs in by: whose word on it a directory's is, and whom an identity becomes by it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.people.change_person import change_person
from onepam.app.providers.federated_sign_in import sign_in_by_provider
from onepam.domain.access.model import SubjectKind
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.providers.assertion import Assertion, ProviderKind
from onepam.domain.providers.entering import Entering, Outcome, SignedInto
from onepam.domain.providers.events import ProviderRule, ProviderSet
from onepam.domain.reviews.events import RoleWithheld, Withheld
from onepam.domain.signing_in.gate import Visitor
from onepam.kernel.errors import Refused
from onepam.store.engine.rebuild import compare
from onepam.store.read.people import person as person_row
from onepam.store.read.proofs_of_sign_in import account_by_email
from onepam.store.read.provisioned import troubled
from tests.company import binding, record
from tests.scim.directory import Directory
from tests.scim.test_brake import passkey, who

pytestmark = pytest.mark.anyio

RULE = ProviderRule(attests=("mfa",), domains=("example.com",))


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    """A token of a directory that is no identity provider, for the domain that an identity provider vouches for."""
    found = await Directory.create(tmp_path)
    await record(found.company.ledger, passkey("ada"), passkey("bob"))
    await record(
        found.company.ledger, ProviderSet("chg_1", "idp_1", ProviderKind.OIDC, "IdP", "{}", RULE, "ada", "bob")
    )
    found.token = await found.new_token("hrsys", domains=("example.com",))
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


async def sign_in(directory: Directory, name: str) -> Outcome | Refused:
    """Somebody whom the identity provider knows signs in there with both factors."""
    said = Assertion(
        "idp_1", f"00u-{name}", name, f"{name}@example.com", name, None, ("mfa",), "", directory.company.clock.now, name
    )
    entering = Entering("per_9", f"idn_{name}", "enr_9", "", "9" * 64, Visitor("192.0.2.1"), "browser")
    return await sign_in_by_provider(directory.company.ledger, said, entering)


async def moved(directory: Directory, user: str, address: str) -> None:
    said = await directory.patch(
        f"/Users/{user}", {"op": "add", "path": "emails", "value": [{"value": address, "primary": True}]}
    )
    assert said.status == 200


def address_of(directory: Directory, person: str) -> str | None:
    found = directory.company.reader.now(person_row, None, person)
    assert found is not None
    return found.row.email


async def test_a_directory_moves_no_address_of_an_account_made_by_hand(directory: Directory) -> None:
    """Neither does somebody else become them, nor are the administrators found no more."""
    company = directory.company
    for each in ("ada", "bob", "eve"):
        user = await directory.takes_over(f"{each}@example.com")
        await moved(directory, user, f"{each}.mallory@example.com")
        assert address_of(directory, each) == f"{each}@example.com"
        assert company.reader.now(account_by_email, None, f"{each}@example.com") is not None
        outcome = await sign_in(directory, f"{each}.mallory")
        assert isinstance(outcome, Refused), outcome
    assert [each.trouble for each in await company.reader(troubled, None)] == ["address_not_followed"] * 3
    # An administrator's word is the address itself; the trouble goes with the directory's next word.
    changed = Attributes("Eve Example", "eve.mallory@example.com")
    assert await change_person(company.ledger, company.actor("ada"), "eve", changed) is None
    await directory.patch(f"/Users/{user}", {"op": "replace", "path": "nickName", "value": "Evi"})
    assert {each.person for each in await company.reader(troubled, None)} == {"ada", "bob"}


async def test_whom_a_directory_brought_nobody_else_becomes_by_a_moved_address(directory: Directory) -> None:
    company = directory.company
    made = {}
    for each in ("new", "enrolled", "entrusted"):
        document = {"userName": f"{each}@example.com", "displayName": each}
        made[each] = (await directory.ask("POST", "/Users", document)).body["id"]
    person = {each: who(directory, user) for each, user in made.items()}
    # Whoever has not come yet is linked by the address that the directory gave, as it is set up everywhere.
    assert isinstance(found := await sign_in(directory, "new"), SignedInto)
    assert found.person == person["new"]
    # Who has factors may be renamed, and is nobody else's account by that.
    await record(company.ledger, passkey(person["enrolled"]))
    await moved(directory, made["enrolled"], "mallory@example.com")
    assert address_of(directory, person["enrolled"]) == "mallory@example.com"
    refused = await sign_in(directory, "mallory")
    assert isinstance(refused, Refused)
    assert refused.code == "sign_in.other_identity"
    # Who holds a role of their own keeps the address under which it was given.
    await record(company.ledger, binding(person["entrusted"], "engineer"))
    await moved(directory, made["entrusted"], "mallet@example.com")
    assert address_of(directory, person["entrusted"]) == "entrusted@example.com"
    assert isinstance(await sign_in(directory, "mallet"), Refused)
    # So does who administers through a group, also while a review withholds it: whoever decides may bring it back.
    document = {"userName": "managing@example.com", "displayName": "managing"}
    user = (await directory.ask("POST", "/Users", document)).body["id"]
    await record(
        company.ledger,
        binding("managers", "administrator", kind=SubjectKind.GROUP),
        GroupMemberAdded("managers", who(directory, user), "file", None),
        RoleWithheld(who(directory, user), "administrator", "rev_1", Withheld.SILENCE, None),
    )
    await moved(directory, user, "mallory.too@example.com")
    assert address_of(directory, who(directory, user)) == "managing@example.com"
    assert [each.trouble for each in await company.reader(troubled, None)] == ["address_not_followed"] * 2
