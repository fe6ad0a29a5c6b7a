"""`onepam accounts` from a list to what is found."""

from pathlib import Path

from tests.api.office import Office
from tests.cli.conftest import NewTerminal


def test_lists_of_accounts_by_the_terminal(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    ada, eve = office.join("administrator", name="ada"), office.join("engineer", name="eve")
    hers, other = terminal().signed_in(ada), terminal().signed_in(office.join("administrator", name="bob"))
    file = tmp_path / "crm.csv"
    assert hers.run("accounts", "import", str(file), "--system", "crm").code == 2
    file.write_text("account,right,email\neve,,\n", "utf-8")
    assert "it is empty" in hers.run("accounts", "import", str(file), "--system", "crm").err
    file.write_text("account,right\nx1,read\nx2,write\nx3,read\n", "utf-8")
    take = ("accounts", "import", str(file), "--system", "crm", "--made", "2020-01-02T03:04:05Z")
    planned = hers.run(*take, "--dry-run")
    assert "It would be 3 accounts; 3 added, 0 changed, 0 gone, 3 with nobody behind them." in planned.out, planned.err
    assert "crm" not in hers.run("accounts", "ls").out
    taken = hers.run(*take)
    assert "In force: 3 accounts" in taken.out, taken.err
    assert "crm" in hers.run("accounts", "ls").out
    found = hers.run("accounts", "findings")
    assert "nobody stands behind it" in found.out
    assert hers.run("accounts", "link", "crm", "x1").code == 2
    assert "It is said so." in hers.run("accounts", "link", "crm", "x1", eve).out
    assert "It is said so." in hers.run("accounts", "link", "crm", "x2", "--nobody").out
    shown = hers.run("accounts", "show", "crm")
    assert all(word in shown.out for word in ("x1", "Eve Example", "somebody said so")), shown.err
    assert "x1" not in hers.run("accounts", "show", "crm", "--finding", "nobody").out
    assert "It is said so." in hers.run("accounts", "owner", "crm", eve, "--days", "5").out

    file.write_text("account,right\nx1,read\n", "utf-8")
    held = hers.run(*take[:-1], "2020-01-03T00:00:00Z")
    assert (held.code, "more than half" in held.out) == (1, True), held.err
    (row,) = [each for each in hers.run("accounts", "ls", "--json").json if each["system"] == "crm"]
    digest = row["held"]["digest"]
    assert digest in hers.run("accounts", "ls").out
    own = hers.run("accounts", "release", "crm", digest, "--yes", "--json")
    assert (own.code, "account_list.self_release" in own.err) == (1, True)
    assert "Released" in other.run("accounts", "release", "crm", digest, "--yes").out
    again = hers.run(*take[:-1], "2020-01-03T00:00:00Z", "--json")
    assert (again.json["outcome"], again.json["gone"]) == ("taken", 2)
    older = hers.run(*take, "--json")
    assert (older.code, "account_list.older" in older.err) == (1, True)
