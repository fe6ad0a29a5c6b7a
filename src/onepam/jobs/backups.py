"""Words that `onepam backup` and `onepam prove-backup` leave in the data folder, and whoever tells the ledger of them.

The commands work where nothing else does: without a signer, without a gateway. So they write no entry.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from onepam.app.host.tell_backup import tell_backup
from onepam.app.ports import Ledger
from onepam.domain.host.backups import Backup
from onepam.files.data_file import content
from onepam.files.private_file import replace_private
from onepam.jobs.job import Job
from onepam.kernel.errors import Corrupt
from onepam.kernel.ids import RandomBytes

UNTOLD = "untold-backups"
"""The folder of such words, within the data folder; no backup has it."""

MAX_BYTES = 4096
MAX_NUMBER = 1 << 53
PERIOD_SECONDS = 30.0

_NAME, _DIGEST = re.compile(r"bak_[a-z2-7]{16}"), re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


def leave_word(data: Path, found: Backup, random: RandomBytes) -> None:
    """Leaves a word of a backup, durable, for the gateway that runs or the next one. Raises `OSError`."""
    folder = data / UNTOLD
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{found.backup}.{'made' if found.proven is None else 'proven'}.json"
    replace_private(folder / name, json.dumps(asdict(found)).encode("ascii"), random)


class Backups:
    """Tells the ledger of each backup that was made or proven on this host."""

    def __init__(self, ledger: Ledger, data: Path, node: str) -> None:
        self._ledger = ledger
        self._folder = data / UNTOLD
        self._node = node

    def job(self) -> Job:
        """Twice a minute."""
        return Job("backups", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Tells of all that is left there, the oldest first. What cannot be read, or cannot be true, is said in the
        log and put away."""
        for path, found in sorted(self._left(), key=lambda each: each[1].copied):
            if not await tell_backup(self._ledger, self._node, found):
                log.warning("%s is no backup of this history, and its word is removed", found.backup)
            path.unlink(missing_ok=True)

    def _left(self) -> Iterator[tuple[Path, Backup]]:
        for path in self._folder.glob("bak_*.json"):
            try:
                yield path, _read(content(path, MAX_BYTES))
            except FileNotFoundError:
                continue  # another process told of it
            except Corrupt as error:
                log.warning("%s says nothing of a backup, and is removed: %s", path.name, error)
                with suppress(OSError):  # a folder that bears such a name keeps nothing else from being told
                    path.unlink()


def _read(data: bytes) -> Backup:
    """What stands in such a word. Raises `Corrupt` for anything else."""
    try:
        found = Backup(**json.loads(data))
        numbers = (found.entries, found.copied, 0 if found.proven is None else found.proven)
        sound = all(type(each) is int and 0 <= each < MAX_NUMBER for each in numbers)
        if sound and _NAME.fullmatch(found.backup) and _DIGEST.fullmatch(found.digest):
            return found
    except (ValueError, TypeError, RecursionError):
        pass
    raise Corrupt("it is no word of a backup")
