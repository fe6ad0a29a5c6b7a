"""Controls: what their tests found, and of what."""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.commands.evidence import instant_of
from onepam.cli.naming import one_person
from onepam.cli.show import Json, Output, printed, say, table, when


def controls(
    control: Annotated[str, typer.Argument(help="Of one control, by its id, all rows that do not pass.")] = "",
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    test: Annotated[bool, typer.Option("--test", help="Test now; else what was found last is shown.")] = False,
    owner: Annotated[str, typer.Option(help="Who answers for it from now on.")] = "",
    due: Annotated[str, typer.Option(help="With --owner: day on which what fails is mended.")] = "",
    as_json: Json = False,
) -> None:
    """List the controls, or one: what its test found, of how many, and who answers for it."""
    if owner:
        body = {"owner": one_person(owner), "due": instant_of(due) if due else None}
        call("POST", f"/controls/{control or 'none'}/owner", body)
    if test:
        call("POST", "/controls/run", {"controls": [control] if control else []})
    found = call("GET", f"/controls/{control}" if control else "/controls", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
    elif control:
        _one(found)
    else:
        _all(found)


def _all(found: Any) -> None:
    table(
        ("CONTROL", "VERDICT", "PASS", "FAIL", "OF", "TESTED", "OWNER", "DUE", "WHAT"),
        (
            (
                each["control"],
                each["last"]["verdict"] if each["last"] else "never tested",
                each["last"]["passed"] if each["last"] else "",
                each["last"]["failed"] if each["last"] else "",
                each["last"]["population"] if each["last"] else "",
                when(each["last"]["at"]) if each["last"] else "",
                each["owner_name"],
                when(each["due"]) if each["due"] else "",
                each["title"],
            )
            for each in found["controls"]
        ),
        "There are no controls.",
    )


def _one(found: Any) -> None:
    it = found["control"]
    say(f"{it['control']}: {it['title']} ({', '.join(it['criteria'])})")
    say(f"Rule, version {it['version']}: {it['rule']}")
    say(f"Not shown: {it['blind']}.")
    last = it["last"]
    if last:
        numbers = ", ".join(f"{last[each]} {word}" for each, word in _NUMBERS)
        say(f"{last['verdict']}: {numbers} of {last['population']}, tested {when(last['at'])}{_because(last)}.")
        say(f"Rows: {last['digest']}{'' if found['same'] else ' (worked out again they are others)'}")
    table(
        ("OF", "ID", "VERDICT", "WHY"),
        ((each["kind"], each["key"], each["verdict"], each["reason"]) for each in found["rows"]),
        "No row fails." if last else "It was never tested, and now no row would fail.",
    )
    if found["left"]:
        say(f"And {found['left']} more.")


_NUMBERS = (("passed", "pass"), ("failed", "fail"), ("untested", "not tested"), ("excluded", "excluded"))


def _because(last: Any) -> str:
    return f", {last['cause']}" if last["cause"] else ""
