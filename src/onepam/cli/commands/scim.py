"""SCIM: which directories write here, and what comes of it. A directory is let in, and shut out, in the console."""

from typing import Annotated

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.naming import Offer, Whom, is_id, one_of, one_person
from onepam.cli.show import Json, Output, printed, say, table, when

app = typer.Typer(help="Directories that write people and groups here.", no_args_is_help=True, rich_markup_mode=None)

_TROUBLES = {
    "no_address": "has no e-mail address, so there is no person",
    "disabled_here": "is disabled here by other means, and stays so",
    "end_passed": "has an end that has passed",
    "kind_differs": "is an employee here and a vendor there, or the other way round",
    "takeover": "has the address of an account that was made by hand: an administrator has to agree",
    "foreign_domain": "has an address of a domain that the token does not speak for",
    "address_not_followed": "has another address there; an administrator changes it here, under People",
    "end_not_followed": "is the last administrator who can sign in, so the end is not followed",
}


@app.callback()
def scim() -> None:
    """Directories that write people and groups here, by SCIM."""


@app.command()
def ls(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None, as_json: Json = False
) -> None:
    """List tokens (never their secrets), directories, groups with the roles bound to them, users in trouble."""
    found = call("GET", "/scim", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("DIRECTORY", "USERS", "ACTIVE", "GROUPS", "LAST CHANGE", "LAST REQUEST", "DONE", "REFUSED"),
        (
            (
                each["provider"],
                each["users"],
                each["active"],
                each["groups"],
                when(each["changed"]) if each["changed"] else "never",
                when(each["last"]) if each["last"] else "none since the start",
                each["done"],
                each["refused"],
            )
            for each in found["directories"]
        ),
        "No directory yet. An administrator lets one in in the console, under Provisioning.",
    )
    _rest(found)


@app.command()
def held(
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None, as_json: Json = False
) -> None:
    """List accounts that wait for an administrator's word: a directory ended them, or reported that somebody left whom
    it does not lead."""
    found = call("GET", "/held", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("PERSON", "NAME", "DIRECTORY", "SINCE", "WHY HELD", "ENDS BY ITSELF"),
        (
            (
                each["person"],
                each["name"],
                each["origin"],
                when(each["began"]),
                each["reason"],
                when(each["decide_by"]) if each["decide_by"] else "never",
            )
            for each in found["held"]
        ),
        "No account waits.",
    )
    if found["reported"]:
        typer.echo()
        table(
            ("LEFT BY THE DIRECTORY", "NAME", "DIRECTORY", "SINCE", "WHY"),
            (
                (each["person"], each["name"], each["origin"], when(each["began"]), each["because"])
                for each in found["reported"]
            ),
            "",
        )
        say("The directory does not lead these accounts, so nothing ended: end each, or keep it.")
    for each in found["own_words"]:
        say(f"Finding: {each['name']}, the last administrator, decided on themselves {when(each['decided'])}.")


@app.command()
def keep(
    person: Whom, reason: Annotated[str, typer.Option(help="Why, for the ledger.")], as_json: Json = False
) -> None:
    """Keep an account that a directory wants to end, or whose person it reported to have left."""
    done = call("POST", f"/held/{one_person(person)}/keep", {"reason": reason})
    printed(done) if Output.as_json else say(
        "Kept. Rights that a hold took are back; sessions and grants that ended stay ended."
    )


@app.command()
def end(person: Whom, reason: Annotated[str, typer.Option(help="Why, for the ledger.")], as_json: Json = False) -> None:
    """End an account that a directory wants to end, or whose person it reported to have left, now."""
    done = call("POST", f"/held/{one_person(person)}/end", {"reason": reason})
    printed(done) if Output.as_json else say("Ended.")


@app.command()
def agree(
    user: Annotated[str, typer.Argument(help="Id or userName.", autocompletion=complete.directory_users)],
    person: Annotated[str, typer.Option(help="Whose account, as `scim ls` shows it.")],
    version: Annotated[int, typer.Option(help="The user's version, as `scim ls` shows it.")],
    as_json: Json = False,
) -> None:
    """Let a directory lead the account, made by hand, whose address this user of it has."""
    which = user if is_id(user, "usr") else _user(user)
    seen = {"person": one_person(person), "version": version}
    done = call("POST", f"/scim/users/{which}/agree", seen)
    printed(done) if Output.as_json else say("The directory leads this account from now on.")


def _user(text: str) -> str:
    offers = [
        Offer(each["user"], (each["user_name"],), f"of {each['provider']}")
        for each in call("GET", "/scim")["troubled"]
        if each["waits_for"]
    ]
    return one_of(text, offers, "users that wait for you", "See: onepam scim ls")


def _rest(found: dict[str, list[dict[str, object]]]) -> None:
    """The tables that are there only when there is something to say."""
    sections = (
        (
            ("TOKEN", "DIRECTORY", "NAME", "NETWORKS", "PROPOSED BY", "APPROVED BY", "ENDS"),
            [
                (
                    each["token"], each["provider"], each["name"], _words(each["networks"]) or "anywhere",
                    each["proposed_by"], each["approved_by"] or "waits", when(str(each["ends"])),
                )
                for each in found["tokens"]
            ],
        ),
        (
            ("GROUP", "DIRECTORY", "MEMBERS", "ROLES"),
            [(each["name"], "none sends it", "", _words(each["roles"])) for each in found["unfed"]]
            + [
                (each["name"], each["provider"], f"{each['in_effect']} of {each['named']}", _words(each["roles"]))
                for each in found["groups"]
            ],
        ),
        (
            ("USER", "DIRECTORY", "PERSON", "TROUBLE"),
            [
                (each["user_name"], each["provider"], each["person"] or "", _trouble(each))
                for each in found["troubled"]
            ],
        ),
    )  # fmt: skip
    for names, lines in sections:
        if lines:
            typer.echo()
            table(names, lines, "")


def _trouble(user: dict[str, object]) -> str:
    """What is wrong; with the command that agrees to just this, where an administrator may."""
    words = _TROUBLES.get(str(user["trouble"]), "")
    if not user["waits_for"]:
        return words
    return f"{words}: scim agree {user['user']} --person {user['waits_for']} --version {user['version']}"


def _words(values: object) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) else ""
