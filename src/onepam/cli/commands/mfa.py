"""Second factors of the whole company."""

from typing import Annotated, Any

import typer

from onepam.cli.client import call
from onepam.cli.show import BASES, Json, Output, printed, say, span, table, when


def mfa(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """Show what second factors rest on, and which resources ask for more."""
    found: dict[str, Any] = call("GET", "/second-factors", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    bases = [(BASES[basis], found["people"][basis], found["sessions"][basis]) for basis in found["people"]]
    bases += [
        ("never signed in", found["never_signed_in"], ""),
        ("machine", found["machines"], found["machine_sessions"]),
    ]
    table(("NEWEST SIGN-IN", "PEOPLE", "SESSIONS (30 DAYS)"), bases, "Nobody is here yet.")
    table(
        ("RESOURCE", "ASKS FOR"),
        ((each["resource"], _asks(each)) for each in found["rules"]),
        "No resource asks for more than a second factor of at most 12 hours.",
    )
    say(f"Sessions of people without a second factor: {found['sessions_without'] or 'none'}.")
    if found["without"]:
        say(f"People with none of their own and none attested: {', '.join(found['without'][:20])}.")
    if found["indirect_gains"]:
        table(
            ("DECIDED", "FOR", "TIMES", "LAST", "BOTH BY LINKS OF", "THEIRS"),
            (
                (
                    each["decider"]["name"],
                    each["gainer"]["name"],
                    each["times"],
                    when(each["last"]),
                    ", ".join(one["name"] for one in each["makers"]),
                    "replaced factors" if each["replaced"] else "was the first",
                )
                for each in found["indirect_gains"]
            ),
            "",
        )


def _asks(rule: dict[str, Any]) -> str:
    words = [f"at most {span(rule['max_age'])} old"]
    words += ["a passkey"] * rule["phishing_resistant"] + ["a factor of its own"] * rule["fresh"]
    return ", ".join(words)
