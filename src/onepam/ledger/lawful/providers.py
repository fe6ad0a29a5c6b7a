"""Rules of identity providers, of what is declared of them, of the identities they know, and of signal streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Provider
from onepam.ledger.lawful.proposals import decides, ends_proposal, one, propose
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts, had_factors, trusted
from onepam.ledger.lawful.state import State

provider_rules = Rules()

PROVIDER, STREAM = "provider", "signal"
LONGEST_DECLARATION = 365 * DAY
_SUBSTANCE = {
    PROVIDER: ("provider", "kind", "name", "settings", "rule"),
    STREAM: ("stream", "name", "issuer", "audience", "delivery", "provider", "endpoint", "remote"),
}


def _changed_by_two(prefix: str, noun: str, what: str, kind: str, table: Callable[[State], dict[str, Any]]) -> None:
    """The rules of what is proposed, rejected and removed alike, a provider or a stream."""

    @provider_rules.of(f"{prefix}.proposed", f"proposing {what}", Authority.PERSON, cannot=(Unjudged.LIMIT,))
    def proposed(state: State, entry: Entry) -> Why:
        """An administrator under a fresh factor."""
        yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)
        yield one(state, kind, entry.body["change"])
        propose(state, entry, kind, entry.body["change"])

    @provider_rules.of(f"{prefix}.rejected", f"rejecting {what}", Authority.PERSON, Authority.TIME)
    def rejected(state: State, entry: Entry) -> Why:
        """An administrator; or it lapsed, or fell with its proposer."""
        yield from ends_proposal(state, entry, kind, entry.body["change"], ADMINISTER)

    @provider_rules.of(f"{prefix}.removed", f"removing {what}", Authority.PERSON)
    def removed(state: State, entry: Entry) -> Why:
        """An administrator under a fresh factor, who did not come in by it; what waits for it goes, too."""
        by, name = entry.body["by"], entry.body[noun]
        yield acts(state, by, ADMINISTER, age=FRESH)
        if kind == PROVIDER and by in state.people:
            running = [each for each in state.people[by].sign_ins.values() if each.expires > state.begun]
            if running and all(each.provider == name for each in running):
                yield f"{by} had come in by it"
        if state.end(table(state), name) is None:
            yield f"there was no such {noun}"
        state.cause(f"{kind} over", name)
        yield Later(f"a proposal of that {noun} was left", lambda: _waits(state, kind, noun, name))


def _waits(state: State, kind: str, noun: str, name: str) -> bool:
    return any(of == kind and each.body[noun] == name for (of, _), each in state.proposals.items())


_changed_by_two("provider", "provider", "an identity provider", PROVIDER, lambda state: state.providers)
_changed_by_two("signal_stream", "stream", "a signal stream", STREAM, lambda state: state.streams)


@provider_rules.of("provider.set", "setting an identity provider", Authority.PERSON, cannot=(Unjudged.PROOF,))
def provider_set(state: State, entry: Entry) -> Why:
    """Another administrator under a fresh factor, and exactly what was proposed."""
    body = entry.body
    before = state.providers.get(body["provider"])
    yield from _agreed(state, entry, PROVIDER, before.since if before is not None else None)
    rule = body["rule"]
    if before is not None and before.kind != body["kind"]:
        yield "a provider keeps its protocol"
    for name, other in state.providers.items():
        if name != body["provider"] and not set(rule["domains"]).isdisjoint(other.rule["domains"]):
            yield f"the provider {name} spoke for one of its domains already"
    if not set(rule["phishing_resistant"]) <= set(rule["attests"]):
        yield "what attests a factor that cannot be phished attests none at all"
    if rule["joins"] and not rule["domains"]:
        yield "it may bring people in, and speaks for no domain"
    declared = before.declared if before is not None else {}
    state.providers[body["provider"]] = Provider(body["change"], entry.time, body["kind"], body["rule"], declared)


@provider_rules.of("provider.declared", "declaring that a provider demands a second factor", Authority.PERSON)
def provider_declared(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, for a year at most."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    if body["ends"] <= state.begun:
        yield "its end had come already"
    if body["ends"] > entry.time + LONGEST_DECLARATION:
        yield "it lasts longer than a year"
    provider = state.providers.get(body["provider"])
    if provider is None:
        yield "there was no such provider"
    else:
        provider.declared[body["declaration"]] = Instant(body["ends"])


@provider_rules.of("provider.declaration_ended", "withdrawing a declaration", Authority.PERSON)
def provider_declaration_ended(state: State, entry: Entry) -> Why:
    """An administrator."""
    yield acts(state, entry.body["by"], ADMINISTER)
    provider = state.providers.get(entry.body["provider"])
    if provider is None or state.end(provider.declared, entry.body["declaration"]) is None:
        yield "there was no such declaration"


@provider_rules.of(
    "provider.keys_read", "taking other certificates of a provider", Authority.PROVIDER, cannot=(Unjudged.MESSAGE,)
)
def provider_keys_read(state: State, entry: Entry) -> Why:
    """Of a provider in force, from the metadata of the change that made it so."""
    body = entry.body
    provider = state.providers.get(body["provider"])
    if provider is None:
        yield "there was no such provider"
    else:
        if provider.change != body["replaces"]:
            yield "the provider had changed since"
        provider.change, provider.since = body["change"], entry.time


@provider_rules.of(
    "provider.logged_out", "ending sign-ins on a provider's word", Authority.PROVIDER, cannot=(Unjudged.MESSAGE,)
)
def provider_logged_out(state: State, entry: Entry) -> Why:
    """A provider in force."""
    if entry.body["provider"] not in state.providers:
        yield "there was no such provider"
    state.cause("logged out")


provider_rules.told("provider.refused", "refusing what a provider said", Authority.STRANGER)


@provider_rules.of("identity.linked", "making an identity somebody's", Authority.PROVIDER, cannot=(Unjudged.MESSAGE,))
def identity_linked(state: State, entry: Entry) -> Why:
    """A provider in force by its own message, of somebody who is here: by their address, or as who joined by it. By an
    address that one administrator gave instead of another, nobody becomes who has factors or is trusted."""
    body = entry.body
    person = state.people.get(body["person"])
    if body["by"] is not None or body["because"] not in ("address", "joined"):
        yield "nothing but a provider's message makes an identity somebody's"
    if body["provider"] not in state.providers:
        yield "there was no such provider"
    if person is None:
        yield f"there was no account {body['person']}"
    elif (
        body["because"] == "address"
        and person.readdressed
        and (had_factors(state, person) or trusted(state, body["person"]))
    ):
        yield "one administrator had changed the address of somebody trusted"
    if person is not None:
        if body["because"] == "address" and body["provider"] in person.identities.values():
            yield "they had an identity there already"
        if body["because"] == "joined":
            yield Unless("nobody had joined", (("joined", body["person"]),))
        person.identities[body["identity"]] = body["provider"]
    state.identities[body["identity"]] = (body["person"], body["provider"])


@provider_rules.of("identity.unlinked", "taking an identity from somebody", Authority.PERSON, Authority.RECOVERY)
def identity_unlinked(state: State, entry: Entry) -> Why:
    """An administrator, or recover-access."""
    body = entry.body
    if body["by"] is not None:
        yield acts(state, body["by"], ADMINISTER)
    else:
        yield Unless("it is on nobody's word", (("recovered", body["person"]),))
    linked = state.end(state.identities, body["identity"])
    if linked is None or linked[0] != body["person"]:
        yield "they had no such identity"
    elif body["person"] in state.people:
        state.end(state.people[body["person"]].identities, body["identity"])


@provider_rules.of("signal_stream.set", "setting a signal stream", Authority.PERSON, cannot=(Unjudged.PROOF,))
def signal_stream_set(state: State, entry: Entry) -> Why:
    """Another administrator under a fresh factor, and exactly what was proposed."""
    yield from _agreed(state, entry, STREAM, state.streams.get(entry.body["stream"]))
    if entry.body["provider"] not in state.providers:
        yield "there was no such provider"
    state.streams[entry.body["stream"]] = entry.time


@provider_rules.of("signal.received", "taking a signal", Authority.STREAM, cannot=(Unjudged.MESSAGE,))
def signal_received(state: State, entry: Entry) -> Why:
    """By a stream in force."""
    if entry.body["stream"] not in state.streams:
        yield "there was no such stream"
    state.cause("signal")


def _agreed(state: State, entry: Entry, kind: str, since: Instant | None) -> Why:
    """What somebody else had proposed, with nothing altered on the way, and nothing come between."""
    body = entry.body
    yield from decides(state, entry, kind, body["change"])
    waiting: Any = state.end(state.proposals, (kind, body["change"]))
    if waiting is None:
        return
    if waiting.by != body["proposed_by"] or any(waiting.body[each] != body[each] for each in _SUBSTANCE[kind]):
        yield "it is not what was proposed"
    if since is not None and since >= waiting.since:
        yield "it had changed since it was proposed"
