"""`onepam controls`: the board in a terminal, and one control."""

from tests.api.office import Office
from tests.cli.conftest import NewTerminal


def test_the_board_by_the_terminal(office: Office, terminal: NewTerminal) -> None:
    ada = office.join("administrator", name="ada")
    hers = terminal().signed_in(ada)
    assert "never tested" in hers.run("controls").out
    assert "no row would fail" in hers.run("controls", "REV-05").out
    tested = hers.run("controls", "IDN-01", "--test")
    assert tested.code == 0, tested.err
    assert all(word in tested.out for word in ("not-tested", "no roster", "Rule, version 1", "Not shown", "Rows: "))
    wrong = hers.run("controls", "IDN-01", "--test", "--json")
    assert (wrong.code, "control.tested_lately" in wrong.err) == (1, True)
    owned = hers.run("controls", "IDN-01", "--owner", ada, "--due", "2099-01-01")
    assert (owned.code, "control.due" in owned.err or "year" in owned.err) == (1, True), owned.err
    owned = hers.run("controls", "--owner", ada)
    assert owned.code == 1
    owned = hers.run("controls", "IDN-01", "--owner", ada, "--json")
    assert owned.json["control"]["owner_name"] == "Ada Example"
    listed = hers.run("controls")
    assert "Ada Example" in listed.out
    assert hers.run("controls", "NO-01").code == 1
    assert "never tested" in hers.run("controls", "--as-of", owned.json["control"]["last"]["until"]).out
