"""Evidence: drawing a pack from the gateway, and verifying one without it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from onepam.cli.client import LONG_SECONDS, answered, signed_in
from onepam.cli.home import Home
from onepam.cli.show import USAGE, Json, Output, console, printed, say, stop

app = typer.Typer(help="Evidence for auditors.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def evidence() -> None:
    """Evidence for auditors."""


@app.command()
def pack(
    from_: Annotated[str, typer.Option("--from", help="First day or instant, such as 2026-01-01.")],
    to: Annotated[str, typer.Option("--to", help="Day or instant after the last, such as 2026-04-01.")],
    out: Annotated[Path, typer.Option("--out", help="The zip to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Draw a pack of a period: reports, entries, proofs and the verifier. Drawing one is recorded."""
    if out.exists() and not force:
        stop(USAGE, f"{out} exists already.", "Choose another name, or add --force.")
    period = {"starts": instant_of(from_), "ends": instant_of(to)}
    session = signed_in(Home())
    beside = out.with_name(f".{out.name}.part")
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    try:
        with Progress(*columns, console=console(stderr=True), transient=True, disable=Output.as_json) as bars:
            task = bars.add_task("the gateway draws the pack", total=None)
            with answered(
                session.gateway, "POST", "/evidence", period, token=session.token, seconds=LONG_SECONDS
            ) as answer:
                size = int(answer.headers.get("content-length", 0))
                bars.update(task, description="receiving", total=size or None)
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
                with os.fdopen(handle, "wb") as file:
                    for piece in answer.iter_bytes():
                        file.write(piece)
                        bars.advance(task, len(piece))
        beside.replace(out)
    except OSError as error:
        stop(USAGE, f"{out} cannot be written: {error.strerror}.")
    finally:
        beside.unlink(missing_ok=True)
    if Output.as_json:
        printed({"file": str(out), "bytes": out.stat().st_size, **period})
        return
    say(f"Wrote {out} ({out.stat().st_size:,} bytes). Verify it with a key obtained elsewhere:")
    say(f"  onepam verify {out} --log-key KEY")


@app.command()
def verifier(
    out: Annotated[Path, typer.Option("--out", help="The folder to write them to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Write the verifier of this release, for auditors: verify.py, and verify.html for a browser without Python."""
    from onepam.evidence.verifiers import VERIFIERS, digest_of
    from onepam.evidence.verifiers import verifier as content

    written = {}
    for name in filter(digest_of, VERIFIERS):
        file = out / name
        try:
            with file.open("wb" if force else "xb") as opened:
                opened.write(content(name))
        except FileExistsError:
            stop(USAGE, f"{file} exists already.", "Choose another folder, or add --force.")
        except OSError as error:
            stop(USAGE, f"{file} cannot be written: {error.strerror}.")
        written[name] = digest_of(name)
    if Output.as_json:
        printed({name: {"file": str(out / name), "sha256": digest} for name, digest in written.items()})
        return
    for name, digest in written.items():
        say(f"{digest}  {out / name}")
    say("Auditors compare these digests with the ones that the release publishes.")


def verify(
    pack: Annotated[str, typer.Argument(help="The zip.")],
    log_key: Annotated[
        list[str] | None, typer.Option(help="The log's verifier key, obtained outside the pack; may be repeated.")
    ] = None,
    witness_key: Annotated[list[str] | None, typer.Option(help="The same for a witness; may be repeated.")] = None,
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="A signed checkpoint that was kept elsewhere; may be repeated.")
    ] = None,
    at_least: Annotated[
        tuple[str, str] | None, typer.Option(help="A tree head that was written down: its SIZE and ROOT.")
    ] = None,
    all_signatures: Annotated[
        bool, typer.Option("--all-signatures", help="Check the signatures of all batches, not of a drawn share.")
    ] = False,
    draw: Annotated[
        str | None, typer.Option(metavar="SEED", help="Draw the signatures to check as another verdict did.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify an evidence pack offline.

    Exit 0 anchored and intact, 1 refused, 2 nothing judged, 3 consistent but not anchored or its author not checked,
    4 not carried through, 5 a recording not as sealed, 6 not lawful, 7 nothing wrong but not all judged.
    """
    from onepam.evidence.verifier.verify import main

    keys = [word for key in witness_key or () for word in ("--witness-key", key)]
    keys += [word for file in checkpoint or () for word in ("--checkpoint", file)]
    keys += ["--at-least", *at_least] if at_least else []
    keys += [word for key in log_key or () for word in ("--log-key", key)]
    options = [*(["--all-signatures"] if all_signatures else []), *(["--json"] if as_json else [])]
    options += [] if draw is None else ["--draw", draw]
    raise typer.Exit(main([pack, *keys, *options]))


def instant_of(text: str) -> str:
    """RFC 3339 of a day (its first moment in UTC) or of an instant with a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        stop(USAGE, f"{text} is not a day or an instant.", "Such as 2026-01-01 or 2026-01-01T00:00:00Z")
    if found.tzinfo is None:
        if len(text) > len("2026-01-01"):
            stop(USAGE, f"{text} has no time zone.", "Add Z or +01:00")
        found = found.replace(tzinfo=UTC)
    return found.isoformat()
