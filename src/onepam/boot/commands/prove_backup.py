"""`onepam prove-backup`: a backup is restored for a moment, verified against the history that goes on, and thrown away.

What it has to fit is no anchor that lies in the backup: it is the root over as many entries of the ledger here.
"""

import fcntl
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

import typer

from onepam.boot.clock import wall_clock
from onepam.boot.commands.backup import DATABASE
from onepam.boot.commands.ledger import Outside
from onepam.boot.commands.restore import list_of, put_back
from onepam.boot.on_ledger import kept_key, unaltered
from onepam.boot.private_folder import held, private_folder
from onepam.jobs.backups import leave_word
from onepam.jobs.eras import roots_of
from onepam.kernel.errors import Fault

SCRATCH = ".proving"
"""Within the data folder, under the same lock and on the same volume; no backup has it."""


def prove(data: Path, source: Path, keys: Path) -> None:
    """Says that the backup restores, and leaves word of it; ends with exit code 1 where it does not."""
    database = unaltered(data) / DATABASE
    private_folder(data)
    listed = list_of(source)
    root = roots_of(database)(listed.entries)
    if root is None:
        raise Fault(f"{source} has {listed.entries} entries, and {data} fewer: this is not where it was made")
    scratch = data / SCRATCH
    with held(scratch, fcntl.LOCK_EX, "another proof of a backup is at work"):
        place = scratch / "data"
        shutil.rmtree(place, ignore_errors=True)
        try:
            anchors: Outside = ([], [], (listed.entries, root.hex()), None)
            contents, _ = put_back(place, source, keys, [kept_key(data)], [], anchors, loss=False)
            if contents != listed or roots_of(place / DATABASE)(listed.entries + 1) is not None:
                raise Fault(f"{source} is not as its list says: it has more entries than {listed.entries}, or changes")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    leave_word(data, replace(contents.said(), proven=wall_clock()), secrets.token_bytes)
    typer.echo(f"{contents.backup} of {contents.made_at} is proven: it restores, and its history is that of {data}")
