"""Rules of directories: what they say, and the tokens by which they may."""

from __future__ import annotations

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import DirectoryGroup, DirectoryUser, Token
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State

provisioning_rules = Rules()

TOKEN = "scim_token"  # noqa: S105 - the name of a kind, not a secret
LONGEST_TOKEN = 400 * DAY
HAND = "administrator"
"""The origin of an account that was made by hand."""


@provisioning_rules.of("scim_token.proposed", "proposing a SCIM token", Authority.PERSON, cannot=(Unjudged.LIMIT,))
def scim_token_proposed(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    if body["ends"] > entry.time + LONGEST_TOKEN:
        yield "it lasts longer than any token"
    if body["ends"] <= state.begun:
        yield "its end had come already"
    if body["token"] in state.tokens:
        yield "there was such a token already"
    propose(state, entry, TOKEN, body["token"], ends=body["ends"])
    state.tokens[body["token"]] = Token(body["provider"], Instant(body["ends"]))


@provisioning_rules.of("scim_token.approved", "approving a SCIM token", Authority.PERSON)
def scim_token_approved(state: State, entry: Entry) -> Why:
    """Another administrator under a fresh factor."""
    body = entry.body
    yield from decides(state, entry, TOKEN, body["token"])
    state.end(state.proposals, (TOKEN, body["token"]))
    token = state.tokens.get(body["token"])
    if token is None or token.provider != body["provider"]:
        yield "it is not what was proposed"
    else:
        token.approved = True


@provisioning_rules.of("scim_token.ended", "ending a SCIM token", Authority.PERSON, Authority.TIME)
def scim_token_ended(state: State, entry: Entry) -> Why:
    """An administrator; or its proposal lapsed, or fell with its proposer."""
    body = entry.body
    token: Token | None = state.end(state.tokens, body["token"])
    if token is None:
        yield "there was no such token"
    elif not token.approved:
        yield from ends_proposal(state, entry, TOKEN, body["token"], ADMINISTER)
    elif body["by"] is not None:
        yield acts(state, body["by"], ADMINISTER)
    elif token.ends > state.now:
        yield "it is on nobody's word, and its end had not come"


@provisioning_rules.of("scim_user.set", "writing a user", Authority.DIRECTORY, Authority.CAUSE)
def scim_user_set(state: State, entry: Entry) -> Why:
    """A directory by a token in force, of its own users; or what an administrator agreed that it leads. A user leads to
    one person and stays with them, and to somebody who was made by hand only where an administrator agreed."""
    body = entry.body
    provider, name, person = body["provider"], body["user"], body["person"]
    why = _token(state, entry)
    if why is not None:
        yield Unless(why, (("taken over", person, provider, name),))
    was = state.users.get(name)
    yield _next(was, entry)
    before = was.person if was is not None else None
    if before is not None and person != before and not (before in state.people and state.people[before].erased):
        yield f"the user led to {before}"
    if person is not None and person != before:
        yield from _leads(state, entry)
    now = DirectoryUser(provider, body["version"], person, body["waits_for"], body["active"])
    now.groups = was.groups if was is not None else now.groups
    state.users[name] = now
    if before is not None and person != before:
        state.led.pop((provider, before), None)
    if person is not None:
        state.about.is_of(person, ("user", name))
        state.led[(provider, person)] = name
        state.cause("led", person)
        if person != before:
            for group in now.groups:
                state.cause("in group", provider, state.groups[group].name, person)
    state.cause("user", name)
    _wrote(state, entry)


def _leads(state: State, entry: Entry) -> Why:
    """A user comes to lead to somebody."""
    body = entry.body
    provider, who = body["provider"], body["person"]
    person = state.people.get(who)
    if person is None:
        yield f"there was no account {who}"
        return
    if state.led.get((provider, who), body["user"]) != body["user"]:
        yield f"another user of {provider} led to {who}"
    if person.origin == HAND and provider not in person.agreed:
        yield f"the account {who} was made by hand, and no administrator had let {provider} lead it"


@provisioning_rules.of("scim_user.removed", "deleting a user", Authority.DIRECTORY)
def scim_user_removed(state: State, entry: Entry) -> Why:
    """A directory by a token in force, of its own."""
    body = entry.body
    yield _token(state, entry)
    was = state.users.pop(body["user"], None)
    if was is None or was.provider != body["provider"]:
        yield "there was no such user of the directory"
    if was is not None:
        for group in was.groups:
            state.groups[group].users.discard(body["user"])
        if was.person is not None:
            state.led.pop((was.provider, was.person), None)
    state.cause("user", body["user"])
    _wrote(state, entry)


@provisioning_rules.of("scim_group.set", "writing a directory's group", Authority.DIRECTORY)
def scim_group_set(state: State, entry: Entry) -> Why:
    """A directory by a token in force, of its own; no two have one name."""
    body = entry.body
    yield _token(state, entry)
    provider, group, name = body["provider"], body["group"], body["name"]
    was = state.groups.get(group)
    yield _next(was, entry)
    if state.named.get((provider, name), group) != group:
        yield f"another group of {provider} had that name"
    if was is not None and state.named.get((was.provider, was.name)) == group:
        del state.named[(was.provider, was.name)]
    users = was.users if was is not None else set()
    state.groups[group] = DirectoryGroup(provider, body["version"], name, users)
    state.named[(provider, name)] = group
    state.cause("group", group)
    _wrote(state, entry)


@provisioning_rules.of("scim_group.removed", "deleting a directory's group", Authority.DIRECTORY)
def scim_group_removed(state: State, entry: Entry) -> Why:
    """A directory by a token in force, of its own."""
    body = entry.body
    yield _token(state, entry)
    was = state.groups.pop(body["group"], None)
    if was is None or was.provider != body["provider"]:
        yield "there was no such group of the directory"
    if was is not None:
        for user in was.users:
            state.users[user].groups.discard(body["group"])
        state.named.pop((was.provider, was.name), None)
    state.cause("group", body["group"])
    _wrote(state, entry)


@provisioning_rules.of("scim_group.member_added", "writing a member of a directory's group", Authority.CAUSE)
def scim_group_member_added(state: State, entry: Entry) -> Why:
    """With the write of the group: a user of the same directory."""
    body = entry.body
    yield Unless("its directory did not write that group", (("group", body["group"]),))
    group, user = state.groups.get(body["group"]), state.users.get(body["user"])
    if group is None or user is None or group.provider != user.provider:
        yield "there was no such group and user of one directory"
        return
    group.users.add(body["user"])
    user.groups.add(body["group"])
    if user.person is not None:
        state.cause("in group", group.provider, group.name, user.person)


@provisioning_rules.of("scim_group.member_removed", "deleting a member of a directory's group", Authority.CAUSE)
def scim_group_member_removed(state: State, entry: Entry) -> Why:
    """With the write of the group or the user."""
    body = entry.body
    written = (("group", body["group"]), ("user", body["user"]))
    yield Unless("its directory wrote neither that group nor that user", written)
    group, user = state.groups.get(body["group"]), state.users.get(body["user"])
    if group is not None and user is not None:
        group.users.discard(body["user"])
        user.groups.discard(body["group"])


@provisioning_rules.of("scim_user.taken_over", "letting a directory lead an account", Authority.PERSON)
def scim_user_taken_over(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, of the account that the directory's user waits for."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    user, person = state.users.get(body["user"]), state.people.get(body["person"])
    if user is None or (user.provider, user.waits_for) != (body["provider"], body["person"]):
        yield "no user of the directory waited for that account"
    if person is not None:
        person.agreed.add(body["provider"])
    state.cause("taken over", body["person"])
    state.cause("taken over", body["person"], body["provider"], body["user"])


def _token(state: State, entry: Entry) -> str | None:
    token = state.tokens.get(entry.body["token"])
    if token is None or token.provider != entry.body["provider"]:
        return f"there was no such token of {entry.body['provider']}"
    if not token.approved:
        return "nobody else had approved the token"
    return "the token had ended" if token.ends <= state.begun else None


def _next(was: DirectoryUser | DirectoryGroup | None, entry: Entry) -> str | None:
    """A directory writes what is its own, and each time the next version."""
    if was is not None and was.provider != entry.body["provider"]:
        return "another directory had written it"
    return (
        None if entry.body["version"] == (was.version if was is not None else 0) + 1 else "it is not the next version"
    )


def _wrote(state: State, entry: Entry) -> None:
    """What others of the command may rest on: also where this write is not lawful, so that it alone is named."""
    state.cause("scim", entry.body["provider"])
    state.cause("scim")
