"""Words of backups that were left in the data folder are told to the ledger, each once."""

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.host.backups import Backup, BackupFacts
from onepam.jobs.backups import UNTOLD, Backups, leave_word
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Unavailable
from onepam.store.read.backups import backups
from tests.company import Company

pytestmark = pytest.mark.anyio

OLDER = Backup("bak_aaaaaaaaaaaaaaaa", 3, Instant(50), "0" * 64)
NEWER = Backup("bak_bbbbbbbbbbbbbbbb", 5, Instant(60), "1" * 64)
ODD = (
    b"{", b"[]", b'{"backup": 1}', b"[" * 4000, b"x" * 5000,
    b'{"backup": "bak_2", "entries": 3, "copied": 5, "digest": "%s"}' % (b"0" * 64),
    b'{"backup": "bak_aaaaaaaaaaaaaaaa", "entries": -1, "copied": 5, "digest": "%s"}' % (b"0" * 64),
    b'{"backup": "bak_aaaaaaaaaaaaaaaa", "entries": true, "copied": 5, "digest": "%s"}' % (b"0" * 64),
    b'{"backup": "bak_aaaaaaaaaaaaaaaa", "entries": 1, "copied": 9007199254740992, "digest": "%s"}' % (b"0" * 64),
    b'{"backup": "bak_aaaaaaaaaaaaaaaa", "entries": 1, "copied": 5, "digest": "0"}',
    b'{"backup": "bak_aaaaaaaaaaaaaaaa", "entries": 1, "copied": 5, "digest": "%s", "proven": "x"}' % (b"0" * 64),
)  # fmt: skip


async def test_words_are_told_once_the_oldest_first_and_what_says_nothing_is_put_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    company = await Company.create(tmp_path)
    job, folder = Backups(company.ledger, tmp_path, "node-1"), tmp_path / UNTOLD
    await job.turn()  # nobody left any
    assert await company.reader(backups) == BackupFacts(None, None)
    between = [replace(OLDER, backup=f"bak_{each * 16}", copied=Instant(ord(each) - 48)) for each in "gdhcfe"]
    for word in (NEWER, *between, OLDER):  # from 50 to 60, in no order of names, instants or leaving
        leave_word(tmp_path, word, secrets.token_bytes)
    leave_word(tmp_path, replace(NEWER, proven=Instant(70)), secrets.token_bytes)
    for number, each in enumerate(ODD):
        (folder / f"bak_{number}.json").write_bytes(each)
    (folder / "bak_link.json").symlink_to(folder / "bak_0.json")
    (folder / "bak_folder.json").mkdir()
    (folder / "of-others.json").write_bytes(b"")
    leave_word(tmp_path, replace(NEWER, backup="bak_zzzzzzzzzzzzzzzz", entries=1 << 50), secrets.token_bytes)
    before = company.ledger.size()
    await job.turn()
    assert {each.name for each in folder.iterdir()} == {"bak_folder.json", "of-others.json"}
    assert await company.reader(backups) == BackupFacts(Instant(60), Instant(70))
    told = [each.event for each in await anext(company.ledger.follow(before))]
    assert [type(each).__name__ for each in told] == ["BackupMade"] * 8 + ["BackupProven"]
    assert caplog.text.count("says nothing of a backup") == len(ODD) + 2
    assert caplog.text.count("bak_zzzzzzzzzzzzzzzz is no backup of this history") == 1
    leave_word(tmp_path, OLDER, secrets.token_bytes)  # from a copy of the folder
    at = company.ledger.size()
    await job.turn()
    assert company.ledger.size() == at
    assert len(list(folder.iterdir())) == 2
    company.close()


async def test_a_word_stays_until_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = await Company.create(tmp_path)

    async def away(*_: object) -> None:
        raise Unavailable("the ledger is away")

    leave_word(tmp_path, NEWER, secrets.token_bytes)
    job = Backups(company.ledger, tmp_path, "node-1")
    with monkeypatch.context() as patched:
        patched.setattr("onepam.jobs.backups.tell_backup", away)
        with pytest.raises(Unavailable):
            await job.turn()
    assert await company.reader(backups) == BackupFacts(None, None)
    await job.turn()
    assert await company.reader(backups) == BackupFacts(Instant(60), None)
    company.close()
