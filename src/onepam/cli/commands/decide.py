"""What waits for me, and my word on it: requests (req_), changes of the matrix (chg_), enrolments (enr_)."""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.commands.access import one_id
from onepam.cli.commands.matrix import show_plan
from onepam.cli.show import USAGE, Json, Output, confirmed, facts, printed, say, span, stop, table, when

Comment = Annotated[str, typer.Option(help="Words to the one who asked.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def inbox(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None, as_json: Json = False
) -> None:
    """List the requests that I may decide."""
    found = call("GET", "/inbox", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("REQUEST", "WHO", "WHAT", "FOR", "WAITS", "REASON", "BEFORE", "UNUSUAL"),
        (
            (
                row["request"],
                row["person_name"],
                f"{row['login']}@{row['resource']}" + (" (privileged)" if each["privileged"] else ""),
                span(row["duration_seconds"]),
                when(row["made"]),
                " ".join(filter(None, (row["reason"], row["ticket"] and f"[{row['ticket']}]"))),
                f"asked {each['asked']}, used {each['used']}",
                "; ".join(each["unusual"]),
            )
            for each, row in ((each, each["request"]) for each in found)
        ),
        "Nothing waits for you.",
    )


def approve(item: str, comment: Comment = "", yes: Yes = False, as_json: Json = False) -> None:
    """Approve a request, another administrator's change, or the replacement of an administrator's factors."""
    which = one_id(item)
    match which.partition("_")[0]:
        case "req":
            _approve_request(which, comment, yes)
        case "chg":
            _approve_change(which, yes)
        case "enr":
            confirmed(f"Let this person replace their factors ({which})?", yes)
            _show_link(call("POST", f"/enrolments/{which}/approve"))
        case _:
            _unknown(item)


def undo(request: str, as_json: Json = False) -> None:
    """Undo my approval of a request before it takes effect."""
    which = one_id(request)
    done = call("POST", f"/requests/{which}/undo")
    printed(done) if Output.as_json else say(f"Undone; {which} waits again.")


def deny(item: str, comment: Comment = "", as_json: Json = False) -> None:
    """Deny a request, or reject a change."""
    which = one_id(item)
    match which.partition("_")[0]:
        case "req":
            done = call("POST", f"/requests/{which}/deny", {"comment": comment})
        case "chg":
            done = call("POST", f"/changes/{which}/reject", {"reason": comment})
        case _:
            _unknown(item)
    printed(done) if Output.as_json else say(f"{which} is denied.")


def _approve_request(request: str, comment: str, yes: bool) -> None:
    row = call("GET", f"/requests/{request}")["request"]
    if not Output.as_json:
        facts(
            (
                ("who", f"{row['person_name']} ({row['person']})"),
                ("what", f"{row['login']}@{row['resource']}: {', '.join(row['actions'])}"),
                ("for", span(row["duration_seconds"])),
                ("reason", row["reason"]),
                ("ticket", row["ticket"]),
            )
        )
    confirmed("Approve it?", yes)
    given = call("POST", f"/requests/{request}/approve", {"digest": row["digest"], "comment": comment})
    if Output.as_json:
        printed(given)
        return
    say(f"Approved; the access ends {when(given['ends'])} ({given['grant']}).")
    say(f"  It takes effect {when(given['starts'])}; until then: onepam undo {request}")


def _approve_change(change: str, yes: bool) -> None:
    found = call("GET", f"/changes/{change}")
    row = found["change"]
    if not Output.as_json:
        say(f"Proposed by {row['proposer_name']} {when(row['proposed'])}: {row['summary']}")
        if found["plan"]:
            show_plan(found["plan"])
        if found["sessions"]:
            say(f"It ends {found['sessions']} live sessions of {found['people']} people.")
    confirmed("Approve it?", yes)
    given = call("POST", f"/changes/{change}/approve", {"digest": row["digest"]})
    printed(given) if Output.as_json else say(f"{change} is {given['outcome']}.")


def _show_link(given: dict[str, Any]) -> None:
    printed(given) if Output.as_json else say(f"One-use link, ends {when(given['expires'])}:", f"  {given['link']}")


def _unknown(item: str) -> None:
    stop(USAGE, f"{item} is nothing that waits for a decision.", "An id of a request (req_...) or a change (chg_...)")
