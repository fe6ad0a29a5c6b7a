"""What waits for me, and my word on it: requests (req_), and proposals of every kind."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.commands.matrix import show_plan
from onepam.cli.naming import Item, Offer, asked, is_id, one_of
from onepam.cli.show import Json, Output, confirmed, facts, printed, say, span, table, when

PROPOSALS = ("chg", "enr", "ers", "exc", "stk", "stm")
"""How the ids of proposals begin."""

Comment = Annotated[str, typer.Option(help="Words to the one who asked.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def inbox(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None, as_json: Json = False
) -> None:
    """List what waits for my decision: requests, and what others proposed."""
    found = _all("/inbox", as_of, lambda each: each["request"]["made"])
    laid = _all("/proposals", as_of, lambda each: each["since"])
    reviews = [each for each in call("GET", "/reviews")["reviews"] if each["mine"]] if as_of is None else []
    if Output.as_json:
        printed({"requests": found, "proposals": laid, "reviews": reviews})
        return
    table(
        ("REQUEST", "WHO", "WHAT", "FOR", "WAITS", "REASON", "BEFORE", "UNUSUAL"),
        (
            (
                row["request"],
                row["person_name"],
                f"{row['login']}@{row['resource']}" + (" (privileged)" if each["privileged"] else ""),
                ", ".join(filter(None, (span(row["duration_seconds"]), row["schedule_words"]))),
                when(row["made"]),
                " ".join(filter(None, (row["reason"], row["ticket"] and f"[{row['ticket']}]"))),
                f"asked {each['asked']}, used {each['used']}",
                "; ".join(each["unusual"]),
            )
            for each, row in ((each, each["request"]) for each in found)
        ),
        "No request waits for you.",
    )
    table(
        ("PROPOSAL", "WHAT", "SAYS", "BY", "WAITS", "YOU MAY"),
        (
            (
                each["proposal"],
                each["title"],
                "; ".join(fact["value"] for fact in each["facts"]),
                each["by_name"],
                when(each["since"]),
                "approve, deny" if each["decides"] else "deny",
            )
            for each in laid
        ),
        "No proposal waits for you.",
    )
    for each in reviews:
        say(f"{each['mine']} items of a review wait for you: onepam review show {each['review']}")


def approve(item: Item, comment: Comment = "", yes: Yes = False, as_json: Json = False) -> None:
    """Approve a request, or what somebody else proposed: anything that onepam inbox lists."""
    which = _one(item)
    if which.startswith("req_"):
        _approve_request(which, comment, yes)
        return
    found = call("GET", f"/proposals/{which}")
    if not Output.as_json:
        _show_proposal(found)
    confirmed("Approve it?", yes)
    given = call("POST", f"/proposals/{which}/approve", {"digest": found["digest"]})
    if Output.as_json:
        printed(given)
    elif given["link"] is None:
        say(f"{which} is in force.")
    else:
        say(f"One-use link, ends {when(given['expires'])}; give it to nobody else:", f"  {given['link']}")


def undo(
    request: Annotated[
        str, typer.Argument(help="Id, LOGIN@TARGET, target or requester.", autocompletion=complete.undoable)
    ],
    as_json: Json = False,
) -> None:
    """Undo my approval of a request before it takes effect."""
    which = request if is_id(request, "req") else _undoable(request)
    done = call("POST", f"/requests/{which}/undo")
    printed(done) if Output.as_json else say(f"Undone; {which} waits again.")


def deny(item: Item, comment: Comment = "", as_json: Json = False) -> None:
    """Deny a request or a proposal, take my own proposal back, or cancel new factors of mine."""
    which = _one(item)
    if which.startswith("req_"):
        done = call("POST", f"/requests/{which}/deny", {"comment": comment})
    else:
        done = call("POST", f"/proposals/{which}/deny", {"reason": comment})
    printed(done) if Output.as_json else say(f"{which} is denied.")


def _one(item: str) -> str:
    """The request or proposal that is meant, of those that wait."""
    if is_id(item, "req", *PROPOSALS):
        return item
    waiting = [asked(each["request"]) for each in _all("/inbox", None, lambda each: each["request"]["made"])]
    laid = [
        Offer(each["proposal"], (each["title"], each["by_name"]), f"{each['title']}, by {each['by_name']}")
        for each in _all("/proposals", None, lambda each: each["since"])
    ]
    return one_of(item, [*waiting, *laid], "things that wait for you", "See: onepam inbox")


def _undoable(text: str) -> str:
    found = call("GET", "/requests", params={"whose": "decided"})
    offers = [asked(each) for each in found if each["grant_state"] == "starting"]
    return one_of(text, offers, "approvals that you can still undo", "See: onepam inbox")


def _approve_request(request: str, comment: str, yes: bool) -> None:
    found = call("GET", f"/requests/{request}")
    row = found["request"]
    if not Output.as_json:
        facts(
            (
                ("who", f"{row['person_name']} ({row['person']})"),
                ("what", f"{row['login']}@{row['resource']}: {', '.join(row['actions'])}"),
                ("for", ", ".join(filter(None, (span(row["duration_seconds"]), row["schedule_words"])))),
                ("reason", row["reason"]),
                ("ticket", row["ticket"]),
                *((("agreed", ", ".join(each["name"] for each in found["agreed"])),) if found["agreed"] else ()),
            )
        )
    confirmed("Approve it?", yes)
    given = call("POST", f"/requests/{request}/approve", {"digest": row["digest"], "comment": comment})
    if Output.as_json:
        printed(given)
        return
    if given["grant"] is None:
        say(f"Agreed: {given['given']} of {given['needed']}. Somebody else must, too.")
        return
    say(f"Approved; the access ends {when(given['ends'])} ({given['grant']}).")
    say(f"  It takes effect {when(given['starts'])}; until then: onepam undo {request}")


def _all(path: str, as_of: str | None, made: Callable[[dict[str, Any]], str]) -> list[dict[str, Any]]:
    """All pages of a list, the oldest first."""
    found: list[dict[str, Any]] = call("GET", path, params={"as_of": as_of})
    page = found
    while page:
        page = call("GET", path, params={"as_of": as_of, "after": made(page[-1])})
        found += page
    return found


def _show_proposal(found: dict[str, Any]) -> None:
    said = [(each["word"].lower(), each["value"]) for each in found["facts"]]
    facts((("what", found["title"]), *said, ("proposed by", f"{found['by_name']} {when(found['since'])}")))
    if found["kind"] == "change":
        change = call("GET", f"/changes/{found['proposal']}")
        if change["plan"]:
            show_plan(change["plan"])
        if change["sessions"]:
            say(f"It ends {change['sessions']} live sessions of {change['people']} people.")
