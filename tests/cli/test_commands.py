"""The commands against a real gateway's API."""

import json
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
import typer

from onepam.cli.commands.sessions import recording_words
from onepam.cli.main import app
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationFailed, SessionClosed
from onepam.domain.signing_in.events import EnrolmentUsed
from onepam.evidence.verifiers import verifier
from onepam.kernel.clock import MINUTE, Instant, iso
from tests.api.office import Office, new_key, now
from tests.cli.conftest import NewTerminal
from tests.targets import free_port


def test_a_request_from_asking_to_the_grant(office: Office, terminal: NewTerminal) -> None:
    eve, max_ = office.join("engineer", name="eve"), office.join("manager", name="max")
    hers, his = terminal().signed_in(eve), terminal().signed_in(max_)
    asked = hers.run(
        "request", "app@web-1", "--for", "1h30m", "--reason", "restart [red]nginx[/red]", "--ticket", "OPS-1"
    )
    assert asked.code == 0, asked.err
    request = asked.out.split()[0]
    waiting = his.run("inbox")
    assert request in waiting.out
    assert "[red]nginx[/red] [OPS-1]" in waiting.out
    assert "1 h 30 min" in waiting.out
    assert his.run("approve", request).code == 2  # nobody to ask, and no --yes
    refused = hers.run("approve", request, "--yes", "--json")
    assert (refused.code, json.loads(refused.err)["code"]) == (1, "request.self_approval")
    given = his.run("approve", request, "--yes", "--comment", "go ahead")
    assert given.code == 0, given.err
    assert f"onepam undo {request}" in given.out
    assert "Approved, starting" in hers.run("requests").out
    assert his.run("undo", request).out.strip() == f"Undone; {request} waits again."
    assert "Approved" not in hers.run("requests").out
    late = his.run("undo", request, "--json")
    assert (late.code, json.loads(late.err)["code"]) == (1, "request.nothing_to_undo")
    assert his.run("approve", request, "--yes", "--comment", "go ahead").code == 0
    while "Approved, starting" in hers.run("requests").out:
        time.sleep(0.5)
    listed = hers.run("ls", "web-1")
    assert f"ssh -F {hers.home}/ssh_config app@web-1@onepam" in listed.out
    assert re.search(r"1 h (2\d|30) min", listed.out), "a busy machine takes its minutes"
    assert "Approved  " in hers.run("requests").out


def test_waiting_until_it_is_approved(office: Office, terminal: NewTerminal) -> None:
    eve, max_ = office.join("engineer"), office.join("manager", name="max")
    mine = terminal().signed_in(eve)
    words = ("request", "web-1", "--login", "app", "--reason", "a look", "--wait")
    waiting = subprocess.Popen(
        [sys.executable, "-m", "onepam.cli.main", *words],
        env=mine.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    request = waiting.stderr.readline().split()[0]
    approved = terminal().signed_in(max_).run("approve", request, "--yes", "--comment", "be [b]quick[/b]")
    assert approved.code == 0, approved.err
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0
    assert "Approved by Max Example; ends in 59 min: be [b]quick[/b]" in out
    assert "app@web-1@onepam" in out


def test_a_denial_is_told(office: Office, terminal: NewTerminal) -> None:
    eve, max_ = office.join("engineer"), office.join("manager")
    hers, his = terminal().signed_in(eve), terminal().signed_in(max_)
    made = office.asked(eve)
    denied = his.run("deny", made.request, "--comment", "not now", "--json")
    assert (denied.code, denied.json) == (0, {"done": True})
    assert hers.run("requests", "--json").json[0]["comment"] == "not now"
    assert hers.run("withdraw", made.request).code == 1


def test_a_service_account_gets_a_key_and_loses_it(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    admin = office.join("administrator")
    mine, bot = terminal().signed_in(admin), office.service("engineer")
    file = tmp_path / "bot.pub"
    file.write_text(new_key() + " ci", encoding="ascii")
    words = ("people", "key", bot, "--file", str(file))
    assert "people key" in mine.run("people", "keys", bot).out
    assert mine.run(*words).code == 2
    wide = mine.run(*words, "--network", "0.0.0.0/0", "--json")
    assert (wide.code, json.loads(wide.err)["code"]) == (1, "input.networks")
    made = mine.run(*words, "--network", "192.0.2.0/24", "--network", "2001:db8::/32", "--json")
    assert made.code == 0, made.err
    assert "until another administrator has registered it" in mine.run(*words, "--network", "192.0.2.0/24").err
    (listed,) = mine.run("people", "keys", bot, "--json").json
    assert listed["networks"] == ["192.0.2.0/24", "2001:db8::/32"]
    assert (listed["factor"], listed["fingerprint"]) == (made.json["factor"], made.json["fingerprint"])
    assert listed["label"] == "ci"
    assert (made.json["waits"], listed["waits"]) == (True, True)
    assert "nothing privileged yet" in mine.run("people", "keys", bot).out
    assert "192.0.2.0/24" in mine.run("people", "keys", bot).out
    assert mine.run("people", "remove-key", bot, listed["factor"]).code == 2  # nobody to ask, and no --yes
    unknown = mine.run("people", "remove-key", bot, "cii", "--yes")
    assert (unknown.code, "Did you mean: ci" in unknown.err) == (1, True), unknown.err
    assert (
        mine.run("people", "remove-key", bot, "CI", "--yes").out.strip()
        == f"{listed['factor']} opens nothing any more."
    )
    assert mine.run("people", "keys", bot, "--json").json == []
    assert mine.run("people", "keys", admin, "--json").json == []
    assert mine.run("people", "keys", "per_nobody").code == 1
    file.write_bytes(b"x" * 9000)
    assert mine.run(*words, "--network", "192.0.2.0/24").code == 2


def test_usage_errors_say_what_to_do(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("engineer"))
    for words in (
        ("request", "web-1", "--for", "soon", "--login", "app", "--reason", "x"),
        ("request", "web-1", "--reason", "x"),
        ("request", "app@web-1"),
        ("plan", "/nowhere/access.yaml"),
        ("no-such-command",),
    ):
        assert mine.usage(*words) == 2, words
    for item in ("nothing", "../../x", "req_../x"):
        assert mine.usage("approve", item) == 1, "what does not wait is refused, as to deny it"


def test_who_may_not_ask_for_a_target_is_told_so(office: Office, terminal: NewTerminal) -> None:
    ran = terminal().signed_in(office.join("auditor")).run("request", "web-1", "--reason", "x")
    words = (
        "You may ask for nothing: no role of yours offers anything on request.\n"
        "  An administrator gives roles. What is open to you: onepam ls\n"
    )
    assert (ran.code, ran.err) == (1, words)
    ran = terminal().signed_in(office.join("engineer")).run("request", "web-9", "--reason", "x")
    assert ran.code == 1
    assert ran.err.startswith("There is nothing on web-9 that you may ask for.\n  You may ask for ")
    assert "app@web-1" in ran.err


def test_a_gateway_that_is_not_there(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.founder)
    kept = mine.home / "session.json"
    kept.write_text(kept.read_text().replace(office.url, f"http://127.0.0.1:{free_port()}"))
    ran = mine.run("whoami")
    assert (ran.code, "cannot be reached" in ran.err) == (4, True)
    assert "Traceback" not in ran.err


def test_sessions_are_listed_played_and_killed(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    eve, aud = office.join("engineer", name="eve"), office.join("auditor")
    session = office.session(eve)
    mine, auditor = terminal().signed_in(eve), terminal().signed_in(aud)
    assert session in mine.run("sessions", "--open").out
    cut_off = office.session(eve)
    partial = {"bytes": 9, "omitted_bytes": 5}
    office.record(SessionClosed(cut_off, SessionEnd.CLIENT_LEFT, "ab" * 32, 1, partial, verified=True))
    assert re.search(rf"{cut_off}.*not checked, partial by policy", mine.run("sessions").out)
    assert mine.run("sessions").err == ""
    newest = mine.run("sessions", "--most", "1")
    assert cut_off in newest.out
    assert session not in newest.out
    assert "These are the newest 1;" in newest.err
    played = auditor.run("play", session)
    assert played.code == 0, played.err
    assert played.out == "$ uname\nLinux\nred [bold]not markup[/bold]\n"
    assert "stolen" not in played.out
    assert "app@dev-1" in played.err
    listed = auditor.run("play", session, "--list")
    assert "exec" in listed.out
    assert "id" in listed.out
    assert "The session still runs." in listed.out + listed.err
    assert "ends early" not in listed.out + listed.err
    cut = office.session(eve)
    office.record(SessionClosed(cut, SessionEnd.GATEWAY_DIED, "", 0, {}, verified=True))
    assert "The recording ends early: " in auditor.run("play", cut, "--list").out
    assert auditor.run("play", session, "--channel", "1").out == "uid=0\n"
    assert auditor.run("play", session, "--channel", "7").code == 1
    saved = tmp_path / "session.cast"
    assert auditor.run("play", session, "--save", str(saved)).code == 0
    assert json.loads(saved.read_text().splitlines()[0])["version"] == 3
    assert auditor.run("play", session, "--save", str(saved)).code == 2
    assert auditor.run("kill", session, "--reason", "odd").code == 1
    assert mine.run("kill", session).code == 0
    with office.client(aud) as client:
        history = client.get(f"/sessions/{session}").json()["history"]
    watched = [each["by"] for each in history if each["kind"] == "recording.watched"]
    assert watched == [aud] * 5  # the channel that is not there was asked for, too


@pytest.mark.parametrize(
    ("status", "checked", "bad", "counts", "words"),
    [
        ("open", None, None, {}, ""),
        ("closed", None, None, {"omitted_bytes": 0}, "not checked"),
        ("closed", None, None, {"omitted_bytes": 5}, "not checked, partial by policy"),
        ("closed", "2020-01-01T00:00:00Z", None, {}, "checked "),
        ("closed", "2020-01-01T00:00:00Z", "key_missing", {}, "KEY MISSING, checked "),
    ],
)
def test_what_became_of_a_recording(
    status: str, checked: str | None, bad: str | None, counts: dict[str, int], words: str
) -> None:
    told = recording_words({"status": status, "recording_checked": checked, "recording_bad": bad, "counts": counts})
    assert told.endswith(" ago") if checked else told == words
    assert told.startswith(words)


def test_people(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("administrator"))
    made = mine.run("people", "add", "Nia New", "nia@example.com", "--because", "hired", "--json")
    assert made.code == 0, made.err
    person = made.json["person"]
    link = mine.run("people", "link", person, "--json")
    assert link.json["link"].startswith(f"{office.url}/enrol/enr_")
    assert "nia@example.com" in mine.run("people").out
    boss = office.join("manager")
    changed = mine.run("people", "change", person, "--manager", boss, "--ends", "2126-12-31T00:00:00Z")
    assert changed.code == 0, changed.err
    assert mine.run("people", "change", person, "--name", "Nia Newer").code == 0
    row = mine.run("people", "show", person, "--json").json["person"]
    assert (row["name"], row["email"], row["manager"]) == ("Nia Newer", "nia@example.com", boss)
    assert (row["ends"], row["origin"], row["last"]) == ("2126-12-31T00:00:00.000000Z", "administrator", None)
    assert mine.run("people", "change", person, "--ends", "never").code == 0
    assert "Nia Newer <nia@example.com>, employee, Invited" in mine.run("people", "show", person).out
    assert mine.run("people", "show", "per_nobody").code == 1
    assert mine.run("people", "disable", person, "--reason", "left", "--yes").code == 0
    states = {each["person"]: each["enabled"] for each in mine.run("people", "--json").json}
    assert states[person] is False
    assert mine.run("people", "add", "Vi Vendor", "vi@example.com", "--kind", "vendor").code == 1


def test_erasing(office: Office, terminal: NewTerminal) -> None:
    mine, other = (terminal().signed_in(office.join("administrator")) for _ in range(2))
    person = mine.run("people", "add", "Lea Leaver", "lea@example.com", "--because", "hired", "--json").json["person"]
    early = mine.run("people", "erase", person, "--reason", "asked for it", "--yes", "--json")
    assert (early.code, json.loads(early.err)["code"]) == (1, "erasure.active")
    assert mine.run("people", "disable", person, "--reason", "left", "--yes").code == 0
    assert mine.run("people", "erase", person, "--reason", "asked for it").code == 2  # nobody to ask, and no --yes
    made = mine.run("people", "erase", person, "--reason", "asked for it", "--yes", "--json")
    assert made.code == 0, made.err
    erasure = made.json["erasure"]
    shown = mine.run("people", "show", person).out
    assert f"To be erased ({erasure}), if another administrator agrees" in " ".join(shown.split())
    assert "Erasing what is known of Lea Leaver" in " ".join(other.run("inbox").out.split())
    assert mine.run("approve", erasure, "--yes").code == 1, "not one's own"
    agreed = other.run("approve", erasure, "--yes")
    assert agreed.code == 0, agreed.err
    assert other.run("people", "show", person, "--json").json["erasure"]["status"] == "approved"
    assert f"Is being erased ({erasure})" in mine.run("people", "show", person).out
    back = mine.run("people", "enable", person, "--reason", "back", "--json")
    assert (back.code, json.loads(back.err)["code"]) == (1, "person.erased")


def test_second_factors(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("auditor"))
    found = mine.run("mfa", "--json").json
    assert found["people"]["own"] > 0
    assert (found["sessions_without"], found["people"]["accepted"], found["rules"]) == (0, 0, [])
    shown = mine.run("mfa").out
    assert "Sessions of people without a second factor: none." in shown
    assert "No resource asks for more" in shown
    assert "shown to OnePAM" in shown
    assert "BY LINKS OF" not in shown
    asking, deciding = office.join("engineer"), office.join("manager")
    links = (EnrolmentUsed(f"enr_{each}", each, (office.founder,)) for each in (asking, deciding))
    office.record(*links)
    office.granted(asking, deciding)
    (gain,) = mine.run("mfa", "--json").json["indirect_gains"]
    assert (gain["decider"]["person"], gain["gainer"]["person"]) == (deciding, asking)
    assert [each["person"] for each in gain["makers"]] == [office.founder]
    shown = mine.run("mfa").out
    assert "BY LINKS OF" in shown
    assert "was the first" in shown


def test_plan_and_apply(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    mine = terminal().signed_in(office.join("administrator"))
    file = tmp_path / "access.yaml"
    file.write_text("roles:\n  broken: [\n")
    wrong = mine.run("plan", str(file))
    assert wrong.code == 1
    assert "access.yaml:" in wrong.err
    assert mine.run("apply", str(file), "--yes").code == 1
    assert mine.run("changes").out == "No changes.\n"


def test_the_ledger_and_evidence(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    mine, pack = terminal().signed_in(office.join("auditor")), tmp_path / "pack.zip"
    assert "none: whoever holds" in mine.run("ledger").out
    assert mine.run("ledger", "proof", "1").json["index"] == 1
    assert mine.run("ledger", "proof", "99").code == 1
    drawn = mine.run("evidence", "pack", "--from", "2026-01-01", "--to", iso(now()), "--out", str(pack))
    assert drawn.code == 0, drawn.err
    assert pack.stat().st_size == 200_002
    assert mine.run("evidence", "pack", "--from", "2026-01-01", "--to", "2026-02-01", "--out", str(pack)).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["pack.zip"]
    refused = mine.run("verify", str(pack), "--json")
    assert refused.code == 2
    assert refused.json["verdict"].startswith("NOT JUDGED")


def test_the_verifier_is_handed_out_with_its_digests(terminal: NewTerminal, tmp_path: Path) -> None:
    mine = terminal()
    written = mine.run("evidence", "verifier", "--out", str(tmp_path))
    assert written.code == 0, written.err
    for name in ("verify.html", "verify.py"):
        assert (tmp_path / name).read_bytes() == verifier(name)
        assert f"{sha256(verifier(name)).hexdigest()}  {tmp_path / name}\n" in written.out
    assert mine.run("evidence", "verifier", "--out", str(tmp_path)).code == 2
    told = mine.run("evidence", "verifier", "--out", str(tmp_path), "--force", "--json")
    assert told.json["verify.py"]["sha256"] == sha256(verifier()).hexdigest()
    assert mine.run("evidence", "verifier", "--out", str(tmp_path / "nowhere")).code == 2


@pytest.mark.parametrize("words", [(), ("people",), ("ledger",), ("evidence",)], ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    group = typer.main.get_command(app)
    for word in words:
        assert isinstance(group, typer.core.TyperGroup)
        group = group.commands[word]
    assert isinstance(group, typer.core.TyperGroup)
    assert group.commands
    for name, command in group.commands.items():
        assert command.help, name
        options = [option for each in command.params for option in each.opts]
        assert "--json" in options or isinstance(command, typer.core.TyperGroup), name


def test_leavers_from_the_command_line(office: Office, terminal: NewTerminal) -> None:
    gone = office.join("vendor", name="vicky")
    auditor = terminal().signed_in(office.join("auditor"))
    with office.client(office.founder) as founder:
        assert founder.post(f"/people/{gone}/disable", json={"reason": "contract over"}).status_code == 200
    listed = auditor.run("leavers", "--from", "2026-01-01")
    assert listed.code == 0, listed.err
    assert gone in listed.out
    assert "95 of 100 within" in listed.out
    found = json.loads(auditor.run("leavers", "--json").out)
    mine = next(each for each in found["leavers"] if each["person"] == gone)
    assert (mine["because"], mine["origin"], mine["findings"]) == ("contract over", "administrator", [])
    assert [each["system"] for each in mine["systems"]] == ["SSH", "Console", "Command line"]
    assert all(each["ended"] >= each["removed"] for each in mine["systems"])
    assert auditor.run("leavers", "probe", gone).code == 1, "an auditor looks, and orders nothing"
    assert terminal().signed_in(office.founder).run("leavers", "probe", gone).code == 0
    assert auditor.run("leavers", "--from", "never").code == 2
    nobody = auditor.run("leavers", "--from", "2020-01-01", "--to", "2020-02-01")
    assert "Nobody left in this time." in nobody.out
    engineer = terminal().signed_in(office.join("engineer"))
    assert engineer.run("leavers").code == 1


def test_a_terminal_that_waits_is_listed_to_its_person_alone(office: Office, terminal: NewTerminal) -> None:
    eve, max_ = office.join("engineer"), office.join("engineer")
    hers, his = terminal().signed_in(eve), terminal().signed_in(max_)
    assert "No terminal waits for you." in hers.run("waiting").out
    ends, name = Instant(now() + 2 * MINUTE), f"cnf_{eve[4:]}"
    office.record(ConfirmationAsked(name, eve, "web-1", "app", ends, "0" * 64, "192.0.2.1"))
    shown = hers.run("waiting")
    assert f"{office.url}/confirm/{name}" in shown.out
    assert "app@web-1" in shown.out
    assert "192.0.2.1" in shown.out
    assert "connect again without -q" in shown.err
    [told] = hers.run("waiting", "--json").json
    assert (told["resource"], told["source"], told["address"]) == ("web-1", "192.0.2.1", f"{office.url}/confirm/{name}")
    assert set(told) == {"confirmation", "resource", "login", "source", "expires", "address"}  # and no code
    assert his.run("waiting", "--json").json == []
    office.record(ConfirmationFailed(name, eve, "confirmation.wrong_code"))
    assert hers.run("waiting", "--json").json == []
