"""What this release leaves behind, in one folder: what every later release must still read, fold, verify and play."""

import json
from contextlib import closing
from pathlib import Path

from onepam.domain.history.event import kinds
from onepam.gateway.recorder import recording_path
from onepam.kernel.clock import DAY, Instant
from onepam.recording.frames import ChannelClosed, ChannelOpened, Closed, Opened, Output, Resize, Stream
from onepam.recording.seal import Sealer
from onepam.store.engine.database import connect
from scripts import forms
from tests.company import START
from tests.evidence.company import LOG, WITNESS
from tests.evidence.live import erase, story
from tests.store.events import fresh, write
from tests.store.samples import sample

KEY = bytes(range(32))
SESSION = "ses_goldengoldengold"
CAST = [[0.1, "o", "$ "], [0.1, "o", "caf\u00e9\r\n"], [0.2, "r", "120x40"]]


async def make(folder: Path) -> None:
    """Writes the folder, which must be empty."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kinds.txt").write_text(forms.page(), "utf-8")
    _every_kind(folder / "every-kind.db")
    _recording(folder / "recordings")
    await _company(folder / "company")


def _every_kind(path: Path) -> None:
    made = path.with_name("made.db")
    with closing(fresh(made)) as writer:
        for kind in kinds():
            write(writer, sample(kind.record))
    _whole(made, path)


def _recording(folder: Path) -> None:
    sealer = Sealer(SESSION, KEY)
    data = sealer.header
    frames = (
        Opened(0, SESSION, "per_a", "web-1", "deploy", "ssh", Instant(START)),
        ChannelOpened(100_000, 0, "pty", "", "xterm", 100, 30),
        Output(200_000, 0, Stream.STDOUT, b"$ "),
        Output(300_000, 0, Stream.STDOUT, "caf\u00e9\r\n".encode()),
        Resize(500_000, 0, 120, 40),
        ChannelClosed(600_000, 0, 0),
    )
    for frame in frames:
        sealer.append(frame)
    sealer.append(Closed(700_000, "client.closed", sealer.counts))
    data += sealer.seal()[0]
    folder.mkdir()
    recording_path(folder, SESSION).write_bytes(data)


async def _company(folder: Path) -> None:
    """The story that the tests of evidence tell, published and cosigned, with an erasure, and a pack of it."""
    folder.mkdir()
    live = await story(folder)
    await erase(live, "vic")
    live.company.clock.advance(DAY)
    await live.company.sign_in("aud")
    (folder / "pack.zip").write_bytes(await live.pack(START, Instant(START + DAY)))
    live.publish()
    live.company.close()
    (folder / "keys.json").write_text(json.dumps({"log": LOG.vkey(), "witness": WITNESS.vkey()}))
    _whole(folder / "ledger.sqlite", folder / "ledger.db")


def _whole(path: Path, kept: Path) -> None:
    """One file, and nothing of it in a log beside."""
    with closing(connect(path)) as db:
        db.execute("VACUUM INTO ?", (str(kept),))
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
