"""Signing in through a browser, and what OpenSSH makes of what was written."""

import re
import stat
import subprocess
import sys
import threading
from urllib.parse import parse_qs, urlsplit

import httpx2

from onepam.kernel.clock import parse
from tests.api.office import Office, now
from tests.cli.conftest import NewTerminal


def test_login_with_a_browser(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer", name="eve"), terminal()
    ran = mine.run("login", "--gateway", office.url + "/", "--json", BROWSER=mine.browser(eve))
    assert ran.code == 0, ran.err
    assert ran.json["person"] == eve
    assert 9 < (parse(ran.json["expires"]) - now()) / 3.6e9 <= 12
    for name in ("session.json", "id_ed25519", "ssh_config"):
        assert stat.S_IMODE((mine.home / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(mine.home.stat().st_mode) == 0o700
    said = subprocess.run(
        ["ssh-keygen", "-L", "-f", mine.home / "id_ed25519-cert.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert f"onepam-person:{eve}" in said
    assert f'Key ID: "{ran.json["session"]}"' in said
    config = subprocess.run(
        ["ssh", "-G", "-F", mine.home / "ssh_config", "app@web-1@onepam"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {"hostname 127.0.0.1", "port 2022", "user app@web-1", "identitiesonly yes"} <= set(config)
    assert f"certificatefile {mine.home}/id_ed25519-cert.pub" in config
    who = mine.run("whoami", "--json")
    assert (who.code, who.json["session"]) == (0, ran.json["session"])
    assert [each["kind"] for each in certificates(office, ran.json["session"])] == ["certificate.issued"]


def certificates(office: Office, session: str) -> list[dict[str, str]]:
    """The ledger's entries of certificates under a CLI session."""
    from onepam.app.ports import Snapshot
    from onepam.kernel.clock import Instant
    from onepam.store.engine.entries import entries_of

    def read(db: Snapshot, at: Instant) -> list[dict[str, str]]:
        found = entries_of(db, ("certificate.issued",))
        return [{"kind": each.header.kind} for each in found if each.event.session == session]

    return office.reader.now(read)


def test_the_include_line_is_added_once(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer"), terminal()
    own = mine.folder / ".ssh" / "config"
    own.parent.mkdir(mode=0o700)
    own.write_text("Host elsewhere\n    Port 2200\n")
    own.chmod(0o644)
    for _ in range(2):
        ran = mine.run("login", "--gateway", office.url, "--configure-ssh", BROWSER=mine.browser(eve))
        assert ran.code == 0, ran.err
    assert own.read_text() == f'Include "{mine.home}/ssh_config"\nHost elsewhere\n    Port 2200\n'
    assert stat.S_IMODE(own.stat().st_mode) == 0o644
    listed = mine.run("ls")
    assert "ssh app@dev-1@onepam" in listed.out
    assert "-F" not in listed.out


def test_login_without_a_browser(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer"), terminal()
    asked = subprocess.Popen(
        [sys.executable, "-m", "onepam.cli.main", "login", "--gateway", office.url, "--no-browser"],
        env=mine.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asked.stderr is not None
    address = next(line.strip() for line in asked.stderr if "http" in line)
    rest = threading.Thread(target=asked.stderr.read)
    rest.start()
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert set(query) == {"code_challenge", "redirect_uri", "state", "client"}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", query["redirect_uri"])
    with httpx2.Client(trust_env=False) as browser:
        for wrong in ("/callback?code=x&state=wrong", "/callback?code=x", "/", f"/other?state={query['state']}"):
            answer = browser.get(query["redirect_uri"].removesuffix("/callback") + wrong)
            assert answer.status_code == 404
        assert asked.poll() is None
        done = browser.get(f"{address}&person={eve}", follow_redirects=True)
    assert "Signed in" in done.text
    assert asked.wait(30) == 0
    rest.join()
    assert mine.run("whoami").code == 0


def test_refused_in_the_browser(office: Office, terminal: NewTerminal) -> None:
    mine = terminal()
    ran = mine.run("login", "--gateway", office.url, BROWSER=mine.browser(office.founder, "refuse"))
    assert (ran.code, "refused in the browser" in ran.err) == (1, True)
    assert not (mine.home / "session.json").exists()


def test_addresses_that_are_refused(terminal: NewTerminal) -> None:
    mine = terminal()
    assert mine.usage("login") == 2
    for address in ("http://pam.example.com", "ftp://pam.example.com", "https://", "https://u@pam.example.com"):
        assert mine.usage("login", "--gateway", address) == 2, address


def test_logout(office: Office, terminal: NewTerminal) -> None:
    eve, mine = office.join("engineer"), terminal()
    assert mine.run("login", "--gateway", office.url, BROWSER=mine.browser(eve)).code == 0
    token = (mine.home / "session.json").read_text()
    assert mine.run("logout").code == 0
    left = sorted(path.name for path in mine.home.iterdir())
    assert left == ["gateway", "known_hosts", "ssh_config"]
    (mine.home / "session.json").write_text(token)
    ended = mine.run("whoami", "--json")
    assert ended.code == 3
    assert '"code": "token.missing"' in ended.err
    (mine.home / "session.json").unlink()
    assert mine.run("whoami").code == 3
    assert mine.run("logout").code == 0
