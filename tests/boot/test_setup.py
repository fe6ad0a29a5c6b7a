"""Founding an installation from the command line, and the operator's other commands on its own machine."""

import asyncio
import re
import secrets
from pathlib import Path

import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.clock import wall_clock
from onepam.domain.history.commit import Decided
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.kernel.clock import Instant
from onepam.signing.author import NodeAuthor
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.rebuild import compare
from tests.forked import onepam

ADMINS = ("--admin", "Ada Admin <ada@example.com>", "--admin", "Ben Backup <ben@example.com>")


def sign_somebody_in(data: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(data / "ledger.db", NodeAuthor.uncertified("nod_test"), wall_clock, secrets.token_bytes)
        now = wall_clock()
        opened = SignedIn(
            "sgn_1", "per_1", SignInKind.CONSOLE, (FactorKind.PASSKEY,), now, Instant(now + 1), None, token_digest="x"
        )
        await ledger.commit(NoFacts(), lambda facts, at: Decided((opened,), None))
        ledger.close()

    asyncio.run(run())


def test_an_installation_is_founded_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = onepam("setup", *ADMINS, "--data", str(data))
    assert done.returncode == 0, done.stderr
    links = re.findall(r"^(Ada Admin|Ben Backup): (http\S+/enrol/enr_\S+)$", done.stdout, re.MULTILINE)
    assert [name for name, _ in links] == ["Ada Admin", "Ben Backup"]
    assert "ssh-ed25519 " in done.stdout
    again = onepam("setup", *ADMINS, "--data", str(data))
    assert again.returncode == 0, again.stderr
    assert compare(data / "ledger.db") == []
    sign_somebody_in(data)
    late = onepam("setup", "--admin", "Mal Lory <mal@example.com>", "--data", str(data))
    assert late.returncode == 1
    assert "Somebody has signed in already" in late.stdout


@pytest.mark.parametrize("admin", ["Ada", "ada@example.com", "<ada@example.com>", "Ada <ada>x"])
def test_an_administrator_has_a_name_and_an_address(admin: str, tmp_path: Path) -> None:
    done = onepam("setup", "--admin", admin, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "Name <address>" in done.stderr


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("version: 1\nroles:\n  admin:\n    purpos: x\n", r"access\.yaml:4:5: .*purpos"),
        ("roles: [oops\n", r"access\.yaml:\d+:\d+: "),
        (
            "version: 1\ngroups:\n  administrators: {members: [ada@example.com, typo@example.com]}\n",
            r"access\.yaml:3:\d+: Nobody here has the address typo@example\.com",
        ),
        (None, "No such file"),
    ],
    ids=["unknown word", "no YAML", "unknown person", "no file"],
)
def test_a_wrong_first_matrix_is_named_by_line_before_anything_is_made(
    text: str | None, found: str, tmp_path: Path
) -> None:
    """Above all no recovery key: the run that is right shows the one that is in force."""
    access, data = tmp_path / "access.yaml", tmp_path / "data"
    if text is not None:
        access.write_text(text, "utf-8")
    done = onepam("setup", *ADMINS, "--access", str(access), "--data", str(data))
    assert done.returncode == 4
    assert re.search(found, done.stderr), done.stderr
    assert "Recovery key" not in done.stdout
    assert not (tmp_path / "data.recovery-key").exists()
    right = onepam("setup", *ADMINS, "--data", str(data))
    assert right.returncode == 0, right.stderr
    assert "Recovery key: " in right.stdout


def test_founders_are_judged_before_anything_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = onepam("setup", "--admin", "Ada Admin <ada@nowhere>", "--data", str(data))
    assert done.returncode == 4
    assert "ada@nowhere" in done.stderr
    assert sorted(tmp_path.iterdir()) == []


def test_authorities_and_keys(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert onepam("setup", *ADMINS, "--data", data).returncode == 0
    first = onepam("authorities", "--data", data)
    assert first.returncode == 0, first.stderr
    assert "TrustedUserCAKeys" in first.stdout
    assert "@cert-authority localhost,[localhost]:2022 ssh-ed25519 " in first.stdout
    rotated = onepam("vault", "rotate", "--data", data)
    assert rotated.returncode == 0, rotated.stderr
    assert "5 keys are under the current master key now" in rotated.stdout
    assert onepam("authorities", "--data", data).stdout == first.stdout
    assert "0 keys" in onepam("vault", "rewrap", "--data", data).stdout


def test_a_clock_that_did_not_jump_needs_no_word(tmp_path: Path) -> None:
    assert onepam("setup", *ADMINS, "--data", str(tmp_path / "data")).returncode == 0
    done = onepam("ledger", "confirm-clock", "nod_a", "--by", "Ada", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "The clock of nod_a is not one that has jumped" in done.stderr
