"""People by their names, and what a tab offers."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from onepam.cli import naming
from onepam.cli.main import app
from onepam.domain.provisioning.events import ScimUserSet
from tests.api.office import Office, new_key
from tests.cli.conftest import NewTerminal
from tests.cli.terminal import Terminal


def tab(mine: Terminal, *words: str) -> list[str]:
    """What the shell offers for the last of these words."""
    more = {
        "_ONEPAM_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("onepam", *words)),
        "COMP_CWORD": str(len(words)),
    }
    return CliRunner().invoke(app, [], env=mine.environment(**more), prog_name="onepam").output.split()


def test_a_person_is_an_id_an_address_or_a_whole_name(
    office: Office, terminal: NewTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = terminal().signed_in(office.join("administrator"))

    def added(name: str, address: str) -> str:
        made = mine.run("people", "add", name, address, "--because", "hired", "--json")
        return str(made.json["person"])

    first, other = added("Nia New", "nia@example.com"), added("Nia Newer", "nia.newer@example.com")
    for words in (first, "nia@example.com", "NIA@example.com", "Nia New", "nia new"):
        assert mine.run("people", "show", words, "--json").json["person"]["person"] == first, words
    part = mine.run("people", "disable", "Nia", "--reason", "left", "--yes")
    assert (part.code, "Nobody here is called Nia." in part.err) == (1, True)
    assert "Nia New <nia@example.com>; Nia Newer <nia.newer@example.com>" in part.err
    assert mine.run("people", "change", "nia@example.com", "--manager", "Nia Newer").code == 0
    assert mine.run("people", "show", first, "--json").json["person"]["manager"] == other
    third = added("Nia New", "nia.2@example.com")
    both = mine.run("people", "disable", "Nia New", "--reason", "left", "--yes")
    assert (both.code, "2 people are called Nia New." in both.err) == (1, True)
    assert first in both.err
    assert third in both.err
    assert mine.run("people", "show", " ").code == 2
    assert mine.run("sessions", "--person", "nia@example.com").out.strip() == "No sessions."
    # also where what was sought has more pages than one
    monkeypatch.setattr(naming, "PAGE", 1)
    for name, value in mine.environment().items():
        monkeypatch.setenv(name, value)
    assert naming.one_person("nia.newer@example.com") == other


def test_what_waits_goes_by_its_target_by_who_asks_and_by_its_title(office: Office, terminal: NewTerminal) -> None:
    eve, mia = office.join("engineer", name="Eve"), office.join("engineer", name="Mia")
    his = terminal().signed_in(office.join("manager", name="max"))
    hers, mias = terminal().signed_in(eve), terminal().signed_in(mia)

    def ask(mine: Terminal, target: str) -> str:
        return str(mine.run("request", target, "--reason", "restart", "--json").json["request"])

    first, other = ask(hers, "app@web-1"), ask(mias, "app@web-1")
    both = his.run("approve", "app@web-1", "--yes")
    assert (both.code, "2 things that wait for you go by app@web-1." in both.err) == (1, True), both.err
    assert f"{first} (app@web-1 for Eve Example); {other} (app@web-1 for Mia Example)" in " ".join(both.err.split())
    part = his.run("approve", "Eve Exampel", "--yes")
    assert (part.code, "Did you mean: Eve Example" in part.err) == (1, True), part.err
    given = his.run("approve", "eve example", "--yes", "--json")
    assert given.json["request"] == first
    assert set(tab(his, "undo", "app@")) | set(tab(his, "undo", "req_")) >= {"app@web-1"}
    assert his.run("undo", "web-1").out.strip() == f"Undone; {first} waits again."
    assert his.run("undo", "web-1").code == 1, "nothing is left to undo"
    assert tab(his, "approve", "app@") == ["app@web-1"]
    assert {first, other} <= set(tab(his, "approve", "req_"))
    assert his.run("deny", other, "--comment", "no").code == 0
    assert hers.run("withdraw", "root@web-1").code == 1
    assert hers.run("withdraw", "web-1").out.strip() == f"{first} is withdrawn."
    leaver = his.run("approve", "web-1", "--yes")
    assert (leaver.code, "None of the things that wait for you goes by web-1." in leaver.err) == (1, True), leaver.err


def test_a_proposal_goes_by_its_title_and_by_who_proposed_it(office: Office, terminal: NewTerminal) -> None:
    ada, bob = (terminal().signed_in(office.join("administrator", name=name)) for name in ("Ada", "Bob"))
    eve, mia = office.join("engineer", name="Eve"), office.join("engineer", name="Mia")
    for person in (eve, mia):
        assert ada.run("people", "disable", person, "--reason", "left", "--yes").code == 0
        assert ada.run("people", "erase", person, "--reason", "asked for", "--yes").code == 0
    several = bob.run("deny", "Ada Example")
    assert (several.code, "2 things that wait for you go by Ada Example." in several.err) == (1, True), several.err
    agreed = bob.run("approve", "erasing what is known of Eve Example", "--yes")
    assert agreed.code == 0, agreed.err
    assert bob.run("deny", "Ada Example").code == 0


def test_a_live_session_goes_by_target_and_person(office: Office, terminal: NewTerminal) -> None:
    eve = office.join("engineer", name="Eve")
    live = office.session(eve)
    mine = terminal().signed_in(eve)
    ended = mine.run("kill", "eve example")
    assert (ended.code, live in ended.out) == (0, True), ended.err
    assert mine.run("kill", "nobody").code == 1


def test_a_tab_offers_keys_and_users_of_directories(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    bot = office.service("engineer")
    office.record(ScimUserSet("usr_9", "okta", None, True, 3, "takeover", "stk_1", "eve@corp.example", "", "{}", bot))
    ada = terminal().signed_in(office.join("administrator"))
    file = tmp_path / "bot.pub"
    file.write_text(new_key() + " ci", encoding="ascii")
    assert ada.run("people", "key", bot, "--file", str(file), "--network", "192.0.2.0/24").code == 0
    assert tab(ada, "people", "remove-key", bot, "c") == ["ci"]
    assert tab(ada, "scim", "agree", "eve") == ["eve@corp.example"]


def test_a_list_of_nothing_says_that_there_is_no_such_resource_and_which_are_called_alike(
    office: Office, terminal: NewTerminal
) -> None:
    mine = terminal().signed_in(office.join("engineer"))
    unknown = mine.run("ls", "wbe-1")
    assert unknown.code == 0
    assert "No resource that you can reach or ask for has “wbe-1”" in unknown.out
    assert "Did you mean: web-1" in unknown.out
    assert "All of them: onepam ls --all" in mine.run("ls", "zzz").out
    asked_for = mine.run("ls", "web-1").out
    assert "Nothing with “web-1” is open to you now. What you may ask for: onepam ls web-1 --all" in asked_for


def test_a_tab_offers_targets_sessions_and_people(office: Office, terminal: NewTerminal) -> None:
    eve, ada = office.join("engineer", name="eve"), office.join("administrator")
    hers, adas = terminal().signed_in(eve), terminal().signed_in(ada)
    assert "web-1" in tab(hers, "request", "we")
    assert {"app@web-1", "root@web-1"} & set(tab(hers, "request", "app@we")) == {"app@web-1"}
    assert tab(hers, "request", "zzz") == []
    asked = hers.run("request", "app@web-1", "--reason", "restart", "--json")
    assert tab(hers, "withdraw", "req_") == [asked.json["request"]]
    assert tab(hers, "withdraw", "app") == ["app@web-1"]
    made = adas.run("people", "add", "Tab Key", "tab.key@example.com", "--because", "hired")
    assert made.code == 0, made.err
    assert tab(adas, "people", "show", "tab") == ["tab.key@example.com"]
    assert tab(hers, "people", "show", "tab") == [], "whoever may not list people is offered none"
    assert tab(terminal(), "request", "we") == [], "not signed in"


def test_a_search_without_an_answer_says_what_was_sought(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("engineer"))
    assert "No resource that you can reach or ask for has “zzz”" in mine.run("ls", "zzz").out
    assert "No resource that you can reach or ask for has “zzz”" in mine.run("ls", "zzz", "--all").out


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_are_offered_the_same(office: Office, terminal: NewTerminal, shell: str) -> None:
    mine = terminal().signed_in(office.join("engineer"))
    asked = {
        "_ONEPAM_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "onepam request we",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    ran = CliRunner().invoke(app, [], env=mine.environment(**asked), prog_name="onepam")
    assert "web-1" in ran.output
    assert "zzz" not in ran.output


def test_whoever_decides_in_a_review_names_people_as_it_lists_them(office: Office, terminal: NewTerminal) -> None:
    """They have no right to search people."""
    ana, ina = office.join("engineer", name="Ana Asked"), office.join("engineer", name="Ina Engineer")
    with office.client(office.founder) as founder:
        review = founder.post("/reviews", json={"days": 14, "people": [ana]}).json()["review"]
        given = founder.post(f"/reviews/{review}/pass", json={"person": ana, "role": "engineer", "to": ina})
        assert given.status_code == 200, given.text
    theirs = terminal().signed_in(ina)
    assert "Kept." in theirs.run("review", "keep", review, "ana asked example", "engineer").out
    assert "Removed" in theirs.run("review", "remove", review, ana, "engineer").out
    assert theirs.run("review", "keep", review, "Ana Asked", "engineer").code == 1
