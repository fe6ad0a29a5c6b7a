"""`onepam policy`: published from a file, listed, confirmed."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from tests.api.office import Office
from tests.cli.conftest import NewTerminal


def test_policies_by_the_terminal(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    ada, eve = office.join("administrator", name="ada"), office.join("engineer", name="eve")
    hers, theirs = terminal().signed_in(ada), terminal().signed_in(eve)
    assert "No policy is in force." in theirs.run("policy").out
    file = tmp_path / "Access control.md"
    file.write_text("Nobody shares a key.\n", "utf-8")
    day = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    told = ("policy", "add", str(file), "--name", "access", "--owner", "Eve Example", "--review-by", day)
    assert "right.missing" in theirs.run(*told[:-4], "--owner", eve, *told[-2:], "--json").err
    added = hers.run(*told, "--note", "the first")
    assert (added.code, added.out.strip()) == (0, "Version 1 of access is in force from now on."), added.err
    same = hers.run(*told, "--json")
    assert (same.code, "policy.same" in same.err) == (1, True)
    listed = theirs.run("policy").out
    assert "read and confirm" in listed
    assert "Access control" in listed
    digest = sha256(file.read_bytes()).hexdigest()
    assert digest in theirs.run("policy", "show", "access").out
    assert "Ada Example" in hers.run("policy", "show", "access").out
    assert theirs.run("policy", "confirm", "access", "--digest", digest).out.strip().startswith("Confirmed")
    assert "confirmed" in theirs.run("policy").out
    assert theirs.run("policy", "--json").json[0]["confirmed"] is not None
    assert theirs.run("policy", "show", "access", "--json").json["policy"]["done"] == 1
    assert theirs.run("policy", "show", "none").code == 1
