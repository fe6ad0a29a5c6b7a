"""`onepam ledger verify`: on the machine of the ledger, without the running platform."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from onepam.boot.verification import Verdict, verify_entries, verify_state
from onepam.ledger.note import BadNote, VerifierKey


def verify(
    data: Annotated[Path, typer.Option(help="Folder of the data.", envvar="ONEPAM_DATA")] = Path("var/onepam"),
    log_key: Annotated[str, typer.Option(help="vkey of the ledger's signer, obtained elsewhere.")] = "",
    witness_key: Annotated[list[str] | None, typer.Option(help="vkey of a witness on another host.")] = None,
    state: Annotated[bool, typer.Option(help="Also rebuild the state tables and compare.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Verify the whole ledger here: every entry, every number, every hash; and every row of state. Exit 1 if not."""
    if not (data / "ledger.db").exists():
        raise typer.BadParameter(f"there is no ledger in {data}", param_hint="--data")
    try:
        key = VerifierKey.parse(log_key or _own_key(data))
        witnesses = [VerifierKey.parse(each) for each in witness_key or ()]
    except BadNote as error:
        raise typer.BadParameter(str(error)) from None
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bars:
        verdict = verify_entries(
            data / "ledger.db", data / "log", key.name, [key, *witnesses], progress=_bar(bars, "entries")
        )
        findings = list(verdict.findings)
        if state:
            findings += verify_state(data / "ledger.db", _bar(bars, "state tables"))
    _tell(verdict, findings, as_json, bool(log_key), state)
    raise typer.Exit(1 if findings else 0)


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
