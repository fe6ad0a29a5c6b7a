"""What `onepam login` writes for ssh, read by ssh itself (`ssh -G`)."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from onepam.cli.home import Home
from onepam.cli.ssh_files import NAMES_A_LINE, targets, write_ssh

GATEWAY = {
    "gateway": {
        "host": "pam.example.com",
        "port": 2022,
        "known_hosts": "@cert-authority pam.example.com ssh-ed25519 AAAA",
    },
    "certificate": "ssh-ed25519-cert-v01@openssh.com AAAA",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ONEPAM_HOME", str(tmp_path / "onepam"))
    return Home()


def reach(resource: str, login: str, kind: str = "ssh") -> dict[str, Any]:
    return {"resource": resource, "login": login, "kind": kind}


def asked(home: Home, *arguments: str) -> set[str]:
    """What ssh would do."""
    command = ["ssh", "-G", "-F", str(home.ssh_config), *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def test_a_target_is_reached_by_its_name_through_the_gateway(home: Home) -> None:
    many = [reach(f"node-{number}", "root") for number in range(2 * NAMES_A_LINE)]
    found = targets(
        {"open": [reach("web-1", "deploy"), *many], "requestable": [reach("web-1", "admin"), reach("db-2", "ops")]},
        home,
    )
    write_ssh(home, "key", "ssh-ed25519 AAAA", GATEWAY, found)
    for name, user in (("db-2", "ops"), ("node-0", "root"), (f"node-{2 * NAMES_A_LINE - 1}", "root")):
        assert {f"user {user}", f"hostname {name}", "port 22", "proxyjump onepam"} <= asked(home, name)
    assert "user admin" in asked(home, "admin@web-1")
    assert not {"user deploy", "user admin"} & asked(home, "web-1"), "of several none is chosen"
    gateway = asked(home, "onepam")
    assert {"hostname pam.example.com", "port 2022", "user onepam"} <= gateway
    assert not [each for each in gateway if each.startswith("proxyjump")]
    assert home.known_hosts.read_text() == "@cert-authority * ssh-ed25519 AAAA\n"


def test_what_a_person_calls_something_else_stays_theirs(home: Home) -> None:
    own = Path("~/.ssh/config").expanduser()
    own.parent.mkdir()
    own.write_text('Include x\nhost=Mine "quoted-1"\n  HostName 192.0.2.1\nHost two *.example.com\n')
    names = ("mine", "quoted-1", "two", "onepam", "localhost", "*", "a b", "ok-1", "pam.example.com")
    logins = [reach("ok-1", "x\n    ProxyCommand evil"), reach("db-1", "app", "postgres")]
    found = targets({"open": [*(reach(name, "root") for name in names), *logins], "requestable": []}, home)
    assert found == {"ok-1": {"root"}, "pam.example.com": {"root"}}
    write_ssh(home, "key", "ssh-ed25519 AAAA", GATEWAY, found)
    assert not [each for each in asked(home, "pam.example.com") if each.startswith("proxyjump")]
    assert "proxyjump onepam" in asked(home, "ok-1")


def test_what_is_included_is_a_person_s_own_too(home: Home) -> None:
    """As ssh finds it: beside the configuration, by patterns, within each other; what we wrote is not."""
    own = Path("~/.ssh/config").expanduser()
    (own.parent / "conf.d").mkdir(parents=True)
    (own.parent / "with space").write_text("Match originalhost in-match,in-list user root\n")
    work = own.parent / "conf.d" / "work"
    work.write_text('Host In-Work\nInclude "with space"\nInclude config conf.d/missing\n')
    (home.folder).mkdir()
    (home.folder / "near").write_text("host\tnear\n")
    own.write_text(f'Include "{home.ssh_config}"\ninclude = conf.d/*\n  Include {home.folder}/near ~/.ssh/conf.d\n')
    names = ("in-work", "in-match", "in-list", "near", "web-1")
    for _ in range(2):
        found = targets({"open": [reach(name, "root") for name in names], "requestable": []}, home)
        assert found == {"web-1": {"root"}}
        write_ssh(home, "key", "ssh-ed25519 AAAA", GATEWAY, found)


def test_without_targets_there_is_the_gateway_alone(home: Home) -> None:
    write_ssh(home, "key", "ssh-ed25519 AAAA", GATEWAY, targets({"open": [], "requestable": []}, home))
    assert home.ssh_config.read_text().count("Host ") == 1
