"""Rules of who may do what: the role matrix and its changes, bindings, groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onepam.kernel.instant import Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.gains import (
    NOBODY_ELSE,
    Was,
    brought_together,
    could_approve,
    gains,
    held_by,
    holders,
    later_end,
    more_approve,
    set_alone,
    still_bound,
    was_of,
    wider_role,
)
from onepam.ledger.lawful.known import Binding, Resource, Role
from onepam.ledger.lawful.proposals import decides, ends_proposal, one, propose
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, acts, founding, hands, signed_in, there
from onepam.ledger.lawful.state import State
from onepam.ledger.lawful.unsaid import role_version

access_rules = Rules()

CHANGE = "change"

DIRECTORY_GROUP = "directory:"
"""What the names of the groups begin with that directories and providers fill."""

FILE = "access.yaml"
"""The source of what changes of the roles say of groups."""

WITH_A_CHANGE = frozenset(
    f"{what}.{done}"
    for what, each in (
        (CHANGE, "proposed approved applied"),
        ("resource", "set removed"),
        ("role", "set removed"),
        ("binding", "added ended"),
        ("group", "member_added member_removed"),
        ("separation", "set removed"),
        ("grant", "ended"),
        ("request", "withdrawn"),
        ("reviews", "set"),
    )
    for done in each.split()
)
"""All that a command does which changes the roles: whoever gains by it for a moment does nothing by that."""

DECIDING = "deciding"
"""Under which the command keeps who decided on its change or proposed it, and who may be one hand with them."""

_GAIN = (Unjudged.GAIN, Unjudged.LIMIT)


@access_rules.of("change.proposed", "proposing a change of the roles", Authority.PERSON, Authority.HOST, cannot=_GAIN)
def change_proposed(state: State, entry: Entry) -> Why:
    """An administrator; before the first sign-in the host."""
    yield _administrator_or_host(state, entry.body["by"])
    yield one(state, CHANGE, entry.body["change"])
    propose(state, entry, CHANGE, entry.body["change"])


@access_rules.of("change.approved", "approving a change of the roles", Authority.PERSON)
def change_approved(state: State, entry: Entry) -> Why:
    """Another administrator, under a fresh factor, of exactly what was proposed."""
    body = entry.body
    waiting = state.proposals.get((CHANGE, body["change"]))
    yield from decides(state, entry, CHANGE, body["change"])
    if waiting is not None and waiting.body["digest"] != body["digest"]:
        yield "what was approved is not what was proposed"
    state.cause("approved", body["change"], body["by"])
    state.cause("approving", body["by"])
    yield Unless("it was not put in force", (("change", body["change"], body["by"]),))


@access_rules.of("change.applied", "changing the roles", Authority.PERSON, Authority.HOST, cannot=(Unjudged.CONTENT,))
def change_applied(state: State, entry: Entry) -> Why:
    """What widens access was approved in the same command; before the first sign-in the host needs nobody."""
    body = entry.body
    yield _administrator_or_host(state, body["by"])
    waiting = state.proposals.get((CHANGE, body["change"]))
    if waiting is None:
        yield "nobody had proposed it"
    else:
        if (waiting.body["digest"], waiting.body["document"]) != (body["digest"], body["document"]):
            yield "what was applied is not what was proposed"
        approved = state.caused("approved", body["change"], body["by"])
        if body["by"] is not None and waiting.body["widens"] and not approved:
            yield "it widens access, and nobody else had approved it"
        if not approved and waiting.by != body["by"]:
            yield "somebody else had proposed it"
        if approved:
            yield from _own_gains(state, body["by"], waiting.by)
        state.end(state.proposals, (CHANGE, body["change"]))
    if body["bootstrap"] and not founding(state):
        yield "somebody had signed in already"
    yield Later("after it nobody could change the roles any more", lambda: not administered(state))
    if body["by"] is not None:
        yield Later("something else was done in the same command", lambda: not state.kinds <= WITH_A_CHANGE)
    state.cause("change", body["change"], body["by"])
    state.cause("matrix", body["by"])


@access_rules.of("change.rejected", "rejecting a change of the roles", Authority.PERSON, Authority.TIME)
def change_rejected(state: State, entry: Entry) -> Why:
    """An administrator, its proposer among them; or it lapsed, or fell with its proposer."""
    yield from ends_proposal(state, entry, CHANGE, entry.body["change"], ADMINISTER)


@access_rules.of("change.refused", "trying to decide on a change", Authority.STRANGER)
def change_refused(state: State, entry: Entry) -> Why:
    """Somebody who was signed in."""
    yield signed_in(state, entry.body["by"])


@access_rules.of("proposal.refused", "trying to decide on a proposal", Authority.STRANGER)
def proposal_refused(state: State, entry: Entry) -> Why:
    """Somebody who was signed in."""
    yield signed_in(state, entry.body["by"])


@access_rules.of("resource.set", "declaring a resource", Authority.CAUSE, cannot=(Unjudged.ADDRESS,), version=3)
@access_rules.of("resource.set", "declaring a resource", Authority.CAUSE, cannot=(Unjudged.ADDRESS,), version=2)
@access_rules.of("resource.set", "declaring a resource", Authority.CAUSE, cannot=(Unjudged.ADDRESS,))
def resource_set(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    body = entry.body
    yield by_change(entry)
    name, before, was = body["resource"], state.resources.get(body["resource"]), was_of(state)
    state.resources[name] = Resource(
        body["labels"],
        tuple(body["logins"]),
        bool(body["pins"]),
        body["mfa"],
        (body["kind"], body["port"], tuple(body["pins"])),
        frozenset(body["environment"]),
        body.get("mask"),
        body.get("results"),
        body.get("session_users"),
    )
    was.resources.setdefault(name, before)
    owner, state.owners[name] = state.owners.get(name), body["owner"]
    if alone(state, body):
        yield from set_alone(state, was, name, owner)


@access_rules.of("resource.removed", "removing a resource", Authority.CAUSE)
def resource_removed(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    name = entry.body["resource"]
    yield by_change(entry)
    was_of(state).resources.setdefault(name, state.resources.get(name))
    if state.end(state.resources, name) is None:
        yield "there was no such resource"


@access_rules.of("role.set", "declaring a role", Authority.CAUSE, version=3)
@access_rules.of("role.set", "declaring a role", Authority.CAUSE, version=2)
@access_rules.of("role.set", "declaring a role", Authority.CAUSE)
def role_set(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    body = entry.body
    yield by_change(entry)
    name, before = body["role"], state.roles.get(body["role"])
    permissions = {each["name"]: each for each in body["permissions"]}
    role = state.roles[name] = Role(body["version"], frozenset(body["console"]), permissions, body["owner"])
    was_of(state).roles.setdefault(name, before)
    wider = [] if before is None else list(wider_role(before, role))
    state.happened("widened", name, holds=bool(wider))
    if body["version"] != role_version(body):
        yield "its version is not the digest of what it says"
    if alone(state, body):
        yield from (f"it gives {what}, {NOBODY_ELSE}" for what in wider)
        could = could_approve(state, before, role)
        yield Later(f"somebody else may approve what it gives, {NOBODY_ELSE}", lambda: more_approve(state, name, could))


@access_rules.of("role.removed", "removing a role", Authority.CAUSE)
def role_removed(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    name = entry.body["role"]
    yield by_change(entry)
    was_of(state).roles.setdefault(name, state.roles.get(name))
    if state.end(state.roles, name) is None:
        yield "there was no such role"
    yield Later("bindings of it were left", lambda: name not in state.roles and still_bound(state, name))


@access_rules.of("binding.added", "giving somebody a role", Authority.CAUSE, Authority.RECOVERY)
def binding_added(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command, or by recover-access for whom it let in."""
    body = entry.body
    subject, to_group = body["subject"], body["subject_kind"] == "group"
    if body["change"]:
        yield by_change(entry)
    else:
        yield Unless("no change of the roles that was applied gave it", (("recovered", subject),))
        if body["role"] in state.roles and ADMINISTER not in state.roles[body["role"]].console:
            yield "who is let in gets a role that administers"
    ends = None if body["ends"] is None else Instant(body["ends"])
    binding = Binding(body["binding"], body["role"], to_group, subject, ends)
    before = state.bindings.get(binding.binding)
    if before is not None and (before.role, before.to_group, before.subject) != (binding.role, to_group, subject):
        yield "there was another binding of that name"
    if body["role"] not in state.roles:
        yield f"there was no role {body['role']}"
    if body["change"] and alone(state, body) and later_end(before, binding):
        yield f"it gives somebody a role, or for longer, {NOBODY_ELSE}"
    if body["change"]:
        given = {who for who, _ in state.members.get(subject, ())} if to_group else {subject}
        yield from brought_together(state, binding.role, given)
    state.bindings[binding.binding] = binding
    state.role_bindings.setdefault(binding.role, {})[binding.binding] = binding
    if to_group:
        state.group_bindings.setdefault(subject, {})[binding.binding] = binding
    elif subject in state.people:
        state.people[subject].bindings[binding.binding] = binding
    else:
        yield f"there was no account {subject}"


@access_rules.of("binding.ended", "taking a role from somebody", Authority.CAUSE)
def binding_ended(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command, or with the account."""
    body = entry.body
    binding: Binding | None = state.end(state.bindings, body["binding"])
    if binding is None:
        yield "there was no such binding"
    else:
        state.end(state.role_bindings.get(binding.role, {}), binding.binding)
        if binding.to_group:
            state.end(state.group_bindings.get(binding.subject, {}), binding.binding)
        elif binding.subject in state.people:
            state.end(state.people[binding.subject].bindings, binding.binding)
    if body["change"]:
        yield by_change(entry)
    elif binding is not None:
        person = state.people.get(binding.subject)
        if person is None or person.enabled:
            yield "no change of the roles took it, and the account had not ended"


@access_rules.of(
    "group.member_added",
    "adding somebody to a group",
    Authority.PERSON,
    Authority.CAUSE,
    Authority.DIRECTORY,
    Authority.PROVIDER,
    cannot=(Unjudged.MESSAGE,),
)
def group_member_added(state: State, entry: Entry) -> Why:
    """By the source that it names: a change of the file, a directory's write, a provider's message. An administrator
    brings back what directories say, with the account."""
    body = entry.body
    yield from _by_source(state, entry)
    person = state.people.get(body["person"])
    way, _, provider = body["source"].partition(":")
    if (way == FILE) == body["group"].startswith(DIRECTORY_GROUP):
        yield "such a group is not that source's to fill"
    if person is None:
        yield f"there was no account {body['person']}"
    else:
        if way == "scim":
            yield _said_member(state, body, provider)
        elif way == "claims" and body["by"] is not None:
            yield "an administrator brings back no group that a message said"
        elif way == "claims" and any(
            each.approved and each.provider == provider and each.ends > state.begun for each in state.tokens.values()
        ):
            yield f"a directory of {provider} says its groups by SCIM"
        if body["source"] == FILE and body["by"] is not None and not state.caused("approving", body["by"]):
            yield Later(f"it gives somebody more, {NOBODY_ELSE}", _gain(state, was_of(state), body["person"]))
        for each in state.group_bindings.get(body["group"], {}).values() if way == FILE else ():
            yield from brought_together(state, each.role, {body["person"]})
        person.groups[(body["group"], body["source"])] = entry
        state.members.setdefault(body["group"], {})[(body["person"], body["source"])] = entry


@access_rules.of(
    "group.member_removed",
    "taking somebody out of a group",
    Authority.PERSON,
    Authority.CAUSE,
    Authority.DIRECTORY,
    Authority.PROVIDER,
)
def group_member_removed(state: State, entry: Entry) -> Why:
    """By the source that it names, by an administrator who decides on a held account, or with the account."""
    body = entry.body
    person = state.people.get(body["person"])
    if person is not None and person.enabled:
        yield from _by_source(state, entry)
    if person is None or state.end(person.groups, (body["group"], body["source"])) is None:
        yield "there was no such membership"
    state.end(state.members.get(body["group"], {}), (body["person"], body["source"]))


def _by_source(state: State, entry: Entry) -> Why:
    body = entry.body
    source, by = body["source"], body["by"]
    way, _, provider = source.partition(":")
    if way == FILE:
        yield Unless("no change of the roles that was applied says so", (("matrix", by),))
    elif by is not None:
        yield acts(state, by, ADMINISTER)
        who = body["person"]
        gives = entry.kind == "group.member_added"
        word = (("enabled", who), ("taken over", who)) if gives else (("decided", who),)
        yield Unless("nothing that an administrator decided says so", word)
    elif way == "scim":
        back = ("enabled", entry.body["person"])  # whoever comes back by one directory has the groups that all say
        yield Unless(f"no directory of {provider} wrote it under a token in force", (("scim", provider), back))
    elif provider not in state.providers:
        yield f"no identity provider {provider} was in force"
    elif not state.providers[provider].rule["groups"]:
        yield f"the identity provider {provider} may say nothing of groups"
    elif body["person"] in state.people and provider not in state.people[body["person"]].identities.values():
        yield f"{body['person']} had no identity at {provider}"


def administered(state: State) -> bool:
    """Whether somebody who is here holds a role that administers."""
    return any(
        there(state, who) is None
        for name, role in state.roles.items()
        if ADMINISTER in role.console
        for who in holders(state, name)
    )


def alone(state: State, body: Mapping[str, Any]) -> bool:
    """Whether a person changed it, and nobody else had approved the change."""
    return body["by"] is not None and not state.caused("approved", body["change"], body["by"])


def _own_gains(state: State, by: str, proposer: str | None) -> Why:
    """Neither who decides nor who proposed gains by it, nor who may be one hand with them; but whom the proposer
    invited may."""
    linked = hands(state, by, made=False) | hands(state, by, made=True)
    if proposer is not None:
        linked |= {proposer} | hands(state, proposer, made=False)
    was, state.kept[DECIDING] = was_of(state), {by} | linked
    for who in sorted({by} | linked):
        yield Later(
            f"{who} gains by it, and decided, proposed it, or may be one hand with who did", _gain(state, was, who)
        )


def _gain(state: State, was: Was, who: str) -> Callable[[], bool]:
    """Asks, once the command is over, whether somebody has more by it than before this entry."""
    had = held_by(state, who)
    return lambda: gains(state, was, who, had)


def _said_member(state: State, body: Mapping[str, Any], provider: str) -> str | Unless | None:
    """The directory has a user who leads to the person, in a group of that name; by an administrator's word comes back
    what it says of one who is active."""
    name = body["group"].partition(":")[2]
    group, user = state.named.get((provider, name)), state.led.get((provider, body["person"]))
    if group is not None and user is not None and user in state.groups[group].users:
        return None if body["by"] is None or state.users[user].active else "the directory's user was not active"
    why = "the directory had no user in such a group who leads to the account"
    return Unless(why, (("in group", provider, name, body["person"]),))


def by_change(entry: Entry) -> Unless:
    """That a change which was applied in the same command says so."""
    body = entry.body
    return Unless("no change of the roles that was applied says so", (("change", body["change"], body["by"]),))


def _administrator_or_host(state: State, by: str | None) -> str | None:
    if by is not None:
        return acts(state, by, ADMINISTER)
    return None if founding(state) else "it is on nobody's word, and somebody had signed in already"
