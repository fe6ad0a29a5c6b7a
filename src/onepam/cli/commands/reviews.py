"""Access reviews: how far each is, and my word on what waits for me."""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.commands.roles import end_of
from onepam.cli.naming import Offer, Whom, is_id, one_of, one_person
from onepam.cli.show import Json, Output, confirmed, printed, say, table, when

app = typer.Typer(help="Access reviews.", invoke_without_command=True, rich_markup_mode=None)

Review = Annotated[str, typer.Argument(help="Id, as onepam review lists it.")]
Role = Annotated[str, typer.Argument(help="The role.")]
Note = Annotated[str, typer.Option(help="Kept with the decision.")]
_WHICH = "mine, waiting, nobody, removed, suspended or all; all but the first for whoever oversees."


@app.callback()
def reviews(context: typer.Context, as_json: Json = False) -> None:
    """List reviews, how far each is, when the next one is due, and which periods missed theirs."""
    if context.invoked_subcommand:
        return
    found = call("GET", "/reviews")
    if Output.as_json:
        printed(found)
        return
    table(
        ("REVIEW", "PERIOD", "UNTIL", "DECIDED", "REMOVED", "FOR YOU", "NOBODY LEFT", "WITHHELD", "STATE"),
        (
            (
                each["review"],
                each["period"] or "by hand",
                when(each["closes"]),
                f"{each['kept'] + each['removed']} of {each['items']}",
                each["removed"],
                each["mine"],
                each["nobody"],
                each["suspended"],
                _stands(each),
            )
            for each in found["reviews"]
        ),
        "Nothing of a review is or was yours.",
    )
    rule = found["schedule"]
    days = rule["lasts"] // 86_400_000_000
    say(f"One falls due each {rule['every']}, for {days} days; the next opens {when(rule['next_opens'])}.")
    missed = [each["period"] for each in found["due"] if not each["review"]]
    if missed:
        say(f"Missed: {', '.join(missed)}.")


@app.command()
def show(
    review: Review,
    which: Annotated[str, typer.Option(help=_WHICH)] = "mine",
    after: Annotated[str, typer.Option(help="Go on after this person/role.")] = "",
    as_json: Json = False,
) -> None:
    """Show items of a review: mine, or whichever."""
    found = call("GET", f"/reviews/{review}", params={"which": which, "after": after})
    if Output.as_json:
        printed(found)
        return
    runs = found["review"]["closed"] is None
    table(
        ("PERSON", "NAME", "ROLE", "WHY", "LAST USED", "UNUSUAL", "DECIDES", "STATE"),
        (
            (
                each["person"],
                each["name"],
                each["role"] + (" (privileged)" if each["privileged"] else ""),
                "; ".join(each["by"]),
                when(each["last_used"]) if each["last_used"] else "never",
                ", ".join(each["unusual"]).replace("_", " ") + ("; better removed" if each["against"] else ""),
                each["decides_name"] or "nobody left",
                state_of(each, runs),
            )
            for each in found["items"]
        ),
        "Nothing of it waits for you." if which == "mine" else "This list is empty.",
    )
    if found["more"]:
        say(f"There is more: --after '{found['more']}'")


@app.command(name="open")
def open_one(
    days: Annotated[int, typer.Option(help="How long it may be decided on.")] = 14,
    role: Annotated[list[str] | None, typer.Option(help="Only this role; may be given again.")] = None,
    person: Annotated[list[str] | None, typer.Option(help="Only this person; may be given again.")] = None,
    resource: Annotated[list[str] | None, typer.Option(help="Only roles that reach it; may be given again.")] = None,
    privileged: Annotated[bool, typer.Option("--privileged", help="Only what is privileged.")] = False,
    system: Annotated[
        list[str] | None, typer.Option(help="Only what is held there, such as system:payroll; may be given again.")
    ] = None,
    suspends: Annotated[
        str, typer.Option(help="Without an answer withhold: privileged, everything or nothing.")
    ] = "privileged",
    fallback: Annotated[str, typer.Option(help="Who decides where nobody else can.")] = "",
    as_json: Json = False,
) -> None:
    """Open a review of what everybody holds now."""
    asked = {
        "days": days,
        "roles": role or [],
        "people": [one_person(each) for each in person or []],
        "resources": resource or [],
        "privileged": privileged,
        "systems": system or [],
        "suspends": suspends,
        "fallback": one_person(fallback) if fallback else None,
    }
    found = call("POST", "/reviews", asked)
    printed(found) if Output.as_json else say(f"{found['review']} is open: {found['items']} items.")


@app.command()
def keep(
    review: Review,
    person: Whom,
    role: Role,
    note: Note = "",
    until: Annotated[str, typer.Option(help="Keep it until the end of this day (UTC), and no longer.")] = "",
    as_json: Json = False,
) -> None:
    """Keep a role of somebody's."""
    ends = end_of(until) if until else None
    _decide(review, person, role, "keep", note, "Kept until then." if until else "Kept.", ends)


@app.command(name="keep-usual")
def keep_usual(
    review: Review,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Keep everything that waits for me and about which nothing is unusual."""
    me = call("GET", "/me")["person"]
    mine = (each for each in _mine(review) if each["decides"] == me)
    waits = [each for each in mine if not each["verdict"] and not each["unusual"]]
    if not Output.as_json:
        table(("NAME", "ROLE"), ((each["name"], each["role"]) for each in waits), "Nothing waits that is as usual.")
    if waits:
        confirmed(f"Keep these {len(waits)}?", yes)
    kept = 0
    for first in range(0, len(waits), 100):
        items = [{"person": each["person"], "role": each["role"]} for each in waits[first : first + 100]]
        kept += call("POST", f"/reviews/{review}/keep", {"items": items})["kept"]
    printed({"kept": kept}) if Output.as_json else say(f"Kept: {kept}.")


@app.command()
def remove(review: Review, person: Whom, role: Role, note: Note = "", as_json: Json = False) -> None:
    """Remove a role from somebody: it gives nothing from now on. What another system gives is to be ended there."""
    there = role.startswith(("system:", "scim:"))
    said = "Removed: it is to be ended there." if there else "Removed: it gives nothing any more."
    _decide(review, person, role, "remove", note, said)


@app.command(name="pass")
def pass_item(
    review: Review,
    person: Whom,
    role: Role,
    to: Annotated[str, typer.Option(help="Who decides instead, by name, address or id; else whoever is next.")] = "",
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Say that an item is not mine."""
    body = {"person": _whose(review, person), "role": role, "to": to, "note": note}
    found = call("POST", f"/reviews/{review}/pass", body)
    printed(found) if Output.as_json else say(f"{found['to_name']} decides on it now.")


@app.command()
def figures(review: Review, as_json: Json = False) -> None:
    """Show what a review came to, and how each reviewer decided."""
    found = call("GET", f"/reviews/{review}/figures")
    printed(found) if Output.as_json else _show_figures(found)


@app.command(name="sign-off")
def sign_off(
    review: Review,
    note: Annotated[str, typer.Option(help="What you saw, and what follows.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Sign a review off that is over, having seen its figures: whoever had no part in it."""
    found = call("GET", f"/reviews/{review}/figures")
    if not Output.as_json:
        _show_figures(found)
    confirmed("Sign it off?", yes)
    done = call("POST", f"/reviews/{review}/sign-off", {"note": note, "seen": found["seen"]})
    printed(done) if Output.as_json else say("Signed off.")


def _show_figures(found: dict[str, Any]) -> None:
    it = found["figures"]
    ends = f" ({it['reduced']} of them until a day)" if it["reduced"] else ""
    say(
        f"{it['kept']} kept{ends}, {it['removed']} removed, "
        f"{it['unanswered']} without an answer, "
        f"{it['not_remediated']} removed and given still."
    )
    table(
        ("WHO DECIDED", "ITEMS", "KEPT", "FROM ONE TO THE NEXT", ""),
        (
            (
                each["name"],
                each["items"],
                each["kept"],
                "" if each["median"] is None else f"{each['median'] / 1_000_000:,.1f} s",
                "rubber stamp" if each["rubber_stamp"] else "",
            )
            for each in found["reviewers"]
        ),
        "Nobody decided on anything.",
    )


def _decide(review: str, person: str, role: str, verdict: str, note: str, said: str, until: str | None = None) -> None:
    body = {"person": _whose(review, person), "role": role, "verdict": verdict, "note": note, "until": until}
    found = call("POST", f"/reviews/{review}/decide", body)
    printed(found) if Output.as_json else say(said)


def _stands(each: dict[str, Any]) -> str:
    if not each["closed"]:
        return "open"
    return "signed off" if each["signed"] else "over, not signed"


def _whose(review: str, text: str) -> str:
    """The id of a person by what the review lists: whoever decides may see nobody else, and so cannot search people."""
    if is_id(text, "per"):
        return text
    names = {each["person"]: each["name"] for each in _mine(review)}
    if "@" in text or text.strip().casefold() not in {each.casefold() for each in names.values()}:
        return one_person(text)
    offers = (Offer(person, (name,), name) for person, name in names.items())
    return one_of(text, offers, "people", f"See: onepam review show {review}")


def _mine(review: str) -> list[dict[str, Any]]:
    """All items of a review that are or were mine to decide."""
    items, after = [], ""
    while True:
        found = call("GET", f"/reviews/{review}", params={"which": "mine", "after": after})
        items += found["items"]
        after = found["more"]
        if not after:
            return items


def state_of(each: dict[str, Any], runs: bool) -> str:
    """How an item stands, in words; `runs`: its review is not over."""
    if each["withheld"] == "silence":
        return "withheld: nobody answered"
    if each["verdict"] == "remove" and each["beyond"]:
        return "removed, not remediated" if each["held"] else "removed, and gone there"
    if each["verdict"] == "remove":
        return "removed, given still" if each["withheld"] and each["held"] else "removed"
    if each["verdict"] and each["withheld"]:
        return "its day is over, given still"
    if each["verdict"]:
        return f"kept until {when(each['until'])}" if each["until"] else "kept"
    return "gone meanwhile" if not each["held"] else "waits" if runs else "no answer"
