"""Which part of a backup a file goes to: keys by what they are, at any depth; nothing is left out without a word."""

import asyncio
import secrets
import subprocess
from pathlib import Path

import pytest

from onepam.boot.commands import backup
from onepam.boot.commands.setup import rotate_master_key
from onepam.jobs.recording_check import key_beside, new_key_beside
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.boot.test_backup import Backed, tree

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1200)]


def envelope(data: Path) -> Envelope:
    return Envelope(FileKeys.create(data / "master-keys.json", secrets.token_bytes), secrets.token_bytes)


async def test_keys_are_kept_apart_at_any_depth(tmp_path: Path) -> None:
    """The folder of a signer that continue-after-loss set aside, and copies that somebody made under other names."""
    of = Backed(tmp_path)
    await of.live(1)
    aside = of.data / "before-26"
    aside.mkdir()
    (aside / "log-key").write_text("public")
    subprocess.run(["cp", "-r", of.data / "signer", aside / "signer"], check=True)
    (of.data / "old").mkdir()
    for name, source in (("mk.bak", "master-keys.json"), ("k", "signer/key")):
        (of.data / "old" / name).write_bytes((of.data / source).read_bytes())
    done = await asyncio.to_thread(of.back_up)
    assert done.returncode == 0, done.stderr
    copied, apart = tree(of.copy), tree(of.keys)
    assert "before-26/log-key" in copied
    assert {"before-26/signer/key", "before-26/signer/state", "old/mk.bak", "old/k"} <= apart.keys()
    assert not [name for name, data in copied.items() if b"PRIVATE KEY" in data or b'"current"' in data]
    done = await asyncio.to_thread(of.restore)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (of.new / "before-26" / "signer" / "key").read_bytes() == (of.data / "signer" / "key").read_bytes()


@pytest.mark.parametrize("linked", ["log/checkpoint", "log", "log-key"])
async def test_a_link_is_not_left_out_without_a_word(tmp_path: Path, linked: str) -> None:
    of = Backed(tmp_path)
    await of.live(1)
    away = tmp_path / "away"
    (of.data / linked).rename(away)
    (of.data / linked).symlink_to(away)
    done = await asyncio.to_thread(of.back_up)
    if linked == "log":
        assert done.returncode == 0, done.stderr
        assert "log/checkpoint" in tree(of.copy)
        return
    assert done.returncode == 4
    assert f"{of.data / linked} is a link" in done.stderr
    assert not of.copy.exists()
    assert not of.keys.exists()


async def test_keys_that_are_rotated_beside_a_backup_open_what_it_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = Backed(tmp_path)
    await of.live(1)
    new_key_beside(of.data / "recordings", envelope(of.data), secrets.token_bytes)("ses_1")
    real = backup.Copy.put

    def put(self: backup.Copy, name: str, *given: object) -> None:
        real(self, name, *given)  # type: ignore[arg-type]
        if name in ("ledger.db", "master-keys.json"):
            rotate_master_key(of.data)

    monkeypatch.setattr(backup.Copy, "put", put)
    backup.back_up(of.data, of.copy, of.keys)
    done = await asyncio.to_thread(of.restore)
    assert done.returncode == 0, done.stdout + done.stderr
    assert key_beside(of.new / "recordings", envelope(of.new))("ses_1")
