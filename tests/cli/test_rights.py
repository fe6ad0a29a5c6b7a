"""Roles that match the work, from a terminal: what if, what nobody uses, where matrix and world differ."""

from pathlib import Path

from tests.api.office import Office
from tests.cli.conftest import NewTerminal
from tests.cli.test_matrix import _FILE, WHY, email


def test_whether_roles_match_the_work(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    ada, bob = office.join("administrator", name="ada"), office.join("administrator", name="bob")
    eve = office.join(name="eve")
    hers, his = terminal().signed_in(ada), terminal().signed_in(bob)
    file = tmp_path / "access.yaml"
    base = _FILE.format(ada=email(ada), bob=email(bob))
    base += f"  - {{role: engineer, person: {email(eve)}, because: joined}}\n"
    apart = "separate: {duties: {roles: [administrator, engineer], because: Nobody grants what they use}}\n"
    file.write_text(base + apart)
    proposed = hers.run("apply", str(file), *WHY, "--yes", "--json").json
    assert his.run("approve", proposed["change"], "--yes").code == 0

    both = base + f"  - {{role: administrator, person: {email(eve)}, because: helps}}\n" + apart
    file.write_text(both)
    seen = hers.run("what-if", str(file))
    assert seen.code == 0, seen.err
    assert "! Eve Example would hold administrator and engineer, kept apart by duties: Nobody grants" in seen.out
    refused = hers.run("apply", str(file), *WHY, "--yes")
    assert refused.code == 1
    assert "kept apart would come together" in refused.err
    alone = hers.run("what-if", "--person", eve, "--role", "engineer", "--without")
    assert "lose" in alone.out
    assert "No live session would end." in alone.out
    assert hers.run("what-if").code == hers.run("what-if", "--person", eve).code == 2

    assert "engineer" in hers.run("unused").out
    assert hers.run("unused", "--json").json["roles"][0]["role"] == "engineer"
    assert hers.run("unused", "--plan").out == base + apart
    assert hers.run("unused", "--suggest").out == ""
    assert hers.run("unused", "--plan", "--json").json["done"] == []
    assert hers.run("unused", "--suggest", "--json").json == []
    told = hers.run("matrix", "--difference")
    assert "of" in told.out
    assert "administer something" in told.out
    assert "differences: onepam matrix --difference" in hers.run("matrix").out
    assert hers.run("matrix", "--json").json["designed"] is True
    assert terminal().signed_in(eve).run("matrix").code == 1
