"""Gateway sessions: listing, watching, ending."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli import complete
from onepam.cli.client import answered, call, signed_in
from onepam.cli.home import Home
from onepam.cli.lines import lines_of, plain
from onepam.cli.naming import Offer, is_id, one_id, one_of, one_person
from onepam.cli.show import USAGE, Json, Output, note, printed, say, span, stop, table, when


def sessions(
    open_: Annotated[bool, typer.Option("--open", help="Only those that run.")] = False,
    person: Annotated[str | None, typer.Option(help="Of one person.", autocompletion=complete.people)] = None,
    resource: Annotated[str | None, typer.Option(help="On one target.", autocompletion=complete.reachable)] = None,
    most: Annotated[int, typer.Option(min=1, max=500, help="So many of the newest.")] = 100,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List sessions, the newest first."""
    asked = {
        "most": str(most),
        "status": "open" if open_ else None,
        "person": one_person(person) if person else None,
        "resource": resource,
        "as_of": as_of,
    }
    found = call("GET", "/sessions", params=asked)
    if Output.as_json:
        printed(found)
        return
    table(
        ("SESSION", "WHO", "WHERE", "OPENED", "STATE", "RECORDING", "ENDED WHY"),
        (
            (
                each["session"],
                each["person_name"],
                f"{each['login']}@{each['resource']}" + (f", database {each['database']}" if each["database"] else ""),
                when(each["opened"]),
                each["state_words"] + (" (gap)" if each["gap"] else ""),
                recording_words(each),
                each["closed_words"],
            )
            for each in found
        ),
        "No sessions.",
    )
    if len(found) == most:
        note(f"These are the newest {most}; there may be older ones: --most, --person, --resource, --as-of.")


def recording_words(session: Mapping[str, Any]) -> str:
    """What the last check found of a session's recording, and whether it is partial: `checked 2 h ago`, `ALTERED`."""
    if session["status"] != "closed":
        return ""
    words = f"checked {when(session['recording_checked'])}" if session["recording_checked"] else "not checked"
    if session["recording_bad"]:
        words = f"{session['recording_bad'].replace('_', ' ').upper()}, {words}"
    return words + (", partial by policy" if session["counts"].get("omitted_bytes") else "")


def play(
    session: Annotated[str, typer.Argument(autocompletion=complete.sessions)],
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Times as fast.")] = 1.0,
    idle: Annotated[float, typer.Option(min=0, help="Longest pause, in seconds.")] = 2.0,
    channel: Annotated[int | None, typer.Option(min=0, help="Which shell or command (see --list).")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List shells, commands and files instead.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="Save it to a file instead (asciicast v3; statements as JSON lines or .csv).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play a recording in this terminal: text, colours and cursor only; of a database, its statements as lines.
    Watching is recorded."""
    which = one_id(session)
    if save is not None and save.exists():
        stop(USAGE, f"{save} exists already.", "Choose another name.")
    if call("GET", f"/sessions/{which}")["session"]["entry"].startswith(("postgres_", "mysql_")):
        _statements(which, save)
        return
    if list_ or Output.as_json:
        _timeline(which)
        return
    from onepam.cli.play import play_lines, save_lines

    kept = signed_in(Home())
    params = {"channel": channel}
    path = f"/sessions/{which}/recording"
    with answered(kept.gateway, "GET", path, params=params, token=kept.token) as answer:
        if save is not None:
            save_lines(answer.iter_bytes(), save)
            say(f"Saved {save}: play it with any asciinema player.")
        else:
            play_lines(lines_of(answer.iter_bytes()), sys.stdout, speed, idle)


def watch(
    session: Annotated[
        str,
        typer.Argument(help="Id, LOGIN@TARGET, target or person of a live one.", autocompletion=complete.live_sessions),
    ],
    channel: Annotated[int | None, typer.Option(min=0, help="Which shell or command; else the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Watch a session that runs, in this terminal, until it ends; q leaves. Of a database, its statements as they end.
    Watching is recorded."""
    which = session if is_id(session, "ses") else _live(session)
    database = call("GET", f"/sessions/{which}")["session"]["entry"].startswith(("postgres_", "mysql_"))
    from onepam.cli.watch import leaving, watched_lines

    kept = signed_in(Home())
    params = {"channel": channel}
    with (
        leaving(sys.stdin),
        answered(kept.gateway, "GET", f"/sessions/{which}/live", params=params, token=kept.token) as answer,
    ):
        watched_lines(lines_of(answer.iter_bytes()), sys.stdout, database=database)


def kill(
    session: Annotated[
        str,
        typer.Argument(help="Id, LOGIN@TARGET, target or person of a live one.", autocompletion=complete.live_sessions),
    ],
    reason: Annotated[str, typer.Option(help="Why; needed unless the session is yours.")] = "",
    as_json: Json = False,
) -> None:
    """End a session now."""
    which = session if is_id(session, "ses") else _live(session)
    done = call("POST", f"/sessions/{which}/kill", {"reason": reason})
    printed(done) if Output.as_json else say(f"{which} is being ended.")


def _live(text: str) -> str:
    found = call("GET", "/sessions", params={"status": "open", "most": "500"})
    offers = [
        Offer(
            each["session"],
            (f"{each['login']}@{each['resource']}", each["resource"], each["person_name"], each["person"]),
            f"{each['person_name']}, {each['login']}@{each['resource']}, since {when(each['opened'])}",
        )
        for each in found
    ]
    return one_of(text, offers, "live sessions", "See: onepam sessions")


def _statements(session: str, save: Path | None) -> None:
    from onepam.cli.play import save_lines
    from onepam.cli.statements import statement_lines

    kept = signed_in(Home())
    params = {"format": "csv" if save is not None and save.suffix == ".csv" else "jsonl"}
    with answered(kept.gateway, "GET", f"/sessions/{session}/statements", params=params, token=kept.token) as answer:
        if save is not None:
            save_lines(answer.iter_bytes(), save)
            say(f"Saved {save}.")
            return
        lines = lines_of(answer.iter_bytes())
        for line in map(plain, lines) if Output.as_json else statement_lines(lines):
            say(line)


def _timeline(session: str) -> None:
    found = call("GET", f"/sessions/{session}/timeline")
    if Output.as_json:
        printed(found)
        return
    table(
        ("CHANNEL", "KIND", "COMMAND", "AT", "STATUS", "OUTPUT"),
        (
            (
                each["channel"],
                each["kind"],
                each["command"] or "-",
                span(each["opened"] / 1e6),
                each["signal"] or ("" if each["status"] is None else each["status"]),
                f"{each['output_bytes']:,} bytes",
            )
            for each in found["channels"]
        ),
        "Nothing was opened in this session.",
    )
    for each in found["files"]:
        size = f", {each['size']:,} bytes" if each["size"] is not None else ""
        digest = f", SHA-256 {each['sha256']}" if each["sha256"] else ""
        words = " ".join(filter(None, (each["operation"], each["path"], each["target"], each["outcome"])))
        say(f"{span(each['at'] / 1e6):>8}  {words}{size}{digest}")
    if found["gap"]:
        # a recording has no end while its session runs
        running = call("GET", f"/sessions/{session}")["session"]["status"] == "open"
        say("The session still runs." if running else f"The recording ends early: {found['gap']}.")
