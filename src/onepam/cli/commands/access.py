"""What one can reach, and asking for more."""

import re
import shlex
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.database_files import service_command
from onepam.cli.home import Home
from onepam.cli.naming import asked, is_id, nearest, one_of
from onepam.cli.show import OK, REFUSED, USAGE, Json, Output, console, note, printed, say, span, stop, table, when
from onepam.cli.ssh_files import ssh_command

POLL_SECONDS = 2.0
MINUTE = timedelta(minutes=1)
MOST_NAMED = 8
"""Of what somebody may ask for, so many are named to whoever asks for something else."""
_DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m(?:in)?)?")


def ls(
    search: Annotated[
        str, typer.Argument(help="Part of a name or of a label.", autocompletion=complete.reachable)
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Also what may be requested.")] = False,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List what I can reach now, with the time left and the exact command."""
    home = Home()
    found = call("GET", "/access", params={"search": search, "as_of": as_of})
    if Output.as_json:
        for each in found["open"]:
            each["command"] = _command(home, each["kind"], each["login"], each["resource"])
        printed(found)
        return
    if search and not found["open"] and not found["requestable"]:
        _nowhere(search, as_of)
        return
    table(
        ("TARGET", "LOGIN", "LEFT", "COMMAND"),
        (
            (
                each["resource"],
                each["login"],
                when(each["until"]).removeprefix("in ") or "Standing",
                _command(home, each["kind"], each["login"], each["resource"]),
            )
            for each in found["open"]
        ),
        (f"Nothing with “{search}” is open to you now." if search else "Nothing is open to you now.")
        + ("" if all_ else f" What you may ask for: onepam ls {search}{' ' if search else ''}--all"),
    )
    if all_:
        say("")
        table(
            ("MAY BE REQUESTED", "LOGIN", "AT MOST", "APPROVED BY", "WAITING"),
            (
                (
                    each["resource"],
                    each["login"],
                    span(each["longest_seconds"]),
                    ", ".join(each["approvers"]),
                    each["pending"] or "",
                )
                for each in found["requestable"]
            ),
            f"There is nothing with “{search}” to ask for." if search else "There is nothing to ask for.",
        )
        if found["beyond"]:
            say(f"... and {found['beyond']} more: search for them.")


def _nowhere(search: str, as_of: str | None) -> None:
    """No resource of one's catalogue is called like this; those that are called alike."""
    known = call("GET", "/access", params={"as_of": as_of})
    near = nearest(search, (each["resource"] for part in ("open", "requestable") for each in known[part]))
    say(f"No resource that you can reach or ask for has “{search}” in its name or its labels.")
    say(f"Did you mean: {', '.join(near)}" if near else "All of them: onepam ls --all")


def request(
    target: Annotated[
        str,
        typer.Argument(
            help="TARGET or LOGIN@TARGET; none: list what may be asked for.", autocompletion=complete.targets
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; the approver reads it.")] = "",
    login: Annotated[str, typer.Option(help="The account on the target.")] = "",
    for_: Annotated[str, typer.Option("--for", help="How long: 45m, 2h, 1h30m, 1d.")] = "1h",
    ticket: Annotated[str, typer.Option(help="A ticket's number.")] = "",
    role: Annotated[str | None, typer.Option(help="Which of my roles, where several would do.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Not before this (RFC 3339).")] = None,
    hours: Annotated[str, typer.Option(help="Only then, week by week: Mon-Fri 09:00-17:00 Europe/Berlin.")] = "",
    until: Annotated[
        str | None, typer.Option(help="For so long from its first use on, by then at the latest (RFC 3339).")
    ] = None,
    extend: Annotated[bool, typer.Option("--extend", help="Go on when what runs ends.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the decision.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for access; without TARGET: list what may be asked for."""
    if not target:
        _offered()
        return
    account, _, resource = target.rpartition("@")
    account = login or account or _only_login(resource)
    if not reason:
        if not sys.stdin.isatty():
            stop(USAGE, "A reason is needed.", "Add --reason")
        reason = typer.prompt("Reason", err=True)
    if not ticket and sys.stdin.isatty():
        ticket = _ticket(resource, account, role)
    body = {
        "resource": resource,
        "login": account,
        "duration_seconds": seconds_of(for_),
        "reason": reason,
        "ticket": ticket,
        "role": role,
        "begins": from_,
        "hours": hours,
        "extend": extend,
        "until": until,
    }
    made = call("POST", "/requests", body)
    if wait and (Output.as_json or not made["grant"]):
        _waited(made, account, resource)
        return
    if Output.as_json:
        printed(made)
        return
    if made["grant"]:
        say(f"{made['request']} needed no approval: open to you, ends {when(made['ends'])}.")
        say(f"  {_command_of(account, resource)}")
        return
    say(f"{made['request']} waits for {_whom(made)}; void {when(made['expires'])}.")


def _whom(made: dict[str, Any]) -> str:
    """Who says yes, as the request says it."""
    several = {1: "one of"}.get(made["approvals"], f"{made['approvals']} of")
    return f"{several}: {', '.join(made['approvers'])}"


def _offered() -> None:
    """What may be asked for: who says yes, for how long, and the line that asks."""
    found = call("GET", "/access", params={"search": ""})
    if Output.as_json:
        printed(found["requestable"])
        return
    table(
        ("MAY BE REQUESTED", "OPENS", "AT MOST", "APPROVED BY", "ASKING", "ASK"),
        (
            (
                each["resource"],
                ", ".join(each["actions"]),
                span(each["longest_seconds"]),
                _whom(each).removeprefix("one of: "),
                "; ".join(each["asking_words"]),
                each["pending"] or _asks(each, found["requestable"]),
            )
            for each in found["requestable"]
        ),
        "There is nothing to ask for.",
    )
    if found["beyond"]:
        say(f"... and {found['beyond']} more. Some of them: onepam ls PART-OF-A-NAME --all")


def _asks(offer: dict[str, Any], offers: list[dict[str, Any]]) -> str:
    """The line that asks, as it may be pasted: it asks by itself for a reason, and a ticket where one is needed."""
    which = ("resource", "login")
    several = len({each["role"] for each in offers if all(each[name] == offer[name] for name in which)}) > 1
    role = ["--role", offer["role"]] if several else []
    return shlex.join(["onepam", "request", f"{offer['login']}@{offer['resource']}", *role])


def _ticket(resource: str, login: str, role: str | None) -> str:
    """A ticket's number from whoever sits there, where nothing of it is asked without one."""
    offers = [
        each
        for each in call("GET", "/access", params={"search": resource})["requestable"]
        if (each["resource"], each["login"]) == (resource, login) and role in (None, each["role"])
    ]
    if not offers or not all(each["ticket_required"] for each in offers):
        return ""
    pattern = offers[0]["ticket"]
    return str(typer.prompt(f"Ticket (matches {pattern})" if pattern else "Ticket", err=True))


def requests(
    all_: Annotated[bool, typer.Option("--all", help="Everybody's (administrators and auditors).")] = False,
    status: Annotated[str | None, typer.Option(help="open, approved, denied, withdrawn or void.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List requests."""
    found = call("GET", "/requests", params={"whose": "all" if all_ else "mine", "status": status, "as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("REQUEST", "WHO", "WHAT", "FOR", "STATUS", "MADE", "REASON"),
        (
            (
                each["request"],
                each["person_name"],
                f"{each['login']}@{each['resource']}",
                ", ".join(filter(None, (span(each["duration_seconds"]), each["schedule_words"]))),
                each["state_words"] + (", starting" if each["grant_state"] == "starting" else ""),
                when(each["made"]),
                each["reason"] or "",
            )
            for each in found
        ),
        "No requests.",
    )


def withdraw(
    request: Annotated[str, typer.Argument(help="Id, LOGIN@TARGET or target.", autocompletion=complete.own_requests)],
    as_json: Json = False,
) -> None:
    """Take a request back that waits."""
    which = request if is_id(request, "req") else _own(request)
    done = call("POST", f"/requests/{which}/withdraw")
    printed(done) if Output.as_json else say(f"{which} is withdrawn.")


def _own(text: str) -> str:
    waiting = call("GET", "/requests", params={"whose": "mine", "status": "open"})
    return one_of(text, map(asked, waiting), "requests of yours that wait", "See: onepam requests")


def seconds_of(text: str) -> int:
    """Seconds of `2h`, `90m`, `1h30m`, `1d`."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        stop(USAGE, f"{text} is not a duration.", "Such as 45m, 2h, 1h30m or 1d")
    days, hours, minutes = (int(each or 0) for each in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60


def waiting(as_json: Json = False) -> None:
    """List my terminals that wait to be confirmed in the browser, and where."""
    found = call("GET", "/confirmations")
    if Output.as_json:
        printed(found)
        return
    table(
        ("TARGET", "FROM", "LAPSES", "CONFIRM OR REFUSE AT"),
        (
            (f"{each['login']}@{each['resource']}", each["source"], when(each["expires"]), each["address"])
            for each in found
        ),
        "No terminal waits for you.",
    )
    if found:
        note("The terminal shows the code to type there; with ssh -q it shows nothing: connect again without -q.")


def _only_login(resource: str) -> str:
    offers = call("GET", "/access", params={"search": resource})
    logins = sorted({each["login"] for each in offers["requestable"] if each["resource"] == resource})
    if len(logins) == 1:
        return str(logins[0])
    if logins:
        stop(USAGE, f"Which login on {resource}?", f"One of: {', '.join(logins)}")
    if any(each["resource"] == resource for each in offers["open"]):
        stop(REFUSED, f"{resource} is open to you already.", "See the command: onepam ls")
    every = call("GET", "/access", params={"search": ""})["requestable"]
    if not every:
        lacks = "You may ask for nothing: no role of yours offers anything on request."
        stop(REFUSED, lacks, "An administrator gives roles. What is open to you: onepam ls")
    names = sorted({f"{each['login']}@{each['resource']}" for each in every})
    more = f" and {len(names) - MOST_NAMED} more: onepam ls --all" if len(names) > MOST_NAMED else ""
    offered = f"You may ask for {', '.join(names[:MOST_NAMED])}{more}"
    return stop(REFUSED, f"There is nothing on {resource} that you may ask for.", offered)


def _waited(made: dict[str, Any], login: str, resource: str) -> None:
    """Polls until somebody decides and it takes effect; a yes ends with the command to use."""
    if not Output.as_json:
        note(f"{made['request']} waits for {_whom(made)}")
    with console(stderr=True).status("waiting for a decision; Ctrl-C leaves the request standing"):
        while True:
            row = call("GET", f"/requests/{made['request']}")["request"]
            later = row["effective_at"] and datetime.fromisoformat(row["effective_at"]) > datetime.now(UTC) + MINUTE
            if row["status"] != "open" and (later or row["grant_state"] != "starting"):
                break
            time.sleep(POLL_SECONDS)
    if Output.as_json:
        printed(row)
        raise typer.Exit(OK if row["status"] == "approved" else REFUSED)
    said = f": {row['comment']}" if row["comment"] else "."
    by = f" by {row['decider_name']}" if row["decider"] else ""
    if row["status"] != "approved":
        stop(REFUSED, f"{row['request']} is {row['status']}{by}{said}")
    if later:
        say(f"Approved{by}; begins {when(row['effective_at'])}, ends {when(row['grant_ends'])}{said}")
        return
    say(f"Approved{by}; ends {when(row['grant_ends'])}{said}")
    say(f"  {_command_of(login, resource)}")


def _command_of(login: str, resource: str) -> str:
    """What opens what was just given."""
    opened = call("GET", "/access", params={"search": resource})["open"]
    kind = next((each["kind"] for each in opened if each["resource"] == resource), "ssh")
    return _command(Home(), kind, login, resource)


def _command(home: Home, kind: str, login: str, resource: str) -> str:
    """What opens this login: of a database its service, or else a token, which comes with the lines for its clients."""
    if kind == "mysql":
        return shlex.join(["onepam", "token", resource, "--as", login])
    if kind == "postgres":
        return service_command(home, login, resource) or shlex.join(["onepam", "token", resource, "--as", login])
    return ssh_command(home, login, resource)
