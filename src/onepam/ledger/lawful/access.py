"""Rules of who may do what: the role matrix and its changes, bindings, groups."""

from __future__ import annotations

from onepam.kernel.instant import Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, acts, founding, signed_in
from onepam.ledger.lawful.state import Binding, Resource, Role, State

access_rules = Rules()

CHANGE = "change"


@access_rules.of("change.proposed", "proposing a change of the roles", Authority.PERSON, Authority.HOST)
def change_proposed(state: State, entry: Entry) -> Why:
    """An administrator; before the first sign-in the host."""
    yield _administrator_or_host(state, entry.body["by"])
    propose(state, entry, CHANGE, entry.body["change"])


@access_rules.of(
    "change.approved",
    "approving a change of the roles",
    Authority.PERSON,
    cannot=(Unjudged.GAIN,),
)
def change_approved(state: State, entry: Entry) -> Why:
    """Another administrator, under a fresh factor, of exactly what was proposed."""
    body = entry.body
    waiting = state.proposals.get((CHANGE, body["change"]))
    yield from decides(state, entry, CHANGE, body["change"])
    if waiting is not None and waiting.body["digest"] != body["digest"]:
        yield "what was approved is not what was proposed"
    state.cause("approved", body["change"], body["by"])


@access_rules.of("change.applied", "changing the roles", Authority.PERSON, Authority.HOST)
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
        state.end(state.proposals, (CHANGE, body["change"]))
    if body["bootstrap"] and not founding(state):
        yield "somebody had signed in already"
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


@access_rules.of("resource.set", "declaring a resource", Authority.CAUSE)
def resource_set(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    body = entry.body
    yield _by_change(entry)
    state.resources[body["resource"]] = Resource(
        body["labels"], tuple(body["logins"]), bool(body["pins"]), body.get("mfa")
    )


@access_rules.of("resource.removed", "removing a resource", Authority.CAUSE)
def resource_removed(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    yield _by_change(entry)
    if state.end(state.resources, entry.body["resource"]) is None:
        yield "there was no such resource"


@access_rules.of("role.set", "declaring a role", Authority.CAUSE)
def role_set(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    body = entry.body
    yield _by_change(entry)
    permissions = {each["name"]: each for each in body["permissions"]}
    state.roles[body["role"]] = Role(body["version"], frozenset(body["console"]), permissions)


@access_rules.of("role.removed", "removing a role", Authority.CAUSE)
def role_removed(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command."""
    yield _by_change(entry)
    if state.end(state.roles, entry.body["role"]) is None:
        yield "there was no such role"


@access_rules.of("binding.added", "giving somebody a role", Authority.CAUSE, Authority.RECOVERY)
def binding_added(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command, or by recover-access for whom it let in."""
    body = entry.body
    subject, to_group = body["subject"], body["subject_kind"] == "group"
    if body["change"]:
        yield _by_change(entry)
    else:
        yield Unless("no change of the roles that was applied gave it", (("recovered", subject),))
    ends = None if body["ends"] is None else Instant(body["ends"])
    binding = Binding(body["binding"], body["role"], to_group, subject, ends)
    state.bindings[binding.binding] = binding
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
    elif binding.to_group:
        state.end(state.group_bindings.get(binding.subject, {}), binding.binding)
    elif binding.subject in state.people:
        state.end(state.people[binding.subject].bindings, binding.binding)
    if body["change"]:
        yield _by_change(entry)
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
    """By the source that it names: a change of the file, a directory's write, a provider's message."""
    body = entry.body
    yield from _by_source(state, entry)
    person = state.people.get(body["person"])
    if person is None:
        yield f"there was no account {body['person']}"
    else:
        person.groups[(body["group"], body["source"])] = entry


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


def _by_source(state: State, entry: Entry) -> Why:
    source, by = entry.body["source"], entry.body["by"]
    way, _, provider = source.partition(":")
    if way == "access.yaml":
        yield Unless("no change of the roles that was applied says so", (("matrix", by),))
    elif by is not None:
        yield acts(state, by, ADMINISTER)
        word = (
            ("enabled", entry.body["person"]),
            ("taken over", entry.body["person"]),
            ("decided", entry.body["person"]),
        )
        yield Unless("nothing that an administrator decided says so", word)
    elif way == "scim":
        back = ("enabled", entry.body["person"])  # whoever comes back by one directory has the groups that all say
        yield Unless(f"no directory of {provider} wrote it under a token in force", (("scim", provider), back))
    elif provider not in state.providers:
        yield f"no identity provider {provider} was in force"
    elif not state.providers[provider].rule.get("groups"):
        yield f"the identity provider {provider} may say nothing of groups"


def _by_change(entry: Entry) -> Unless:
    body = entry.body
    return Unless("no change of the roles that was applied says so", (("change", body["change"], body["by"]),))


def _administrator_or_host(state: State, by: str | None) -> str | None:
    if by is not None:
        return acts(state, by, ADMINISTER)
    return None if founding(state) else "it is on nobody's word, and somebody had signed in already"
