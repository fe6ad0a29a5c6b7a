"""Pages of administrators and auditors with the company's real data: people, the matrix, its changes, the ledger."""

import csv
import io
import json
import re
import sqlite3
from html import unescape

import asyncssh
import pytest

from onepam.app.people.add_person import add_person
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.ledger.entry import Entry
from onepam.store.read.console import entry
from tests.company import START, record
from tests.console.browsing import Office, count

ACCESS = """version: 1
resources:
  web-1:
    kind: ssh
    address: web-1.example.com:22
    labels: {env: prod, app: web}
    owner: ada@example.com
    logins: [app]
    host_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC4Wv0P6B/rhoR7KvjYV/FNBYckni9jyxz0IO/WmyHWD"]
roles:
  administrator: {purpose: Runs OnePAM, owner: ada@example.com, console: [administer]}
  security: {purpose: Watches, owner: ada@example.com, console: [monitor]}
  manager: {purpose: Decides, owner: ada@example.com, console: [approve]}
  auditor: {purpose: Reads, owner: ada@example.com, console: [audit]}
  engineer:
    purpose: Builds the shop
    owner: ada@example.com
    permissions:
      web:
        actions: [shell, exec]
        where: {app: web}
        logins: [app]
        mode: request
        longest: 2h
        approvers: [manager]
bindings:
  - {role: administrator, person: ada@example.com, because: Founded it}
  - {role: administrator, person: bob@example.com, because: Founded it}
  - {role: security, person: ada@example.com, because: Founded it}
  - {role: manager, person: max@example.com, because: Founded it}
  - {role: auditor, person: aud@example.com, because: Founded it}
  - {role: engineer, person: eve@example.com, because: Founded it}
  - {role: engineer, person: vic@example.com, ends: 2026-05-01, because: Contract 114}
"""


WHY = {"title": "Two hours are enough", "reason": "the web is small", "ticket": "OPS-7"}


def typed(page: str) -> str:
    """What stands in the editor."""
    found = re.search(r"<textarea[^>]* name=\"text\"[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found
    return unescape(found[1])


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


@pytest.mark.anyio
async def test_people_are_added_linked_disabled_and_enabled(office: Office) -> None:
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    made = await ada.post("/people", name="Nia Novak", email="nia@example.com", kind="employee")
    assert made.status_code == 200
    link = re.search(r'data-copy="http://localhost(/enrol/enr_[\w-]+)"', made.text)
    assert link
    assert "Nia Novak" in made.text
    assert "Nia Novak" in await office.browser().read(link[1])
    listed = await ada.read("/people")
    assert "Invited" in listed
    assert link[1] not in listed
    person = re.search(r'href="/people/(per_\w+)"', listed)
    assert person
    again = await ada.post(f"/people/{person[1]}/enrol-link")
    assert "/enrol/enr_" in again.text
    assert "sponsor" in (
        await ada.refused("/people", name="Vi", email="vi@example.com", kind="vendor", ends="2026-09-01")
    )
    assert "not a date" in await ada.refused("/people", name="Vi", email="vi@example.com", kind="vendor", ends="soon")
    vendor = await ada.post(
        "/people", name="Vi", email="vi@example.com", kind="vendor", ends="2026-05-01", sponsor="max@example.com"
    )
    assert "Max Example" in vendor.text
    assert "2 May 2026" in vendor.text or "1 May 2026" in vendor.text
    assert "this address" in await ada.refused("/people", name="Eve", email="EVE@example.com", kind="employee")
    await office.session("eve", "dev-1", "app", close=False)
    page = await ada.read("/people/eve")
    assert "Ends 1 live session within a second." in page
    assert all(each not in page for each in ("Ends 0", "Withdraws 0"))
    assert "Nobody disables themselves" in await ada.refused("/people/ada/disable", reason="oops")
    page = await ada.done("/people/eve/disable", reason="left the company")
    assert "Ended: 1 live session, 0 grants, 0 open requests" in page
    assert (await eve.get("/")).status_code == 303
    assert "Enable" in page
    page = await ada.done("/people/eve/enable", reason="came back")
    assert "Their roles hold again" in page
    assert (await ada.post("/people/nobody/disable", reason="x")).status_code == 404


@pytest.mark.anyio
async def test_a_service_account_has_keys_with_networks(office: Office) -> None:
    ledger, actor = office.company.ledger, office.company.actor("ada")
    known = Attributes("deploy-bot", None, owner="max", ends=Instant(START + 90 * DAY))
    ada = await office.sign_in("ada")
    assert await add_person(ledger, actor, "bot", PersonKind.SERVICE, known, "deploys") is None
    page = await ada.read("/people/bot")
    assert "none: a machine" in page
    assert "Without one, this account opens nothing." in page
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode("ascii").strip()
    assert "whole public key" in await ada.refused("/people/bot/keys", key="ssh-ed25519 x", networks="192.0.2.0/24")
    assert "too wide" in await ada.refused("/people/bot/keys", key=key, networks="::/0")
    assert "not a network" in await ada.refused("/people/bot/keys", key=key, networks="")
    assert (await ada.post("/people/nobody/keys", key=key, networks="192.0.2.0/24")).status_code == 404
    assert "Only a service account" in await ada.refused("/people/eve/keys", key=key, networks="192.0.2.0/24")
    page = await ada.done("/people/bot/keys", key=f"{key} ci", networks="192.0.2.0/24,\r\n 2001:DB8::/32,")
    assert "The key ci is registered." in page
    assert "until another administrator" not in page
    assert "192.0.2.0/24" in page
    assert "2001:db8::/32" in page
    assert "Add key" not in await (await office.sign_in("aud")).read("/people/bot")
    removal = re.search(r'action="(/people/bot/keys/fac_\w+/remove)"', page)
    assert removal
    assert "The key is removed." in await ada.done(removal[1])
    assert "no such key" in await ada.refused(removal[1])
    office.company.clock.advance(6 * MINUTE)
    answer = await ada.post("/people/bot/keys", key=key, networks="192.0.2.0/24")
    assert answer.headers["Location"] == "/step-up?next=/people/bot"


@pytest.mark.anyio
async def test_a_link_for_an_administrator_takes_two(office: Office) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    await office.company.join("cyd", "administrator")
    invited = await ada.post("/people/cyd/enrol-link")
    assert "/enrol/enr_" in invited.text, "nothing enrolled yet: an invitation replaces nothing"
    for who in ("bob", "cyd"):
        await record(office.company.ledger, FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None))
    assert (await ada.post("/people/cyd/enrol-link")).status_code == 303
    assert "waits for another administrator" in await ada.read("/people/cyd")
    theirs = await bob.read("/people/cyd")
    action = re.search(r'action="(/approvals/enr_\w+)"', theirs)
    assert action
    yes = {"decision": "approve", "back": "/people/cyd"}
    assert "Nobody approves their own proposal" in await ada.refused(action[1], **yes)
    office.company.clock.advance(6 * MINUTE)
    assert (await bob.post(action[1], **yes)).headers["Location"] == "/step-up?next=/people/cyd"
    bob = await office.sign_in("bob")
    assert "/enrol/enr_" in (await bob.post(action[1], **yes)).text


@pytest.mark.anyio
async def test_the_matrix_and_its_sheet_say_the_same(office: Office) -> None:
    aud = await office.sign_in("aud")
    page = await aud.read("/roles")
    assert "engineer → dev-1: shell, exec, sftp as app, standing." in page
    answer = await aud.get("/roles.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    found = {(row["role"], row["resource"], row["logins"], row["how"]) for row in rows}
    assert ("engineer", "web-1", "app root", "request") in found
    assert ("engineer", "dev-1", "app", "standing") in found
    assert ("auditor", "", "", "") in found
    assert {row["as of (UTC)"][-1] for row in rows} == {"Z"}


@pytest.mark.anyio
async def test_a_change_is_planned_proposed_and_approved_by_another(office: Office) -> None:
    ada, bob, aud = await office.sign_in("ada"), await office.sign_in("bob"), await office.sign_in("aud")
    assert "No changes proposed yet" in await ada.read("/changes")
    planned = await ada.post("/changes/plan", text=ACCESS.replace("\n", "\r\n"))
    assert planned.status_code == 200
    assert await office.company.reader(count, None, "change.proposed") == 0
    assert "web-1 as app: shell, exec, on request, at most 2 h" in planned.text
    proposed = await ada.post("/changes", **WHY, text=typed(planned.text), digest=hidden(planned.text, "digest"))
    here = proposed.headers["Location"]
    page = await ada.read(here)
    assert "Nobody approves their own proposal" in page
    assert "<h2>Two hours are enough</h2>" in page
    assert "the web is small" in page
    assert "<dt>Ticket</dt><dd>OPS-7</dd>" in page
    assert "Withdraw" in page
    assert "This needs a role with the right to administer" in await aud.read(here)
    badge = "data-changes>{}</span>"
    assert badge.format(1) in await bob.read("/people"), "it waits for another administrator"
    for without in (ada, aud):
        assert badge.format("") in await without.read("/people"), "and for nobody else"
    assert (await bob.get("/waiting")).json() == {"waiting": 1, "changes": 1}
    theirs = await bob.read(here)
    assert "diff-add" in theirs
    item, yes = here.rpartition("/")[2], {"digest": hidden(theirs, "digest"), "back": here}
    own = await ada.refused(f"/approvals/{item}", decision="approve", **yes)
    assert "Nobody approves their own proposal" in own
    other = await bob.refused(f"/approvals/{item}", decision="approve", **{**yes, "digest": "0" * 64})
    assert "not what is proposed" in other
    office.company.clock.advance(6 * MINUTE)
    stale = await bob.post(f"/approvals/{item}", decision="approve", **yes)
    assert stale.headers["Location"] == f"/step-up?next={here}"
    bob = await office.sign_in("bob")
    page = await bob.approves(item, **yes)
    assert "Approved, and in force." in page
    assert "In force" in page
    matrix = await aud.read("/roles")
    assert "engineer → web-1: shell, exec as app, on request, at most 2 h." in matrix
    assert "in force since" in matrix
    pinned = await ada.read("/resources/web-1")
    assert "SHA256:" in pinned
    assert "by Bob Example" in pinned
    start = await ada.read("/changes/new")
    assert "purpose: Builds the shop" in start
    narrower = ACCESS.replace("longest: 2h", "longest: 1h")
    planned = await ada.post("/changes/plan", text=narrower)
    assert "Put it in force" in planned.text
    page = await ada.done("/changes", **WHY, text=narrower, digest=hidden(planned.text, "digest"))
    assert "In force." in page
    assert "diff-remove" in page
    assert "Nothing changes" in await ada.done("/changes", **WHY, text=narrower, digest="0" * 64)


@pytest.mark.anyio
async def test_a_change_is_rejected_withdrawn_or_means_nothing(office: Office) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    wrong = await ada.post("/changes/plan", text="version: 1\nroles:\n  engineer: {purpose: x}\n")
    assert wrong.status_code == 422
    assert re.search(r'data-line="3" data-column="\d+">Line 3, column \d+</a>', wrong.text)
    assert (await ada.post("/changes", **WHY, text="version: 9", digest="0" * 64)).status_code == 422
    assert "changed since this was planned" in await ada.refused("/changes", **WHY, text=ACCESS, digest="0" * 64)
    for who, reason, words in ((bob, "not before the audit", "not before the audit"), (ada, "", "Rejected")):
        planned = await ada.post("/changes/plan", text=ACCESS)
        answer = await ada.post("/changes", **WHY, text=ACCESS, digest=hidden(planned.text, "digest"))
        here = answer.headers["Location"]
        no = {"decision": "deny", "back": here}
        item = f"/approvals/{here.rpartition('/')[2]}"
        if who is bob:
            assert "reason is empty" in await bob.refused(item, **no)
        assert words in await who.done(item, comment=reason, **no)
    assert (await bob.get("/changes/nothing")).status_code == 404


@pytest.mark.anyio
async def test_entries_are_proven_to_whom_the_ledger_is_shown(office: Office) -> None:
    aud = await office.sign_in("aud")
    page = await aud.read("/ledger")
    assert "Every entry was there, in order, signed, and witnessed elsewhere." in page
    page = await aud.read("/ledger?entry=0")
    assert "person.added" in page
    assert "ada@example.com" not in page
    proof = await aud.get("/ledger/proof/0")
    assert proof.headers["Content-Disposition"] == 'attachment; filename="onepam-entry-0.json"'
    assert json.loads(proof.text)["index"] == 0
    assert (await aud.get("/ledger?entry=999999")).status_code == 404
    assert (await aud.get("/ledger/proof/999999")).status_code == 404


@pytest.mark.anyio
async def test_an_entry_is_shown_in_words_and_times(office: Office) -> None:
    aud = await office.sign_in("aud")
    ident = await office.session("eve", "dev-1", "app")
    with sqlite3.connect(office.company.path) as db:
        found = "SELECT idx FROM entry WHERE kind LIKE 'session.%' AND instr(CAST(body AS TEXT), ?) ORDER BY idx"
        opened, *others = [index for (index,) in db.execute(found, (ident,))]
    page = await aud.read(f"/ledger?entry={opened}")
    assert '<dt>Mfa: basis</dt><dd class="as-written">shown to us</dd>' in page
    assert '<dt>Mfa: at</dt><dd class="as-written">2 March 2026 ' in page
    for index in (opened, *others):
        fields = re.findall(r'<dd class="as-written">(.*?)</dd>', await aud.read(f"/ledger?entry={index}"))
        assert fields
        assert not [each for each in fields if re.search(r"\b\d{16}\b", each)]


@pytest.mark.anyio
async def test_a_setup_that_is_not_finished_is_shown_to_administrators_alone(office: Office) -> None:
    bob, eve = await office.sign_in("bob"), await office.sign_in("eve")
    page = await bob.read("/")
    assert "Set up OnePAM" in page
    assert "1 of 4 resources cannot be reached without" in page
    assert "Set up OnePAM" not in await eve.read("/")


@pytest.mark.anyio
async def test_a_page_does_not_show_an_altered_entry_as_included(office: Office) -> None:
    """Whoever writes to the database changes a body, its column of the hash as well: no page calls it proven."""
    aud, eve = await office.sign_in("aud"), await office.sign_in("eve")
    ident = await office.session("eve", "dev-1", "app")
    page = await aud.read(f"/sessions/{ident}")
    assert "not what was published" not in page
    assert "included" in page
    with sqlite3.connect(office.company.path) as db:
        ((index, body),) = db.execute(
            "SELECT idx, body FROM entry WHERE kind = 'session.closed' AND instr(CAST(body AS TEXT), ?)", (ident,)
        ).fetchall()
    before = await aud.read(f"/ledger?entry={index}")
    assert "included" in before
    assert SessionEnd.TARGET_LOST.words not in before
    forged = body.replace(b"client.closed", b"target.lost")
    with sqlite3.connect(office.company.path) as db:
        stored = await office.company.reader(entry, None, index)
        assert stored is not None
        leaf = Entry(stored.header, forged).leaf()
        db.execute("UPDATE entry SET body = ?, leaf = ? WHERE idx = ?", (forged, leaf, index))
    page = await aud.read(f"/ledger?entry={index}")
    assert SessionEnd.TARGET_LOST.words in page
    assert f"Entry {index:,} was altered" in page
    assert "not what was published" in page
    assert "included" not in page
    assert "cosigned" not in page
    page = await eve.read(f"/sessions/{ident}")
    assert "not what was published" in page
    assert "included" not in page
    with sqlite3.connect(office.company.path) as db:
        db.execute("UPDATE entry SET body = ? WHERE idx = ?", (b"no JSON", index))
    page = await aud.read(f"/ledger?entry={index}")
    assert f"Entry {index:,} was altered" in page
    assert "Unreadable" in page
    page = await eve.read(f"/sessions/{ident}")
    assert "not what was published" in page
