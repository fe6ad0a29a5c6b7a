"""Only the command that is asked for is built; of the others, `--help` needs names and first lines alone.

Typer reads the signature of every command of the program whatever was asked for, which is a sixth of `onepam --help`.
"""

from collections.abc import Callable, Sequence

import typer


def build_only(app: typer.Typer, words: Sequence[str]) -> None:
    """Leaves of all other commands what a list of them shows. Options of the program itself take no values, so the
    first word that is none names the command."""
    asked = next((each for each in words if not each.startswith("-")), "")
    for command in app.registered_commands:
        assert command.callback is not None  # every command of ours is a function
        if (command.name or command.callback.__name__.replace("_", "-")) != asked:
            command.callback = _described(command.callback)
    for group in app.registered_groups:
        if group.name != asked and group.typer_instance is not None:
            group.typer_instance.registered_commands = []
            group.typer_instance.registered_groups = []


def _described(command: Callable[..., None]) -> Callable[[], None]:
    def described() -> None: ...

    described.__name__, described.__doc__ = command.__name__, command.__doc__
    return described
