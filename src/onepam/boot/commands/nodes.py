"""`onepam ledger nodes` and `revoke-node`: who signs what is written here, and who does no longer."""

from contextlib import closing
from pathlib import Path

import typer

from onepam.app.host.revoke_node import revoke_node
from onepam.app.ports import Reader
from onepam.boot.clock import wall_clock
from onepam.boot.on_ledger import existing, on_ledger, settings_of, unaltered
from onepam.kernel.clock import iso
from onepam.kernel.errors import Refused
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from onepam.store.read.nodes import nodes


def list_nodes(data: Path) -> None:
    """A line for each key in force."""
    with closing(SqliteReader(existing(data) / "ledger.db", wall_clock, threads=1)) as reader:
        found = reader.now(nodes)
    for each in found:
        typer.echo(f"{each.node}  since {iso(each.since)}  certificate {each.number}  {each.key}")
    if not found:
        typer.echo("no node has a key in force")


def revoke(data: Path, config: Path | None, node: str, by: str, because: str) -> None:
    """Says that the key is out of force. Raises `typer.Exit` where there is none."""

    async def revoked(ledger: SqliteLedger, reader: Reader) -> None:
        refused = await revoke_node(ledger, node, by, because)
        if isinstance(refused, Refused):
            typer.echo(f"{refused.message} {refused.hint}".strip(), err=True)
            raise typer.Exit(1)
        typer.echo(f"nothing that {node} signs from now on is history. Its process decides nothing any more: start it")
        typer.echo("anew once you know that its machine is yours again; then it has another key.")

    on_ledger(settings_of(config, unaltered(data)), revoked)
