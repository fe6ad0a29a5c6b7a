"""The operator's commands on the gateway's own machine: their names, options and help.

What a command does is imported when it runs: all of the platform is a second of imports, and nobody waits for that who
asks for help, or speaks to a gateway elsewhere.
"""

from pathlib import Path
from typing import Annotated

import typer

from onepam.cli.commands.ledger import app as ledger
from onepam.cli.main import app

Data = Annotated[Path, typer.Option(help="Folder of the data.", envvar="ONEPAM_DATA")]
ConfigFile = Annotated[Path | None, typer.Option(help="Configuration file (TOML).", envvar="ONEPAM_CONFIG")]
Files = list[Path] | None
Texts = list[str] | None
DATA = Path("var/onepam")

vault = typer.Typer(no_args_is_help=True, help="The keys under which secrets are stored.", rich_markup_mode=None)
recovery_key = typer.Typer(no_args_is_help=True, help="The recovery key of this installation.", rich_markup_mode=None)
outbox = typer.Typer(
    no_args_is_help=True, help="Who is told of alarms by e-mail, webhook and syslog.", rich_markup_mode=None
)


@ledger.command()
def verify(
    data: Data = DATA,
    log_key: Annotated[
        Texts, typer.Option(help="vkey of the ledger's signer, obtained elsewhere; that of a log before a seam, too.")
    ] = None,
    witness_key: Annotated[Texts, typer.Option(help="vkey of a witness on another host.")] = None,
    witness: Annotated[
        Texts, typer.Option(help="What the witness has seen: its URL, or a file of its checkpoint.")
    ] = None,
    checkpoint: Annotated[
        Files, typer.Option(help="A signed checkpoint that was kept elsewhere: from a mail, a pack, paper.")
    ] = None,
    at_least: Annotated[
        tuple[int, str] | None, typer.Option(help="A tree head that you wrote down: its SIZE and ROOT.")
    ] = None,
    signer: Annotated[Path | None, typer.Option(help="Socket of a signer outside the data folder.")] = None,
    state: Annotated[bool, typer.Option(help="Also rebuild the state tables and compare.")] = True,
    recordings: Annotated[
        bool, typer.Option(help="Also read every recording; without, the line says what the gateway's checks found.")
    ] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="All findings, and what no rule judges.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Verify the whole ledger here: every entry, every number, every hash; and every row of state.

    Nothing is called intact without an anchor from outside: --witness, --checkpoint, --at-least or --signer. Exit 0
    anchored and intact, 1 broken, 2 nothing judged, 3 consistent but not anchored, 5 a recording failed its check.
    """
    from onepam.boot.commands.ledger import verify_ledger
    from onepam.store.engine.database import without_trace

    anchors, keys = (witness or [], checkpoint or [], at_least, signer), (log_key or [], witness_key or [])
    with without_trace(data / "ledger.db"):
        verify_ledger(data, *keys, anchors, state=state, recordings=recordings, as_json=as_json, verbose=verbose)


@ledger.command()
def continue_after_loss(
    origin: Annotated[str, typer.Option(help="The new log's name, such as pam.example.com/log/2.")],
    because: Annotated[str, typer.Option(help="What was lost, and why: it stands in the ledger.")],
    data: Data = DATA,
    config: ConfigFile = None,
    log_key: Annotated[str, typer.Option(help="vkey of the old log's signer, for --checkpoint.")] = "",
    checkpoint: Annotated[
        Path | None, typer.Option(help="The newest checkpoint of the old log, kept elsewhere.")
    ] = None,
    signer_lost: Annotated[bool, typer.Option(help="The old log's signer is lost: its key or its memory.")] = False,
    with_key: Annotated[bool, typer.Option(help="Ask for the recovery key; without it this takes a day.")] = True,
) -> None:
    """Continue the ledger under a new name after a real loss. Stop the gateway first.

    The entries that are left stay; an entry names the old log, its newest signed head and what is lost of it. Takes the
    recovery key, or a day in which no administrator cancels.
    """
    from onepam.boot.commands.continue_after_loss import continue_ledger

    continue_ledger(data, config, origin, because, log_key, checkpoint, signer_lost=signer_lost, with_key=with_key)


@ledger.command()
def confirm_clock(
    by: Annotated[str, typer.Option(help="Your name: it stands in the ledger.", prompt="Your name")],
    node: Annotated[str | None, typer.Argument(help="One node (nod_...); else all that are in doubt.")] = None,
    data: Data = DATA,
    config: ConfigFile = None,
) -> None:
    """Confirm that this host's clock is right after it jumped, or was ahead before; the gateway decides again."""
    from onepam.boot.commands.setup import confirm

    confirm(data, config, by, node)


@ledger.command()
def nodes(data: Data = DATA) -> None:
    """List the nodes whose signatures count: each process that writes here, since its start."""
    from onepam.boot.commands.nodes import list_nodes

    list_nodes(data)


@ledger.command()
def revoke_node(
    node: Annotated[str, typer.Argument(help="The node (nod_...), as onepam ledger nodes lists it.")],
    by: Annotated[str, typer.Option(help="Your name: it stands in the ledger.", prompt="Your name")],
    because: Annotated[str, typer.Option(help="Why: it stands in the ledger.")],
    data: Data = DATA,
    config: ConfigFile = None,
) -> None:
    """Take a node's key out of force: what it signs afterwards is no history. Started anew, it has another key."""
    from onepam.boot.commands.nodes import revoke

    revoke(data, config, node, by, because)


@ledger.command()
def rebuild(data: Data = DATA) -> None:
    """Bring the data to this release and make all state tables anew from the ledger, before a start or instead of one.

    An older gateway may run meanwhile; it ends when the new tables take the old ones' place.
    """
    from onepam.boot.upgrading import rebuild_state

    rebuild_state(data)


@app.command()
def setup(
    admin: Annotated[
        Texts, typer.Option(help="A first administrator: 'Ada Admin <ada@example.com>'. Name two.")
    ] = None,
    data: Data = DATA,
    config: ConfigFile = None,
    access: Annotated[Path | None, typer.Option(help="The first access.yaml; else only administrators.")] = None,
    systemd: Annotated[bool, typer.Option("--systemd", help="Print the systemd units, and do nothing else.")] = False,
    into: Annotated[Path | None, typer.Option(help="With --systemd: write them into this folder instead.")] = None,
) -> None:
    """Found an installation: its first administrators, its role matrix, their enrolment links. Before any sign-in."""
    from onepam.boot.commands.setup import found_installation, print_units

    if systemd:
        print_units(data, config, into)
        return
    if not admin:
        raise typer.BadParameter("name a first administrator, better two", param_hint="--admin")
    found_installation(data, config, admin, access)


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="A new folder; or a new file, where the name ends in .tar.")],
    keys: Annotated[
        Path, typer.Option(help="The same for master keys and signer: another place, under somebody else's lock.")
    ],
    data: Data = DATA,
    config: ConfigFile = None,
) -> None:
    """Copy the installation as it is at one instant, while it runs; its keys to a place of their own."""
    from onepam.boot.commands.backup import back_up
    from onepam.boot.on_ledger import settings_of

    back_up(settings_of(config, data).data, to, keys)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="The folder or file of the backup.")],
    keys: Annotated[Path, typer.Option(help="The folder or file of the same backup's keys.")],
    log_key: Annotated[list[str], typer.Option(help="vkey of the ledger's signer, obtained elsewhere.")],
    data: Data = DATA,
    checkpoint: Annotated[Files, typer.Option(help="The newest checkpoint that was kept elsewhere.")] = None,
    witness_key: Annotated[Texts, typer.Option(help="vkey of a witness on another host.")] = None,
    witness: Annotated[Texts, typer.Option(help="What it has seen: its URL, or a file of its checkpoint.")] = None,
    at_least: Annotated[tuple[int, str] | None, typer.Option(help="A tree head you wrote down: SIZE and ROOT.")] = None,
    accept_loss: Annotated[
        bool, typer.Option(help="Restore what does not verify, for continue-after-loss. It does not start before that.")
    ] = False,
) -> None:
    """Restore a backup into an empty data folder, once it verifies against an anchor from outside (see ledger verify).

    A copy that is older than the anchor, not whole, or altered is not restored.
    """
    from onepam.boot.commands.restore import restore as restore_backup

    anchors = (witness or [], checkpoint or [], at_least, None)
    restore_backup(data, source, keys, log_key, witness_key or [], anchors, loss=accept_loss)


@app.command()
def prove_backup(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder or file of the backup.")],
    keys: Annotated[Path, typer.Option(help="The folder or file of the same backup's keys.")],
    data: Data = DATA,
    config: ConfigFile = None,
) -> None:
    """Prove that a backup restores: into a scratch folder, verified against the ledger here, and thrown away.

    It takes the backup's size beside the data for as long as it runs. The ledger is told, and the console shows when.
    """
    from onepam.boot.commands.prove_backup import prove
    from onepam.boot.on_ledger import settings_of

    prove(settings_of(config, data).data, source, keys)


@app.command()
def authorities(data: Data = DATA, config: ConfigFile = None) -> None:
    """Print what others are to trust: the authority of targets, and that of our own host keys."""
    from onepam.boot.commands.setup import print_authorities

    print_authorities(data, config)


@app.command()
def recover_access(
    person: Annotated[str, typer.Argument(help="Who is to get in: an address, or an id (per_...).")],
    because: Annotated[str, typer.Option(help="Why: it stands in the ledger.")],
    data: Data = DATA,
    config: ConfigFile = None,
    with_key: Annotated[bool, typer.Option(help="Ask for the recovery key; without it this takes a day.")] = True,
) -> None:
    """Let somebody in as an administrator, when nobody else can: an account, a role, a link to enrol anew.

    Takes the recovery key, which is spent by it and replaced by a new one, or a day in which no administrator cancels.
    Everybody who administers, and the person, are told.
    """
    from onepam.boot.recover_command import recover

    recover(data, config, person, because, with_key=with_key)


@vault.command()
def rotate(data: Data = DATA) -> None:
    """Make a new master key, and put authorities and recordings under it."""
    from onepam.boot.commands.setup import rotate_master_key

    rotate_master_key(data)


@vault.command()
def rewrap(data: Data = DATA) -> None:
    """Put what is wrapped by older master keys under the current one; no secret is opened for it.

    Seeds of authenticator apps stay as the ledger has them, so old master keys are kept.
    """
    from onepam.boot.commands.setup import rewrap_keys

    rewrap_keys(data)


@recovery_key.command()
def renew(
    data: Data = DATA,
    config: ConfigFile = None,
    with_key: Annotated[bool, typer.Option(help="Ask for the old key; without it the renewal takes a day.")] = True,
) -> None:
    """Make another recovery key: with the old one at once, else a day later unless an administrator cancels."""
    from onepam.boot.recovery_key import renew_key

    renew_key(data, config, with_key=with_key)


@outbox.command("test")
def send_a_test(
    config: Annotated[Path, typer.Option(help="Configuration file (TOML).", envvar="ONEPAM_CONFIG")],
    to: Annotated[list[str] | None, typer.Option(help="E-mail address; else those of mail_security.")] = None,
) -> None:
    """Send a test to every receiver of the configuration, and say how each took it. Exit 1 when one did not."""
    from onepam.boot.commands.outbox import send_test

    send_test(config, to or [])


app.add_typer(vault, name="vault")
app.add_typer(recovery_key, name="recovery-key")
app.add_typer(outbox, name="outbox")
