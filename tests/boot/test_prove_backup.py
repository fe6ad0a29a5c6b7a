"""A backup is proven by restoring it beside the history that goes on; ledger, light and metrics hear of it."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from onepam.boot.commands import prove_backup
from onepam.boot.commands.backup import Contents
from onepam.boot.platform import Platform
from onepam.boot.web.measuring import Measuring
from onepam.domain.host.backups import BackupFacts, BackupMade, BackupProven
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault
from onepam.store.read.backups import backups
from tests.boot.test_backup import Backed, config_of, tree
from tests.forked import onepam

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]


async def test_a_backup_is_proven_and_told_by_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = Backed(tmp_path)
    await of.live(3)
    assert (await asyncio.to_thread(of.back_up)).returncode == 0
    await of.live(5)  # the history goes on: the copy fits its beginning

    copied, words = tree(of.copy) | tree(of.keys), of.data / "untold-backups"
    done = await asyncio.to_thread(onepam, "prove-backup", of.copy, "--keys", of.keys, "--data", of.data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is proven: it restores" in done.stdout
    assert tree(of.copy) | tree(of.keys) == copied

    altered, left = tmp_path / "altered", tree(words)
    shutil.copytree(of.copy, altered)
    (altered / "log-key").write_bytes(b"another")
    fewer, their_keys = tmp_path / "fewer", tmp_path / "keys-of-fewer"
    listed = [Contents.decode((each / "backup.json").read_bytes()) for each in (of.copy, of.keys)]
    said = replace(listed[0], entries=1)
    for copy, to, list_ in ((of.copy, fewer, said), (of.keys, their_keys, replace(listed[1], other=said.digest))):
        shutil.copytree(copy, to)
        (to / "backup.json").write_bytes(list_.encode())
    for copy, keys, root, fails, says in (
        (altered, of.keys, None, Fault, "log-key is altered"),
        (of.keys / "signer", of.keys, None, Fault, "it has no backup.json"),
        (fewer, their_keys, None, Fault, "more entries than 1, or changes"),
        (of.copy, of.keys, lambda size: None, Fault, "this is not where it was made"),
        (of.copy, of.keys, lambda size: b"other" + bytes(27), typer.Exit, "1"),
    ):
        if root is not None:
            monkeypatch.setattr(prove_backup, "roots_of", lambda database, root=root: root)
        with pytest.raises(fails, match=says):
            prove_backup.prove(of.data, copy, keys)
    assert tree(words) == left, "no word of what is not proven"
    assert not (of.data / ".proving").exists()

    told = {name: json.loads(word) for name, word in left.items()}
    async with Platform(config_of(of.data)).running() as platform:
        made, proven = None, None
        async for batch in platform.ledger.follow(0):
            made = next((each.event for each in batch if isinstance(each.event, BackupMade)), made)
            proven = next((each.event for each in batch if isinstance(each.event, BackupProven)), proven)
            if proven is not None:
                break
        assert made is not None
        assert proven is not None
        known = await platform.reader(backups)
        measuring = Measuring(platform)
        await measuring._follow()
        ages = {each.name: [sample.value >= 0 for sample in each.samples] for each in measuring._backups()}
    assert {made.backup, proven.backup} == {each["backup"] for each in told.values()}
    assert made.digest == proven.digest == json.loads((of.keys / "backup.json").read_text("utf-8"))["other"]
    assert made.copied < proven.proven
    assert known == BackupFacts(Instant(made.copied), Instant(proven.proven))
    assert made.entries == json.loads((of.copy / "backup.json").read_text("utf-8"))["entries"]
    assert ages == {"onepam_backup_age_seconds": [True], "onepam_backup_proof_age_seconds": [True]}
