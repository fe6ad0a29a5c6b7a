"""What is measured of one process, as Prometheus scrapes it: names by its conventions, listed in docs/monitoring.md."""

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING

from onepam import __version__
from onepam.boot.web.exposition import Family, Histogram, Sample
from onepam.boot.web.readiness import Readiness
from onepam.domain.host.backups import BackupFacts
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Fault
from onepam.store.read.backups import backups
from onepam.store.read.growth import growth
from onepam.store.read.session_users import counted

if TYPE_CHECKING:
    from onepam.boot.platform import Platform

KEPT_SECONDS = 1.0
"""A measurement is good for so long: several scrapers at one moment are told the same."""

COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Measuring:
    """The counters of one process, from its start on."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self.commits = Histogram(COMMIT_SECONDS)
        self._started = time.time()
        self._after = platform.ledger.size()
        self._opened = 0
        self._failed_sign_ins = 0
        self._refused: Counter[str] = Counter()
        self._users = (0, 0)
        self._handed_out: int | None = None
        self._known = BackupFacts(None, None)
        self._one = asyncio.Lock()
        self._kept: tuple[float, list[Family]] | None = None

    async def measure(self, readiness: Readiness) -> list[Family]:
        """All families now, or of a moment ago."""
        async with self._one:
            if self._kept is None or time.monotonic() - self._kept[0] > KEPT_SECONDS:
                with contextlib.suppress(Fault):  # without the ledger the rest is told still, and that it is away
                    await self._follow()
                found = [*self._process(readiness), *self._sessions(), *await self._ledger(), *self._doors()]
                found += [*self._backups(), self._made()]
                self._kept = (time.monotonic(), found)  # after the look: a slow one is shared, too
            return self._kept[1]

    async def _follow(self) -> None:
        found = await self._platform.reader(growth, None, self._after)
        self._after = found.until
        self._opened += found.opened
        self._failed_sign_ins += found.failed_sign_ins
        self._refused += found.refused
        self._handed_out = found.handed_out or self._handed_out
        self._known = await self._platform.reader(backups)
        self._users = await self._platform.reader(counted)

    def _process(self, readiness: Readiness) -> list[Family]:
        checks = [Sample(readiness.good(name), (("check", name),)) for name in sorted(readiness.checks)]
        return [
            Family("onepam_build_info", "gauge", "The release that runs.", [Sample(1, (("version", __version__),))]),
            _gauge("onepam_start_time_seconds", "When this process began to serve, in Unix time.", self._started),
            _gauge("onepam_ready", "Whether somebody who is allowed would get in.", readiness.ready),
            Family("onepam_ready_check", "gauge", "The checks of readiness, each 1 while it is good.", checks),
        ]

    def _sessions(self) -> list[Family]:
        refused = [Sample(count, (("code", code),)) for code, count in sorted(self._refused.items())]
        disk, outbox = self._platform.disk, self._platform.outbox.waiting
        return [
            _gauge("onepam_sessions_live", "Sessions of this process that are open.", len(self._platform.live)),
            _counter("onepam_sessions_opened_total", "Sessions opened, by the ledger.", self._opened),
            Family("onepam_sessions_refused_total", "counter", "Sessions refused, by the code of why.", refused),
            _counter("onepam_sign_ins_failed_total", "Sign-ins that failed, by the ledger.", self._failed_sign_ins),
            _counter("onepam_recorder_bytes_total", "Bytes of recordings that this process wrote.", disk.written),
            _gauge("onepam_disk_free_bytes", "Free space on the disk of the recordings.", disk.space.free),
            _gauge("onepam_disk_size_bytes", "Size of the disk of the recordings.", disk.space.total),
            Family(
                "onepam_outbox_waiting",
                "gauge",
                "Notices that wait for their receiver; told by the one process that delivers them.",
                [] if outbox is None else [Sample(outbox)],
            ),
        ]

    async def _ledger(self) -> list[Family]:
        size = self._platform.ledger.size()
        signed, witnessed = await asyncio.to_thread(self._platform.anchors.covered)
        published = await asyncio.to_thread(self._platform.anchors.tiles.checkpoint_at)
        lags = [Sample(size - signed, (("by", "signer"),))]
        if witnessed is not None:
            lags.append(Sample(size - witnessed, (("by", "witness"),)))
        if self._handed_out is not None:
            lags.append(Sample(size - self._handed_out, (("by", "handed_out"),)))
        return [
            _gauge("onepam_ledger_entries", "Entries of the ledger.", size),
            _gauge("onepam_ledger_bytes", "Size of the database with its write-ahead log.", self._bytes()),
            Family(
                "onepam_ledger_uncovered_entries",
                "gauge",
                "Entries that no checkpoint covers which is signed, cosigned or handed out.",
                lags,
            ),
            Family(
                "onepam_ledger_checkpoint_age_seconds",
                "gauge",
                "Since the newest tiles and their checkpoint were published, by whichever process.",
                [] if published is None else [Sample(max(0.0, time.time() - published))],
            ),
            Family(
                "onepam_ledger_commit_seconds", "histogram", "From a command to its answer.", self.commits.samples()
            ),
        ]

    def _made(self) -> Family:
        there, left = self._users
        samples = [Sample(there - left, (("state", "in_use"),)), Sample(left, (("state", "left"),))]
        words = "Users made for sessions at databases that are not known to be gone, by the ledger."
        return Family("onepam_session_users", "gauge", words, samples)

    def _backups(self) -> list[Family]:
        known = self._known
        return [
            Family("onepam_backup_age_seconds", "gauge", "Since the newest backup was copied.", _age(known.copied)),
            Family("onepam_backup_proof_age_seconds", "gauge", "Since a backup was last proven.", _age(known.proven)),
        ]

    def _bytes(self) -> int:
        database = self._platform.database
        found = 0
        for path in (database, database.with_name(f"{database.name}-wal")):
            with contextlib.suppress(OSError):
                found += path.stat().st_size
        return found

    def _doors(self) -> list[Family]:
        found = self._platform.doors
        doors = (("ssh", found.ssh), ("postgres", found.postgres), ("mysql", found.mysql), ("web", found.web))
        waiting = [Sample(len(crowd), (("door", name),)) for name, crowd in doors]
        away = [Sample(crowd.turned_away, (("door", name),)) for name, crowd in doors]
        return [
            Family("onepam_door_waiting", "gauge", "Connections that have not been let in.", waiting),
            Family("onepam_door_turned_away_total", "counter", "Connections and requests turned away.", away),
        ]


def _age(at: Instant | None) -> list[Sample]:
    """In seconds until now; nothing of what has not been."""
    return [] if at is None else [Sample(max(0.0, time.time() - at / SECOND))]


def _gauge(name: str, words: str, value: float) -> Family:
    return Family(name, "gauge", words, [Sample(value)])


def _counter(name: str, words: str, value: float) -> Family:
    return Family(name, "counter", words, [Sample(value)])
