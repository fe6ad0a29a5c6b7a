"""What a command of a client loads: not the platform, and nothing that only other commands need."""

import json
import subprocess
import sys
from pathlib import Path

_LOADED = """
import json, sys
from typer.testing import CliRunner
from onepam.boot.commands.up import app
done = CliRunner().invoke(app, sys.argv[1:])
sys.stdout.write(json.dumps([done.exit_code, done.output, sorted(sys.modules)]))
"""

HEAVY = {"argon2", "asyncio", "asyncssh", "cryptography", "httpx2", "lxml", "rich", "sqlite3", "starlette"}


def loaded_by(*words: str) -> tuple[int, str, set[str]]:
    """Exit code, output and modules of a run of `onepam` in a process of its own."""
    ran = subprocess.run([sys.executable, "-c", _LOADED, *words], capture_output=True, text=True, check=True)
    code, output, modules = json.loads(ran.stdout)
    return code, output, set(modules)


def test_help_loads_no_platform() -> None:
    code, output, after = loaded_by("--help")
    assert code == 0
    assert "Run the gateway, the console and the API." in output
    assert not after & HEAVY
    assert "pydantic" not in after  # typer itself takes it for a command's parameters
    assert {each.split(".")[1] for each in after if each.startswith("onepam.")} <= {
        "boot",
        "cli",
        "files",
        "kernel",
        "gateway",
    }


def test_the_help_of_a_command_on_the_host_loads_no_platform() -> None:
    code, output, after = loaded_by("ledger", "verify", "--help")
    assert code == 0
    assert "--at-least" in output
    assert not after & HEAVY


def test_a_command_on_the_host_loads_no_server_and_nothing_that_calls_out(tmp_path: Path) -> None:
    code, output, after = loaded_by("ledger", "verify", "--data", str(tmp_path))
    assert code == 2
    assert "there is no installation" in output
    assert not after & {"asyncssh", "httpcore2", "httpx2", "joserfc", "lxml", "starlette", "uvicorn"}
    assert "sqlite3" in after, "it was on its way"


def test_who_is_not_signed_in_hears_it_without_a_client_being_loaded() -> None:
    code, _, after = loaded_by("whoami")
    assert code == 3
    assert not after & HEAVY


_RUN = """
import sys
from onepam.boot.commands.up import app, main
sys.argv = ["onepam", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
built = [each.name for each in app.registered_groups if each.typer_instance.registered_commands]
sys.stderr.write(f"{len(sys.modules)} {','.join(built)}")
"""

MOST_MODULES = 220
"""What `onepam --help` loads, of Python's library and of typer most: with these it takes about 0.1 s of processor."""


def run_by_main(*words: str) -> tuple[str, int, str]:
    """Output, count of modules, and the groups whose commands were built, of the program as the shell starts it."""
    ran = subprocess.run([sys.executable, "-c", _RUN, *words], capture_output=True, text=True, check=True)
    count, _, built = ran.stderr.rpartition("\n")[2].partition(" ")
    return ran.stdout, int(count), built


def test_help_loads_few_modules_and_builds_no_command() -> None:
    for word in ("--help", "--version"):
        _, count, built = run_by_main(word)
        assert count <= MOST_MODULES
        assert built == ""


def test_what_is_asked_for_is_built_and_the_lists_are_as_ever() -> None:
    said, _, built = run_by_main("people", "--help")
    assert built == "people"
    assert "disable" in said
    listed, all_built = (
        [line.split()[:3] for line in text.splitlines() if line.startswith("  ")]
        for text in (run_by_main("--help")[0], loaded_by("--help")[1])
    )
    assert listed == all_built
