"""The ledger as the gateway sees it. (`onepam ledger verify`, on the gateway's machine, trusts nobody's word.)"""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.naming import one_id
from onepam.cli.show import Json, Output, facts, printed, say, table, when

app = typer.Typer(help="The ledger: its health and its proofs.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def health(context: typer.Context, as_json: Json = False) -> None:
    """Show how large the ledger is, and what was published, witnessed and verified."""
    if context.invoked_subcommand:
        return
    found = call("GET", "/ledger")
    if Output.as_json:
        printed(found)
        return
    facts(
        (
            ("entries", f"{found['size']:,}, the newest {when(found['head_at'])}"),
            ("checkpoint", _seen(found["checkpoint_size"], found["checkpoint_at"])),
            ("witness", _witness(found)),
            ("verified", _verified(found)),
            ("log key", found["log_key"]),
            ("keys", found["keys"]),
            ("trouble", found["trouble"]),
        )
    )
    for finding in found["findings"]:
        say(f"! {finding}")
    for finding in found["unlawful"]:
        say(f"! not lawful: {finding}")


@app.command()
def proof(index: Annotated[int, typer.Argument(min=0, help="An entry's number.")], as_json: Json = False) -> None:
    """Print an entry with the proof that it is in the newest checkpoint (JSON)."""
    printed(call("GET", f"/ledger/entries/{index}/proof"))


@app.command()
def announced(as_json: Json = False) -> None:
    """List what the host has announced: a new recovery key, going on after a loss, somebody's getting in."""
    found = call("GET", "/ledger/announced")
    if Output.as_json:
        printed(found)
        return
    rows = (
        (each["announcement"], _DEEDS[each["deed"]], each["origin"] or each["person"], when(each["due"]))
        for each in found
    )
    table(("ANNOUNCEMENT", "WHAT", "OF", "DUE"), list(rows), "Nothing is announced.")


@app.command()
def cancel(announcement: str, as_json: Json = False) -> None:
    """Cancel what the host has announced (administrators)."""
    done = call("POST", f"/ledger/announced/{one_id(announcement)}/cancel")
    printed(done) if Output.as_json else say("Cancelled.")


_DEEDS = {
    "recovery_key": "another recovery key",
    "continuation": "the ledger goes on after a loss",
    "access": "somebody gets in as an administrator",
}


def _witness(found: dict[str, Any]) -> str:
    if not found["witness"]:
        return "none: whoever holds the log's key could rewrite history"
    return f"{found['witness']}: {_seen(found['witnessed_size'], found['witnessed_at'])}"


_VERIFIED = {
    "incremental": "the newest entries",
    "fold": "every entry and every table",
    "lawful": "the rights that were used",
}


def _verified(found: dict[str, Any]) -> str:
    seen, kind = _seen(found["verified_size"], found["verified_at"]), found["verified_kind"]
    return f"{seen}: {_VERIFIED.get(kind, kind)}" if kind else seen


def _seen(size: int, at: str | None) -> str:
    return f"{size:,} entries, {when(at) or 'never'}"
