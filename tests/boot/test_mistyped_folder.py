"""A mistyped `--data`: commands on the host say so, and make no second installation beside the real one."""

from pathlib import Path

import pytest

from tests.forked import onepam

COMMANDS = {
    "authorities": ["authorities"],
    "recovery key": ["recovery-key", "renew", "--no-with-key"],
    "clock": ["ledger", "confirm-clock", "--by", "Ada"],
    "loss": ["ledger", "continue-after-loss", "--origin", "a/2", "--because", "lost", "--no-with-key"],
    "verify": ["ledger", "verify"],
    "rotate": ["vault", "rotate"],
    "rewrap": ["vault", "rewrap"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_mistyped_folder_is_named_and_not_made(command: str, tmp_path: Path) -> None:
    folder = tmp_path / "onpeam"
    done = onepam(*COMMANDS[command], "--data", folder)
    assert done.returncode == 2, done.stderr
    assert "there is no installation in" in done.stderr
    assert list(tmp_path.iterdir()) == []
