"""Rules of directories and of the roster: what they say, and the tokens and settings by which they may."""

from __future__ import annotations

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State, Token

provisioning_rules = Rules()

TOKEN = "scim_token"  # noqa: S105 - the name of a kind, not a secret
LONGEST_TOKEN = 400 * DAY


@provisioning_rules.of("scim_token.proposed", "proposing a SCIM token", Authority.PERSON)
def scim_token_proposed(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    if body["ends"] > entry.time + LONGEST_TOKEN:
        yield "it lasts longer than any token"
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
    """A directory by a token in force; or what an administrator agreed that it leads."""
    why = _token(state, entry)
    if why is not None:
        yield Unless(why, (("taken over", entry.body["person"]),))
    _wrote(state, entry)


@provisioning_rules.of("scim_user.removed", "deleting a user", Authority.DIRECTORY)
def scim_user_removed(state: State, entry: Entry) -> Why:
    """A directory by a token in force."""
    yield _token(state, entry)
    _wrote(state, entry)


@provisioning_rules.of("scim_group.set", "writing a directory's group", Authority.DIRECTORY)
def scim_group_set(state: State, entry: Entry) -> Why:
    """A directory by a token in force."""
    yield _token(state, entry)
    _wrote(state, entry)


@provisioning_rules.of("scim_group.removed", "deleting a directory's group", Authority.DIRECTORY)
def scim_group_removed(state: State, entry: Entry) -> Why:
    """A directory by a token in force."""
    yield _token(state, entry)
    _wrote(state, entry)


@provisioning_rules.of("scim_group.member_added", "writing a member of a directory's group", Authority.CAUSE)
def scim_group_member_added(state: State, entry: Entry) -> Why:
    """With the write of a group or a user."""
    yield Unless("no directory wrote it under a token in force", (("scim",),))


@provisioning_rules.of("scim_group.member_removed", "deleting a member of a directory's group", Authority.CAUSE)
def scim_group_member_removed(state: State, entry: Entry) -> Why:
    """With the write of a group or a user."""
    yield Unless("no directory wrote it under a token in force", (("scim",),))


@provisioning_rules.of("scim_user.taken_over", "letting a directory lead an account", Authority.PERSON)
def scim_user_taken_over(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)
    state.cause("taken over", entry.body["person"])


@provisioning_rules.of("roster.source_set", "setting where the roster comes from", Authority.PERSON)
def roster_source_set(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)
    state.roster_pulls = bool(entry.body["host"])


@provisioning_rules.of("roster.rules_set", "setting how the roster is judged", Authority.PERSON)
def roster_rules_set(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)


@provisioning_rules.of("roster.released", "releasing a held version of the roster", Authority.PERSON)
def roster_released(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)


@provisioning_rules.of(
    "roster.taken", "taking a version of the roster", Authority.PERSON, Authority.ROSTER, cannot=(Unjudged.MESSAGE,)
)
def roster_taken(state: State, entry: Entry) -> Why:
    """An administrator, or the source that one has set."""
    yield _roster(state, entry)
    state.roster_taken = True
    state.cause("roster", entry.body["version"])


@provisioning_rules.of("roster.held", "holding a version of the roster", Authority.PERSON, Authority.ROSTER)
def roster_held(state: State, entry: Entry) -> Why:
    """An administrator, or the source that one has set."""
    yield _roster(state, entry)


@provisioning_rules.of("roster.refused", "refusing a version of the roster", Authority.PERSON, Authority.ROSTER)
def roster_refused(state: State, entry: Entry) -> Why:
    """An administrator, or the source that one has set."""
    yield _roster(state, entry)


provisioning_rules.told(
    "roster.entry_set", "saying who stands on the roster", Authority.ROSTER, cannot=(Unjudged.MESSAGE,)
)
provisioning_rules.told(
    "roster.entry_ended", "saying who is off the roster", Authority.ROSTER, cannot=(Unjudged.MESSAGE,)
)


@provisioning_rules.of("roster.linked", "linking an account to the roster", Authority.ROSTER)
def roster_linked(state: State, entry: Entry) -> Why:
    """By a version in force."""
    if not state.roster_taken:
        yield "no version of the staff roster was in force"


def _token(state: State, entry: Entry) -> str | None:
    token = state.tokens.get(entry.body["token"])
    if token is None or token.provider != entry.body["provider"]:
        return f"there was no such token of {entry.body['provider']}"
    if not token.approved:
        return "nobody else had approved the token"
    return "the token had ended" if token.ends <= state.begun else None


def _wrote(state: State, entry: Entry) -> None:
    """What others of the command may rest on: also where this write is not lawful, so that it alone is named."""
    state.cause("scim", entry.body["provider"])
    state.cause("scim")


def _roster(state: State, entry: Entry) -> str | None:
    by = entry.body["by"]
    if by is not None:
        return acts(state, by, ADMINISTER)
    return None if state.roster_pulls else "it is on nobody's word, and no source of the roster was set"
