"""Incidents: the register, opening one from what was seen, adding to it, and closing it."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.commands.evidence import instant_of
from onepam.cli.naming import one_id, one_person
from onepam.cli.show import Json, Output, facts, note, printed, say, table, when

app = typer.Typer(help="Incidents: open one, add to it, close it.", no_args_is_help=True, rich_markup_mode=None)


class Weight(StrEnum):
    """How much an incident weighs."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Which(StrEnum):
    """Which incidents are listed."""

    OVERDUE = "overdue"
    CLOSED = "closed"
    ALL = "all"


Incident = Annotated[str, typer.Argument(help="Its id, as onepam incidents lists it.")]
Sessions = Annotated[
    list[str] | None, typer.Option("--session", help="A session of it.", autocompletion=complete.sessions)
]
People = Annotated[list[str] | None, typer.Option("--person", help="Somebody who had to do with it.")]
Culprits = Annotated[list[str] | None, typer.Option("--caused-by", help="Who brought it about, where that is known.")]
Resources = Annotated[list[str] | None, typer.Option("--resource", help="A resource of it.")]
Entries = Annotated[list[int] | None, typer.Option("--entry", help="An entry of the ledger, by its index.")]
Controls = Annotated[list[str] | None, typer.Option("--control", help="A control that found it.")]


def incidents(
    which: Annotated[Which | None, typer.Option("--state", help="These; else those that are open.")] = None,
    severity: Annotated[Weight | None, typer.Option(help="Only of this severity.")] = None,
    owner: Annotated[str, typer.Option(help="Only those that somebody answers for.")] = "",
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List the register of incidents, what is due first at the top."""
    asked = {
        "state": which.value if which else "",
        "severity": severity.value if severity else "",
        "owner": one_person(owner) if owner else "",
        "as_of": as_of,
    }
    found = call("GET", "/incidents", params=asked)
    if Output.as_json:
        printed(found)
        return
    table(
        ("INCIDENT", "SEVERITY", "STATE", "TITLE", "FOUND", "OWNER", "DUE"),
        (
            (
                each["incident"],
                each["severity"],
                each["state"],
                each["title"] or "(erased)",
                when(each["found"]),
                each["owner_name"],
                when(each["due"]),
            )
            for each in found["incidents"]
        ),
        "No such incident.",
    )
    known = found["figures"]
    note(
        f"{known['open']} open, {known['overdue']} overdue, {known['high']} of high severity; {known['closed']} closed."
    )


@app.command("open")
def open_one(
    title: Annotated[str, typer.Argument(help="What went wrong, in a line.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    severity: Annotated[Weight, typer.Option(help="How much it weighs.")] = Weight.MEDIUM,
    what: Annotated[str, typer.Option(help="What went wrong, in more words.")] = "",
    began: Annotated[str, typer.Option(help="When it began, where that is known (RFC 3339 or a day).")] = "",
    found: Annotated[str, typer.Option(help="When it was found; else now.")] = "",
    sessions: Sessions = None,
    people: People = None,
    caused_by: Culprits = None,
    resources: Resources = None,
    entries: Entries = None,
    controls: Controls = None,
    as_json: Json = False,
) -> None:
    """Open an incident, with what belongs to it: its id."""
    body = {
        "title": title,
        "severity": severity.value,
        "owner": one_person(owner),
        "what": what,
        "began": instant_of(began) if began else None,
        "found": instant_of(found) if found else None,
        "links": _links(sessions, people, caused_by, resources, entries, controls),
    }
    done = call("POST", "/incidents", body)
    printed(done) if Output.as_json else say(done["incident"])


@app.command()
def show(
    incident: Incident,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """Show one: what belongs to it, and everything that was written of it."""
    found = call("GET", f"/incidents/{one_id(incident)}", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    it = found["incident"]
    facts(
        (
            ("Incident", f"{it['incident']}: {it['title'] or '(erased)'}"),
            ("State", it["state"]),
            ("Severity", it["severity"]),
            ("Began", when(it["began"]) if it["began"] else "not known"),
            ("Found", when(it["found"])),
            ("Answers for it", it["owner_name"]),
            ("Due", when(it["due"])),
            ("Closed", f"{when(it['closed'])} by {it['closed_by_name']}" if it["closed"] else None),
        )
    )
    table(
        ("BELONGS TO IT", "WHAT", "WHEN"),
        (
            (each["kind"].replace("_", " "), each["words"], when(each["since"]) if each["since"] else "")
            for each in found["links"]
        ),
        "Nothing is linked.",
    )
    table(
        ("WHEN", "ENTRY", "WHAT"),
        ((when(each["time"]), each["index"], each["words"]) for each in found["history"]),
        "",
    )


@app.command("note")
def note_to(
    incident: Incident,
    words: Annotated[str, typer.Argument(help="What was learned or done.")] = "",
    at: Annotated[str, typer.Option(help="When that was (RFC 3339); else now.")] = "",
    sessions: Sessions = None,
    people: People = None,
    caused_by: Culprits = None,
    resources: Resources = None,
    entries: Entries = None,
    controls: Controls = None,
    as_json: Json = False,
) -> None:
    """Add what was learned or done, and what belongs to it."""
    links = _links(sessions, people, caused_by, resources, entries, controls)
    body = {"note": words, "at": instant_of(at) if at else None, "links": links}
    _told(call("POST", f"/incidents/{one_id(incident)}/notes", body), "Noted.")


@app.command()
def assign(
    incident: Incident,
    owner: Annotated[str, typer.Option(help="Who answers for it from now on.")],
    severity: Annotated[Weight, typer.Option(help="How much it weighs.")],
    because: Annotated[str, typer.Option(help="Why.")],
    due: Annotated[str, typer.Option(help="Day on which it is to be closed; else as its severity gives.")] = "",
    as_json: Json = False,
) -> None:
    """Say how much it weighs, who answers for it and until when."""
    body = {
        "owner": one_person(owner),
        "severity": severity.value,
        "because": because,
        "due": instant_of(due) if due else None,
    }
    _told(call("POST", f"/incidents/{one_id(incident)}/assign", body), "Said who answers for it.")


@app.command()
def close(
    incident: Incident,
    cause: Annotated[str, typer.Option(help="Why it came about.")],
    done: Annotated[str, typer.Option(help="What was done.")],
    lessons: Annotated[str, typer.Option(help="What is done otherwise from now on.")] = "",
    as_json: Json = False,
) -> None:
    """Close it: an administrator or an auditor who did not bring it about."""
    body = {"cause": cause, "done": done, "lessons": lessons}
    _told(call("POST", f"/incidents/{one_id(incident)}/close", body), "Closed.")


@app.command()
def reopen(
    incident: Incident, because: Annotated[str, typer.Option(help="Why it is not over.")], as_json: Json = False
) -> None:
    """Open it again."""
    _told(call("POST", f"/incidents/{one_id(incident)}/reopen", {"because": because}), "Open again.")


def _links(
    sessions: list[str] | None,
    people: list[str] | None,
    caused_by: list[str] | None,
    resources: list[str] | None,
    entries: list[int] | None,
    controls: list[str] | None,
) -> list[dict[str, str]]:
    found = [
        *(("session", each) for each in sessions or ()),
        *(("person", one_person(each)) for each in people or ()),
        *(("caused_by", one_person(each)) for each in caused_by or ()),
        *(("resource", each) for each in resources or ()),
        *(("entry", str(each)) for each in entries or ()),
        *(("control", each) for each in controls or ()),
    ]
    return [{"kind": kind, "ref": ref} for kind, ref in found]


def _told(done: Any, words: str) -> None:
    printed(done) if Output.as_json else say(words)
