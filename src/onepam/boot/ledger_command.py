"""`onepam ledger verify`: on the machine of the ledger, without the running platform."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from onepam.boot.verification import Verdict, signed_head, verify_entries, verify_state, witnessed_head
from onepam.ledger.check import Anchor
from onepam.ledger.note import BadNote, VerifierKey
from onepam.signing.witness import WitnessClient


def verify(
    data: Annotated[Path, typer.Option(help="Folder of the data.", envvar="ONEPAM_DATA")] = Path("var/onepam"),
    log_key: Annotated[str, typer.Option(help="vkey of the ledger's signer, obtained elsewhere.")] = "",
    witness_key: Annotated[list[str] | None, typer.Option(help="vkey of a witness on another host.")] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="What the witness has seen: its URL, or a file of its checkpoint.")
    ] = None,
    state: Annotated[bool, typer.Option(help="Also rebuild the state tables and compare.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Verify the whole ledger here: every entry, every number, every hash; and every row of state. Exit 1 if not."""
    if not (data / "ledger.db").exists():
        raise typer.BadParameter(f"there is no ledger in {data}", param_hint="--data")
    try:
        key = VerifierKey.parse(log_key or _own_key(data))
        witnesses = [VerifierKey.parse(each) for each in witness_key or ()]
        seen = [_seen(each, witnesses, key.name) for each in witness or ()]
    except (BadNote, ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if (signed := signed_head(data / "signer" / "state", key.name)) is not None:
        seen.append(signed)
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bars:
        verdict = verify_entries(
            data / "ledger.db", data / "log", key.name, [key, *witnesses], seen, progress=_bar(bars, "entries")
        )
        findings = list(verdict.findings)
        if witnesses and not verdict.witnessed and not witness:
            findings.append("checkpoint: no witness of the given keys has cosigned it")
        if state:
            findings += verify_state(data / "ledger.db", _bar(bars, "state tables"))
    _tell(verdict, findings, as_json, bool(log_key), state)
    raise typer.Exit(1 if findings else 0)


def _seen(source: str, witnesses: list[VerifierKey], origin: str) -> Anchor:
    """The tree head that a witness holds, from itself or from a file that it gave. Raises `BadNote`."""
    if not witnesses:
        raise typer.BadParameter("give the witness's key too", param_hint="--witness-key")
    if not source.startswith(("http://", "https://")):
        notes = [Path(source).read_bytes()]
    else:
        notes = [note for key in witnesses if (note := WitnessClient(source, key).latest(origin)) is not None]
    for note in notes:
        for key in witnesses:
            with suppress(BadNote):
                return witnessed_head(note, key, origin)
    raise BadNote(f"{source} holds no checkpoint of {origin} that a witness of the given keys has cosigned")


def _own_key(data: Path) -> str:
    """The key that the running signer answers for; without one, the key must be given."""
    from onepam.kernel.errors import Unavailable
    from onepam.signing.signer import SignerClient

    try:
        return SignerClient(data / "signer" / "socket").vkey().encode()
    except Unavailable:
        kept = data / "log-key"
        if kept.exists():
            return kept.read_text("utf-8").strip()
        raise typer.BadParameter("the signer does not run; give its key", param_hint="--log-key") from None


def _bar(bars: Progress, name: str) -> Callable[[int, int], None]:
    task = bars.add_task(name, total=None)
    return lambda done, of: bars.update(task, completed=done, total=of)


def _tell(verdict: Verdict, findings: list[str], as_json: bool, key_given: bool, state: bool) -> None:
    witness = f"{verdict.witnessed} entries are witnessed" if verdict.witnessed else "no independent witness"
    if as_json:
        told = {
            "ok": not findings,
            "entries": verdict.size,
            "root": verdict.root,
            "signed": verdict.signed,
            "witnessed": verdict.witnessed,
            "state_compared": state,
            "findings": findings,
        }
        typer.echo(json.dumps(told, indent=2))
        return
    for finding in findings:
        typer.echo(f"FOUND  {finding}")
    typer.echo(f"{'NOT INTACT' if findings else 'intact'}: {verdict.size} entries, root {verdict.root}")
    typer.echo(f"{verdict.signed} entries are under the signed checkpoint; {witness}")
    if not key_given:
        typer.echo("the signer's own word was taken for its key; give --log-key to check who signed")
