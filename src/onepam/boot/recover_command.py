"""`onepam recover-access`: somebody gets in as an administrator when nobody can any more."""

import secrets
from pathlib import Path

import typer

from onepam.app.host.announced import recover_access
from onepam.app.ports import Reader
from onepam.boot.on_ledger import on_ledger, settings_of, unaltered
from onepam.boot.recovery_key import file_of, hand_over, kept_digest, shown_digest
from onepam.domain.host.announcing import Announcement
from onepam.domain.recovery.recovering import Recovery
from onepam.identity.recovery_key import new_recovery_key, recovery_key_digest
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.read.proofs_of_sign_in import people_meant


def recover(data: Path, config: Path | None, person: str, because: str, *, with_key: bool) -> None:
    """Lets `person` (an address or an id) in; says what became of it. Raises `typer.Exit` where that is nothing."""
    settings = settings_of(config, unaltered(data))
    path = file_of(settings)
    typed = typer.prompt("Recovery key", hide_input=True) if with_key else ""

    async def recovered(ledger: SqliteLedger, reader: Reader) -> None:
        who = await reader(people_meant, None, person)
        if len(who) != 1:
            words = "Several had this address; say which:" if who else "Nobody has this address."
            typer.echo("\n".join((words, *who)), err=True)
            raise typer.Exit(1)
        shown = shown_digest(path, typed) if with_key else ""
        if with_key and not shown:
            typer.echo("That is not the recovery key.", err=True)
            raise typer.Exit(1)
        key = new_recovery_key(secrets.token_bytes).reveal().decode("ascii")
        token = new_token("enr", secrets.token_bytes)
        wish = Recovery(
            person=who[0],
            because=because,
            shown=shown,
            outside=kept_digest(path) or "",
            renewed=recovery_key_digest(key) or "",
            announcement=new_id("ann", secrets.token_bytes),
            enrolment=new_id("enr", secrets.token_bytes),
            token_digest=token_digest(token).hex(),
            node=ledger.node,
        )
        answer = await recover_access(ledger, wish)
        if isinstance(answer, Refused):
            typer.echo(f"{answer.message} {answer.hint}".strip(), err=True)
            raise typer.Exit(1)
        if isinstance(answer, Announcement):
            typer.echo(f"Announced as {answer.announcement}. Every administrator sees it and may cancel it.")
            typer.echo(f"Run the same command again after {iso(answer.due)}.")
            return
        _tell(f"{settings.url}/enrol/{token.reveal().decode('ascii')}", answer)
        if shown:
            typer.echo("\nThe recovery key is spent, and this one takes its place.")
            hand_over(key, wish.renewed, path)

    on_ledger(settings, recovered)


def _tell(link: str, expires: Instant) -> None:
    typer.echo(f"One-use link, ends {iso(expires)}; hand it over in person:\n  {link}")
    typer.echo("Nothing privileged opens for an hour after it was used. Write the role into access.yaml, else the next")
    typer.echo("change of the matrix takes it away again.")
