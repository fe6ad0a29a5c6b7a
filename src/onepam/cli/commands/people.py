"""People: listing, adding, disabling, links to enrol, and the keys of service accounts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from onepam.cli import complete
from onepam.cli.client import call
from onepam.cli.naming import Offer, Whom, is_id, one_of, one_person
from onepam.cli.show import BASES, USAGE, Json, Output, confirmed, note, printed, say, stop, table, when

app = typer.Typer(help="People and service accounts.", invoke_without_command=True, rich_markup_mode=None)

Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


MAX_KEY_BYTES = 8 * 1024

_ERASURE = {
    "proposed": "To be erased ({erasure}), if another administrator agrees than {proposed_by}: {because}.",
    "approved": "Is being erased ({erasure}): {payloads} entries so far.",
    "finished": "Was erased ({erasure}), in {payloads} entries: {because}.",
}


@app.callback()
def people(
    context: typer.Context,
    search: Annotated[str, typer.Option(help="Part of a name, an address or a role.")] = "",
    role: Annotated[str, typer.Option(help="Whoever holds this role.")] = "",
    after: Annotated[str, typer.Option(help="Begin after this person (per_...): the next page.")] = "",
    most: Annotated[int, typer.Option(min=1, max=500, help="People of a page.")] = 100,
    all_: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List people by name, a page at a time."""
    if context.invoked_subcommand:
        return
    wanted = {"as_of": as_of, "search": search, "role": role, "most": str(500 if all_ else most)}
    found = call("GET", "/people", params={**wanted, "after": after})
    page = found
    while all_ and len(page) == 500:
        page = call("GET", "/people", params={**wanted, "after": page[-1]["person"]})
        found += page
    if Output.as_json:
        printed(found)
        return
    table(
        ("PERSON", "NAME", "ADDRESS", "KIND", "STATE", "ROLES", "FACTORS", "LAST SIGN-IN", "LIVE"),
        (
            (
                each["person"],
                each["name"],
                each["email"] or "",
                each["kind"],
                _state(each),
                ", ".join(each["roles"]),
                ", ".join(each["factors"]),
                when(each["last_sign_in"]),
                each["live"] or "",
            )
            for each in found
        ),
        "Nobody matches." if search or role or after else "Nobody is here yet. Add somebody: onepam people add",
    )
    if not all_ and len(found) == most:
        note(f"There may be more: add --after {found[-1]['person']}, or --all.")


@app.command()
def show(
    person: Whom,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """Show one person: identities, roles, second factor, and what happened to the account."""
    found: dict[str, Any] = call("GET", f"/people/{one_person(person)}", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    row, last, left = found["person"], found["person"]["last"], found["leaving"]
    say(f"{row['name']} <{row['email'] or 'no address'}>, {row['kind']}, {_state(row)}; came by {row['origin']}.")
    say(f"Factors of their own: {', '.join(row['factors']) or 'none'}. {_last(last)}")
    if left:
        say(f"Left {when(left['left_at']) or 'at a time not said'}, ended {when(left['removed'])}: {left['because']}.")
    if (gone := found["erasure"]) is not None:
        say(_ERASURE[gone["status"]].format(**gone))
    table(
        ("PROVIDER", "USER NAME", "SINCE", "LAST SIGN-IN", "BECAUSE"),
        (
            (each["provider_name"], each["user_name"], when(each["since"]), when(each["last"]), each["because"])
            for each in found["identities"]
        ),
        "No identity at a provider.",
    )
    table(
        ("ROLE", "THROUGH", "SINCE", "ENDS", "BECAUSE"),
        (
            (each["role"], each["group"] or "themselves", when(each["since"]), when(each["ends"]), each["because"])
            for each in found["bindings"]
        ),
        "No role.",
    )
    table(
        ("WHEN", "WHAT HAPPENED", "ENTRY"),
        ((when(each["time"]), each["words"], str(each["index"])) for each in found["history"]),
        "Nothing happened to the account.",
    )


@app.command()
def change(
    person: Whom,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    email: Annotated[str | None, typer.Option(help="Another address.")] = None,
    manager: Annotated[str | None, typer.Option(help="Another manager.")] = None,
    owner: Annotated[str | None, typer.Option(help="Another sponsor of a vendor or owner of a service.")] = None,
    ends: Annotated[str | None, typer.Option(help="Another end (RFC 3339), or: never")] = None,
    as_json: Json = False,
) -> None:
    """Change what is known of a person; what is not given stays."""
    who = one_person(person)
    was: dict[str, Any] = call("GET", f"/people/{who}")["person"]
    given = {"name": name, "email": email, "manager": _id(manager), "owner": _id(owner), "ends": ends}
    known = {field: was[field] if value is None else value for field, value in given.items()}
    done = call("PUT", f"/people/{who}", {**known, "ends": None if ends == "never" else known["ends"]})
    printed(done) if Output.as_json else say(f"{person} is changed.")


@app.command()
def add(
    name: str,
    email: Annotated[
        str | None, typer.Argument(help="Optional for a service account: access.yaml names it by this.")
    ] = None,
    because: Annotated[str, typer.Option(help="Why this person is here.")] = "added by an administrator",
    kind: Annotated[str, typer.Option(help="employee, vendor or service.")] = "employee",
    manager: Annotated[str | None, typer.Option(help="The manager.")] = None,
    owner: Annotated[str | None, typer.Option(help="Sponsor of a vendor, owner of a service.")] = None,
    ends: Annotated[str | None, typer.Option(help="RFC 3339; needed for vendors and services.")] = None,
    as_json: Json = False,
) -> None:
    """Add a person."""
    above = {"manager": _id(manager), "owner": _id(owner)}
    known = {"name": name, "email": email, "kind": kind, **above, "ends": ends}
    made = call("POST", "/people", {**known, "because": because})
    following = "key" if kind == "service" else "link"
    words = f"{made['person']} is added. Next: onepam people {following} {made['person']}"
    printed(made) if Output.as_json else say(words)


@app.command()
def link(person: Whom, reason: Reason = "", as_json: Json = False) -> None:
    """Make a one-use link by which a person sets a password and a second factor."""
    made: dict[str, Any] = call("POST", f"/people/{one_person(person)}/enrolment", {"reason": reason})
    if Output.as_json:
        printed(made)
    elif made["link"] is None:
        if made["due"] is None:
            say(f"Another administrator must agree first: onepam approve {made['enrolment']}")
        else:
            say(f"Nobody else could decide. Everybody who administers is told, and may cancel it until {made['due']}.")
            say(f"Then: onepam approve {made['enrolment']}")
    else:
        say(f"One-use link, ends {when(made['expires'])}; give it to nobody else:", f"  {made['link']}")


@app.command()
def disable(person: Whom, reason: Reason = "", yes: Yes = False, as_json: Json = False) -> None:
    """End all access of a person now, live sessions included."""
    confirmed(f"End all access of {person}?", yes)
    ended = call("POST", f"/people/{one_person(person)}/disable", {"reason": reason})
    if Output.as_json:
        printed(ended)
        return
    say(f"Disabled. Ended: {ended['live']} live sessions, {ended['grants']} grants, {ended['sign_ins']} sign-ins.")


@app.command()
def enable(person: Whom, reason: Reason = "", as_json: Json = False) -> None:
    """Let a disabled person sign in again."""
    done = call("POST", f"/people/{one_person(person)}/enable", {"reason": reason})
    printed(done) if Output.as_json else say(f"{person} may sign in again.")


@app.command()
def erase(person: Whom, reason: Reason = "", yes: Yes = False, as_json: Json = False) -> None:
    """Propose to erase what is known of somebody who has left; another administrator must agree."""
    confirmed(f"Propose to erase what is known of {person}? It cannot be brought back.", yes)
    made = call("POST", f"/people/{one_person(person)}/erasure", {"reason": reason})
    words = f"Another administrator must agree: onepam approve {made['erasure']}"
    printed(made) if Output.as_json else say(words)


@app.command()
def keys(
    person: Whom,
    as_of: Annotated[str | None, typer.Option(help="As it was then (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """List the keys of a service account."""
    found = call("GET", f"/people/{one_person(person)}/keys", params={"as_of": as_of})
    if Output.as_json:
        printed(found)
        return
    table(
        ("KEY", "NAME", "FINGERPRINT", "MAY COME FROM", "REGISTERED"),
        (
            (each["factor"], each["label"], each["fingerprint"], ", ".join(each["networks"]), _registered(each))
            for each in found
        ),
        f"No key. Register one: onepam people key {person} --file KEY.pub --network 192.0.2.0/24",
    )


@app.command()
def key(
    person: Whom,
    file: Annotated[Path, typer.Option(help="The public key, a .pub file.", exists=True, dir_okay=False)],
    network: Annotated[list[str], typer.Option(help="May come from here only (CIDR); as often as needed.")],
    as_json: Json = False,
) -> None:
    """Register the key by which a service account opens sessions without a person."""
    with file.open("rb") as opened:
        line = opened.read(MAX_KEY_BYTES + 1)
    if len(line) > MAX_KEY_BYTES:
        stop(USAGE, f"{file} is longer than any public key.", "Give the .pub file.")
    body = {"public_key": line.decode("utf-8", "replace"), "networks": network}
    made = call("POST", f"/people/{one_person(person)}/keys", body)
    if Output.as_json:
        printed(made)
        return
    say(f"{made['factor']} is registered: {made['fingerprint']}")
    if made["waits"]:
        say("It opens nothing privileged until another administrator registers the same key from the same networks.")


@app.command(name="remove-key")
def remove_key(
    person: Whom,
    key: Annotated[str, typer.Argument(help="Id, name or fingerprint.", autocompletion=complete.keys)],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a service account's key; the sessions that it opened end."""
    who = one_person(person)
    which = key if is_id(key, "fac") else _key(who, key)
    confirmed(f"Remove {which} of {person}, and end its sessions?", yes)
    done = call("POST", f"/people/{who}/keys/{which}/remove")
    printed(done) if Output.as_json else say(f"{which} opens nothing any more.")


def _key(person: str, text: str) -> str:
    offers = [
        Offer(each["factor"], (each["label"], each["fingerprint"]), f"{each['label']}, {each['fingerprint']}")
        for each in call("GET", f"/people/{person}/keys")
    ]
    return one_of(text, offers, "keys of this account", f"See: onepam people keys {person}")


def _id(person: str | None) -> str | None:
    return one_person(person) if person else person


def _registered(key: dict[str, Any]) -> str:
    return when(key["registered"]) + ("; nothing privileged yet" if key["waits"] else "")


def _last(last: dict[str, Any] | None) -> str:
    if last is None:
        return "Never signed in."
    by = f" by {last['provider_name']}" if last["provider"] else ""
    return f"Signed in {when(last['opened'])}{by}; second factor {BASES[last['basis']]}."


def _state(person: dict[str, Any]) -> str:
    if not person["enabled"]:
        return "Disabled"
    ends = f"ends {when(person['ends'])}" if person["ends"] else ""
    return ", ".join(filter(None, ("Invited" if person["invited"] else "Active", ends)))
