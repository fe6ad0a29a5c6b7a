"""`onepam scim` against a real gateway's API."""

import json

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import SubjectKind
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.provisioning.events import (
    ScimGroupMemberAdded,
    ScimGroupSet,
    ScimTokenApproved,
    ScimTokenProposed,
    ScimUserSet,
)
from onepam.kernel.clock import DAY, Instant
from tests.api.office import Office, now
from tests.cli.conftest import NewTerminal

DIGEST = "d1" * 32


def test_all_of_scim_is_listed_without_secrets(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("auditor"))
    empty = mine.run("scim", "ls")
    assert "No directory yet" in empty.out
    eve = office.join("engineer")
    ends = Instant(now() + 30 * DAY)
    office.record(
        ScimTokenProposed("stk_1", "okta", "Okta sync", ("203.0.113.0/24",), "endDate", ends, "ada", DIGEST),
        ScimTokenApproved("stk_1", "okta", "bob"),
        ScimTokenProposed("stk_2", "entra", "Entra sync", (), "endDate", ends, "ada", "e2" * 32),
        ScimUserSet("usr_1", "okta", eve, True, 1, "", "stk_1", "eve@corp.example", "", "{}"),
        ScimUserSet("usr_2", "okta", None, True, 1, "no_address", "stk_1", "kiosk", "", "{}"),
        ScimGroupSet("grp_1", "okta", 1, "Engineering", "stk_1", "", "{}"),
        ScimGroupMemberAdded("grp_1", "usr_1"),
        ScimGroupMemberAdded("grp_1", "usr_2"),
        GroupMemberAdded("directory:Engineering", eve, "scim:okta", None),
        *(
            BindingAdded(f"bnd_{name}", "engineer", SubjectKind.GROUP, f"directory:{name}", None, "f", "w", "chg", None)
            for name in ("Engineering", "Databases")
        ),
    )
    listed = mine.run("scim", "ls")
    assert listed.code == 0, listed.err
    for words in ("okta", "Okta sync", "203.0.113.0/24", "waits", "Engineering", "1 of 2", "none sends it", "kiosk"):
        assert words in listed.out, (words, listed.out)
    assert "has no e-mail address" in listed.out
    answer = mine.run("scim", "ls", "--json")
    assert DIGEST not in answer.out
    found = json.loads(answer.out)
    assert [(each["provider"], each["users"], each["groups"]) for each in found["directories"]] == [
        ("entra", 0, 0),
        ("okta", 2, 1),
    ]
    assert found["unfed"] == [{"name": "Databases", "roles": ["engineer"]}]
    (group,) = found["groups"]
    assert (group["named"], group["in_effect"], group["roles"]) == (2, 1, ["engineer"])
    assert [each["trouble"] for each in found["troubled"]] == ["no_address"]
    assert terminal().signed_in(eve).run("scim", "ls").code == 1


def test_a_yes_names_what_was_shown(office: Office, terminal: NewTerminal) -> None:
    eve = office.join("engineer")
    office.record(ScimUserSet("usr_9", "okta", None, True, 3, "takeover", "stk_1", "eve@corp.example", "", "{}", eve))
    mine = terminal().signed_in(office.join("administrator"))
    assert f"scim agree usr_9 --person {eve} --version 3" in " ".join(mine.run("scim", "ls").out.split())
    other = mine.run("scim", "agree", "usr_9", "--person", eve, "--version", "2")
    assert other.code == 1
    assert "has changed meanwhile" in other.err
    agreed = mine.run("scim", "agree", "EVE@corp.example", "--person", eve, "--version", "3")
    assert (agreed.code, "leads this account" in agreed.out) == (0, True), agreed.err
