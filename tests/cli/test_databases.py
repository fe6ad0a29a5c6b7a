"""Login tokens and secrets of targets on the command line, against a real gateway's API."""

import json
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from onepam.cli.database_files import named
from onepam.domain.access.model import Action, Mode, Permission, ResourceKind
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
    assert "Use it within 9 min" in made.err or "Use it within 10 min" in made.err
    root = hers.home / "database-root.crt"
    assert root.read_bytes() == office.services.database_root()
    assert (
        f"psql 'host=127.0.0.1 port=5433 user=app@orders dbname=DATABASE sslmode=verify-full sslrootcert={root}'"
        in made.err
    )
    assert f"/DATABASE?user=app%40orders&sslmode=verify-full&sslrootcert={quote(str(root), safe='')}" in made.err
    assert hers.run("token", "orders", "--as", "root").code == 1
    office.record(replace(database_set("shop", {"kind": "database"}, ResourceKind.MYSQL), address="127.0.0.1"))
    said = hers.run("token", "shop", "--as", "app").err
    line = "mariadb --host=127.0.0.1 --port=3307 --user=app@shop --ssl-verify-server-cert --password --ssl-ca="
    assert line + str(root) in said
    assert "jdbc:mysql://127.0.0.1:3307/DATABASE?user=app%40shop&sslMode=VERIFY_IDENTITY" in said
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


def services(path: Path) -> dict[str, dict[str, str]]:
    """Of a file of services, by name."""
    found: dict[str, dict[str, str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            found[line[1:-1]] = last = {}
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            last[name] = value
    return found


def test_login_writes_a_service_for_each_database(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer"), terminal()
    asked = Permission("asks", (Action.QUERY,), {"kind": "stock"}, ("app",), Mode.REQUEST, HOUR)
    office.record(
        replace(database_set("sales", {"kind": "sales"}), address="127.0.0.1"),
        replace(database_set("stock", {"kind": "stock"}), address="127.0.0.1"),
        role_set("seller", [replace(READS, where={"kind": "sales"}), asked]),
        binding(eve, "seller"),
    )
    own = mine.folder / ".pg_service.conf"
    own.write_text("[mine]\nhost=elsewhere")
    own.chmod(0o640)
    ran = mine.run("login", "--gateway", office.url, BROWSER=mine.browser(eve))
    assert ran.code == 0, ran.err
    assert f"export PGSERVICEFILE={mine.home}/pg_service.conf" in ran.out
    assert (
        f"PGSERVICEFILE={mine.home}/pg_service.conf psql 'service=sales-app dbname=DATABASE'"
        in mine.run("ls", "sales").out
    )
    for name in ("database.key", "database.crt", "database-root.crt", "pg_service.conf"):
        assert stat.S_IMODE((mine.home / name).stat().st_mode) == 0o600, name
    written = services(mine.home / "pg_service.conf")
    assert set(written) == {"sales-app", "stock-app"}, "also what may be asked for"
    assert written["sales-app"] == {
        "host": "127.0.0.1", "port": "5433", "user": "app@sales", "sslmode": "verify-full",
        "sslrootcert": f"{mine.home}/database-root.crt",
        "sslcert": f"{mine.home}/database.crt", "sslkey": f"{mine.home}/database.key",
    }  # fmt: skip
    assert own.read_text() == "[mine]\nhost=elsewhere"

    for _ in range(2):
        ran = mine.run("login", "--gateway", office.url, "--configure-psql", "--json", BROWSER=mine.browser(eve))
        assert ran.json["services"] == ["sales-app", "stock-app"]
    assert services(own) == {"mine": {"host": "elsewhere"}, **written}
    assert own.read_text().count(">>> onepam") == 1
    assert stat.S_IMODE(own.stat().st_mode) == 0o640
    assert "PGSERVICEFILE" not in mine.run("ls", "sales").out
    assert "psql 'service=sales-app dbname=DATABASE'" in mine.run("ls", "sales").out
    assert mine.run("logout").code == 0
    assert not (mine.home / "database.key").exists()
    assert not (mine.home / "pg_service.conf").exists()


def test_two_databases_never_share_a_service() -> None:
    assert named([("b-c", "a"), ("c", "a-b"), ("app", "orders"), ("a pp", "orders")]) == {
        "b-c@a": ("b-c", "a"),
        "c@a-b": ("c", "a-b"),
        "orders-app": ("app", "orders"),
    }
