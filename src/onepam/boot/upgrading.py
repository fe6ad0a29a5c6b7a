"""What a start does to the data of an older release, told before it is done."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import typer

from onepam import __version__
from onepam.boot.on_ledger import existing
from onepam.boot.private_folder import private_folder
from onepam.kernel.errors import Fault
from onepam.store.engine.upgrade import Plan, plan_of, upgrade

UNASKED_SECONDS = 60
TELL_SECONDS = 2.0
SHOWN = 5


class Unasked(Fault):
    """An upgrade would keep people waiting, and nobody has asked for it."""


def make_ready(data: Path, *, migrate: bool, say: Callable[[str], None]) -> None:
    """Brings the data to this release before the gateway starts. Raises `Unasked` for a long one without `migrate`,
    `OtherRelease` for data of a newer release; a folder that is not there yet is left alone."""
    database = private_folder(data) / "ledger.db"
    plan = plan_of(database)
    if plan.needed:
        for line in told(plan):
            say(line)
        if plan.seconds > UNASKED_SECONDS and not migrate:
            raise Unasked(
                "nothing was changed. Back up first (docs/upgrade.md), then start once with `onepam up --migrate`"
            )
    upgrade(database, told_now_and_then(say))
    if plan.needed:
        say("the data is this release's now")


def rebuild_state(data: Path) -> None:
    """Makes the state anew and says so; an older gateway may run meanwhile."""
    database = existing(data) / "ledger.db"
    private_folder(data)
    for line in told(plan_of(database)):
        typer.echo(line)
    done = upgrade(database, told_now_and_then(typer.echo), anyway=True)
    typer.echo(f"the state is what the ledger says, in the words of OnePAM {__version__}; {done.entries} entries")


def told(plan: Plan) -> list[str]:
    """What will be done, in lines."""
    if not plan.needed:
        return []
    lines = [f"this data is of OnePAM {plan.before or '(unfinished)'}, and this is {__version__}:"]
    lines += [f"  migration {step.number}: {step.name.replace('_', ' ')}" for step in plan.steps]
    if plan.changed:
        named = ", ".join(plan.changed[:SHOWN]) + (
            f" and {len(plan.changed) - SHOWN} more" * (len(plan.changed) > SHOWN)
        )
        lines.append(f"  the state is made anew from {plan.entries} entries, for these give other rows: {named}")
    if not plan.steps and not plan.changed:
        lines.append("  it gets the tables that are new")
    return [*lines, f"  it takes about {plan.seconds // 60 + 1} min" if plan.seconds else "  it takes a moment"]


def told_now_and_then(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Progress as lines, not more than one in two seconds."""
    last = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= TELL_SECONDS:
            last = time.monotonic()
            say(f"  {done} of {of} entries")

    return progress


def to_stderr(line: str) -> None:
    """Where a start talks."""
    sys.stderr.write(f"onepam: {line}\n")
