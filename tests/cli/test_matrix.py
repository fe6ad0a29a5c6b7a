"""`access.yaml` from plan to a second administrator's approval."""

from pathlib import Path

from tests.api.office import Office
from tests.cli.conftest import NewTerminal

_FILE = """\
version: 1
resources:
  dev-1:
    kind: ssh
    address: dev-1.example.com:22
    labels: {{env: dev}}
    owner: {ada}
    logins: [app]
    host_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC4Wv0P6B/rhoR7KvjYV/FNBYckni9jyxz0IO/WmyHWD"]
roles:
  administrator:
    purpose: Keeps OnePAM
    owner: {ada}
    console: [administer]
  engineer:
    purpose: Develops
    owner: {ada}
    permissions:
      dev:
        actions: [shell, exec]
        where: {{env: dev}}
        logins: [app]
        mode: standing
        longest: 8h
bindings:
  - {{role: administrator, person: {ada}, because: founded}}
  - {{role: administrator, person: {bob}, because: founded}}
"""


WHY = ("--title", "Eve joins", "--reason", "she builds the shop", "--ticket", "OPS-7")


def email(person: str) -> str:
    return f"{person[4:]}@example.com"


def test_a_widening_change_takes_two(office: Office, terminal: NewTerminal, tmp_path: Path) -> None:
    ada, bob = office.join("administrator", name="ada"), office.join("administrator", name="bob")
    eve = office.join(name="eve")
    hers, his = terminal().signed_in(ada), terminal().signed_in(bob)
    file = tmp_path / "access.yaml"
    base = _FILE.format(ada=email(ada), bob=email(bob))

    file.write_text(base)
    assert "--reason" in hers.run("apply", str(file), "--yes").err  # nobody to ask why
    narrowed = hers.run("apply", str(file), *WHY, "--yes")
    assert narrowed.code == 0, narrowed.err
    assert "role security" in narrowed.out

    file.write_text(base + f"  - {{role: engineer, person: {email(eve)}, because: joined}}\n")
    plan = hers.run("plan", str(file))
    assert plan.code == 0, plan.err
    assert "Eve Example:" in plan.out
    assert "gain exec, shell as app on dev-1" in plan.out or "gain shell, exec as app on dev-1" in plan.out
    assert "Eve Example" in plan.out
    assert hers.run("apply", str(file), *WHY).code == 2  # nobody to ask, and no --yes
    proposed = hers.run("apply", str(file), *WHY, "--yes", "--json")
    assert proposed.json["outcome"] == "proposed", proposed.err
    change = proposed.json["change"]
    assert hers.run("approve", change, "--yes").code == 1
    assert "Nothing is open" in terminal().signed_in(eve).run("ls").out
    approved = his.run("approve", change, "--yes")
    assert approved.code == 0, approved.err
    assert f"{change} is in force." in approved.out
    assert "app@dev-1" in terminal().signed_in(eve).run("ls").out
    assert hers.run("apply", str(file), *WHY, "--json", "--yes").json["outcome"] == "unchanged"

    taken = hers.run("roles", "take", email(eve), "engineer", "--reason", "moves on", "--yes")
    assert taken.code == 0, taken.err
    assert "In force" in taken.out
    assert "Nothing is open" in terminal().signed_in(eve).run("ls").out
    assert hers.run("roles", "give", email(eve), "engineer", "--yes").code == 2  # nobody says why
    assert "no role pilot" in hers.run("roles", "give", email(eve), "pilot", "--reason", "flies", "--yes").err
    assert hers.run("roles", "take", email(eve), "engineer", "--reason", "again", "--yes").code == 1  # holds it no more
    given = hers.run(
        "roles", "give", eve, "engineer", "--reason", "is back", "--ticket", "OPS-9", "--until", "2036-02-01", "--yes",
        "--json",
    )  # fmt: skip
    assert given.json["outcome"] == "proposed", given.err
    assert his.run("approve", given.json["change"], "--yes").code == 0
    assert "app@dev-1" in terminal().signed_in(eve).run("ls").out
    assert f"Give engineer to {eve}" in hers.run("changes", "--json").json[0]["title"]

    file.write_text(base + f"  - {{role: engineer, person: {email(ada)}, because: joined}}\n")
    assert hers.run("apply", str(file), *WHY, "--yes").code == 1  # the applier would gain
    rejected = his.run("apply", str(file), *WHY, "--yes", "--json").json
    assert rejected["outcome"] == "proposed"
    assert hers.run("deny", rejected["change"], "--comment", "not now").code == 0
    listed = hers.run("changes")
    assert "rejected" in listed.out
    assert "Eve joins" in listed.out
    assert "applied" in listed.out
