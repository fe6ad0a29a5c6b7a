"""`onepam ledger continue-after-loss`: going on when entries are lost for good, under a new name and with a seam."""

import contextlib
import secrets
from pathlib import Path

import typer

from onepam.app.host.announced import continue_after_loss
from onepam.app.ports import Reader, Snapshot
from onepam.blobs.tile_folder import TileFolder
from onepam.boot.config import Config
from onepam.boot.on_ledger import kept_key, on_ledger, settings_of, unaltered
from onepam.boot.recovery_key import file_of, shown_digest
from onepam.domain.host.announcing import Announcement
from onepam.domain.host.continuing import Loss
from onepam.files.lock import locked
from onepam.jobs.anchors import PUBLISHER
from onepam.jobs.eras import log_key_of, origin_of, seams, set_aside
from onepam.jobs.outside import AnotherKey, NotOutside, anchor_of, from_checkpoint
from onepam.jobs.verification import signed_head
from onepam.kernel.clock import iso
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.kernel.ids import new_id
from onepam.ledger.check import Anchor
from onepam.ledger.checkpoint import open_checkpoint
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import BadNote, VerifierKey
from onepam.ledger.tiles import WIDTH, hashes_of, tile_at
from onepam.signing.signer import SignerClient
from onepam.store.as_stored import stored_leaves
from onepam.store.engine.database import connect
from onepam.store.engine.ledger import SqliteLedger


def continue_ledger(
    data: Path,
    config: Path | None,
    origin: str,
    because: str,
    log_key: str,
    checkpoint: Path | None,
    *,
    signer_lost: bool,
    with_key: bool,
) -> None:
    """Goes on under `origin`, or announces that, and says so."""
    settings = settings_of(config, unaltered(data))
    (data / "log").mkdir(mode=0o700, exist_ok=True)
    with locked(data / "log" / PUBLISHER, f"a gateway runs on {data}: stop it first"):
        with contextlib.closing(connect(data / "ledger.db", read_only=True)) as db:
            before = origin_of(db) or settings.origin
            key = log_key or log_key_of(db) or ""
            old = _published_head(data, before, key) if signer_lost and checkpoint is None else None
            old = old or _old_head(settings, before, key, checkpoint)
            loss = Loss(origin, before, old.size, old.root.hex(), _kept(db, data, old), because, signer_lost)
        _commit(settings, loss, with_key)
    with contextlib.closing(connect(data / "ledger.db", read_only=True)) as db:
        done = seams(db)
    if done and done[-1].origin == origin:
        aside = set_aside(data, done[-1], signer=signer_lost)
        typer.echo(f"{done[-1].words()}.")
        typer.echo(f"What was published and signed before lies in {aside}: keep it, and the old log key.")
        typer.echo(
            f'Now set origin = "{origin}" in the configuration. Where the signer runs by itself, begin one of that'
        )
        typer.echo(
            "origin, with --continues the first time. Start the gateway, and give the new log key (onepam ledger)"
        )
        typer.echo("to the witness and to auditors.")


ALL_SEE = "Every administrator sees it and may cancel it."
NOBODY_SEES = (
    "Without its signer the gateway does not start: no console shows it, no notice is sent, and nobody can cancel it "
    "there. Tell the other administrators yourself."
)


def _commit(settings: Config, loss: Loss, with_key: bool) -> None:
    shown = ""
    if with_key:
        shown = shown_digest(file_of(settings), typer.prompt("Recovery key", hide_input=True))
        if not shown:
            typer.echo("That is not the recovery key.", err=True)
            raise typer.Exit(1)

    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        name = new_id("ann", secrets.token_bytes)
        answer = await continue_after_loss(ledger, loss, shown, name, ledger.node)
        if isinstance(answer, Refused):
            typer.echo(f"{answer.message} {answer.hint}".strip(), err=True)
            raise typer.Exit(1)
        if isinstance(answer, Announcement):
            typer.echo(f"Announced as {answer.announcement}. {NOBODY_SEES if loss.signer else ALL_SEE}")
            typer.echo(f"Run the same command again after {iso(answer.due)}.")

    on_ledger(settings, work, signer_lost=loss.signer, after_loss=True)


def _published_head(data: Path, before: str, key: str) -> Anchor:
    """The newest head that the lost signer signed, from the published log: it is gone, and nobody else remembers."""
    try:
        found = open_checkpoint(TileFolder(data / "log").checkpoint() or b"", [VerifierKey.parse(key)], before)
    except BadNote as error:
        raise typer.BadParameter(f"the published checkpoint: {error}; give its newest --checkpoint") from None
    return Anchor(found.checkpoint.size, found.checkpoint.root, "published checkpoint")


def _old_head(settings: Config, before: str, log_key: str, checkpoint: Path | None) -> Anchor:
    """The largest signed tree head of the old log that is known: of a checkpoint, or what its signer remembers."""
    found = []
    try:
        if checkpoint is not None:
            signed = from_checkpoint(checkpoint, settings.data, [VerifierKey.parse(log_key or _own_key(settings.data))])
            if signed.checkpoint.origin != before:
                raise NotOutside(
                    f"{checkpoint} is of another log: {signed.checkpoint.origin}, and this one is {before}"
                )
            found.append(anchor_of(signed, str(checkpoint)))
    except (AnotherKey, ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if settings.signer_socket:
        with contextlib.suppress(Unavailable):
            last = SignerClient(Path(settings.signer_socket)).last()
            found.append(Anchor(last.size, last.root, "signer"))
    elif (kept := signed_head(settings.data / "signer" / "state", before)) is not None:
        found.append(kept)
    if not found:
        raise typer.BadParameter("nothing remembers the old log: give its newest --checkpoint")
    return max(found, key=lambda each: each.size)


def _own_key(data: Path) -> str:
    try:
        return kept_key(data)
    except (OSError, Corrupt):
        raise NotOutside("give the old log's key, with --log-key") from None


def _kept(db: Snapshot, data: Path, old: Anchor) -> int:
    """How many entries from the beginning are those of the old log: as far as its tiles agree with them."""
    tiles, tree, at = TileFolder(data / "log"), Frontier(), 0
    leaves = stored_leaves(db, old.size)
    while at < len(leaves):
        stored = leaves[at : at + WIDTH]
        published = _published(tiles, at, old.size)
        for place, (here, there) in enumerate(zip(stored, published, strict=False)):
            if here != there:
                return at + place
        tree.extend(stored)
        at += len(stored)
    if tree.size == old.size and tree.root() != old.root:
        raise typer.BadParameter(
            f"the first {old.size} entries are not those that were signed, and the published tiles do not say which: "
            f"restore {data / 'log'}"
        )
    return tree.size


def _published(tiles: TileFolder, at: int, size: int) -> list[bytes]:
    """The hashes of one tile, as wide as it is there; none where it is not."""
    for width in (size, *range(min(size, at - at % WIDTH + WIDTH), at, -1)):
        tile = tile_at(0, at // WIDTH, width)
        with contextlib.suppress(Corrupt, LookupError, OSError):
            return hashes_of(tiles.read(tile), tile.width)
    return []
