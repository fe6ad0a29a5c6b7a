"""Login tokens and secrets of targets on the command line, against a real gateway's API."""

import json
import subprocess
import sys
from dataclasses import replace

from onepam.domain.access.model import Action, Mode, Permission
from onepam.kernel.clock import HOUR
from tests.api.office import Office
from tests.cli.conftest import NewTerminal
from tests.cli.terminal import Terminal
from tests.company import binding, database_set, role_set

READS = Permission("reads", (Action.QUERY,), {"kind": "database"}, ("app",), Mode.STANDING, HOUR)


def given(terminal: Terminal, value: str) -> subprocess.CompletedProcess[str]:
    """`onepam secrets set` with this on its standard input."""
    words = [sys.executable, "-m", "onepam.cli.main", "secrets", "set", "orders", "app"]
    return subprocess.run(words, env=terminal.environment(), input=value, capture_output=True, text=True, timeout=60)


def test_a_token_and_a_secret(office: Office, terminal: NewTerminal) -> None:
    eve, ada = office.join("engineer"), office.join("administrator")
    office.record(
        replace(database_set("orders", {"kind": "database"}), address="127.0.0.1"),
        role_set("reader", [READS]),
        binding(eve, "reader"),
    )
    hers, admin = terminal().signed_in(eve), terminal().signed_in(ada)
    made = hers.run("token", "orders", "--as", "app")
    assert made.code == 0, made.err
    assert made.out.startswith("opl_")
    assert "user=app@orders" in made.err
    assert hers.run("token", "orders", "--as", "root").code == 1
    listed = hers.run("ls", "orders")
    assert "onepam token orders --as app" in listed.out
    assert "ssh" not in listed.out
    (opened,) = hers.run("ls", "orders", "--json").json["open"]
    assert (opened["kind"], opened["command"]) == ("postgres", "onepam token orders --as app")
    assert hers.run("secrets", "ls").code == 1
    assert "No secret yet" in admin.run("secrets", "ls").out
    kept = given(admin, "s3cret-canary\n")
    assert kept.returncode == 0, kept.stderr
    assert "Version 1 is stored, and waits" in kept.stdout
    listed = admin.run("secrets", "ls", "--json")
    assert [(each["resource"], each["login"], each["status"]) for each in listed.json] == [("orders", "app", "waiting")]
    assert "canary" not in listed.out
    assert given(admin, "").returncode == 2
    assert admin.run("secrets", "remove", "orders", "app").code == 0
    again = admin.run("secrets", "remove", "orders", "app", "--json")
    assert (again.code, json.loads(again.err)["code"]) == (1, "secret.unknown")
