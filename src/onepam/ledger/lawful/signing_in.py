"""Rules of signing in: sessions and the factors behind them, certificates."""

from __future__ import annotations

from onepam.kernel.instant import HOUR, MINUTE, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Device, Person, Provider, SignIn
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import (
    ADMINISTER,
    DAY_OF_WORK,
    FRESH,
    acts,
    administrative,
    signed_in,
    there,
    through,
)
from onepam.ledger.lawful.state import State

signing_in_rules = Rules()

CONSOLE_SESSION = 10 * HOUR
DEVICE_WITHIN = 2 * MINUTE
_PROVES = {"passkey", "totp"}


@signing_in_rules.of(
    "sign_in.opened",
    "signing in",
    Authority.FACTOR,
    Authority.PROVIDER,
    cannot=(Unjudged.PROOF, Unjudged.TRIES, Unjudged.MESSAGE),
)
def sign_in_opened(state: State, entry: Entry) -> Why:
    """Somebody whose account works, with two factors in force; by a provider that is in force; or under a session."""
    body = entry.body
    who = body["person"]
    yield there(state, who)
    person = state.people.get(who)
    served = not state.serves(state.messages, body["session"], entry.time + DAY_OF_WORK)
    if served and (body["parent"] is not None or body["provider"]):
        yield "what it rests on had served: there was such a sign-in already"
    if (body["kind"] == "cli") is not (body["parent"] is not None):
        yield "a command line signs in under another session, and nothing else does"
    if body["parent"] is not None:
        yield from _under(state, entry)
    elif body["provider"]:
        yield from _by_provider(state, entry)
    elif person is not None:
        yield from _by_own(state, entry, person)
    if person is not None and person.kind == "service":
        yield "a service account signs in nowhere"
    longest = DAY_OF_WORK if body["kind"] == "cli" else CONSOLE_SESSION
    start = body["mfa_at"] if body["kind"] == "cli" else entry.time
    if body["expires"] > start + longest:
        yield "it lasts longer than any sign-in"
    if person is not None:
        session = SignIn(
            session=body["session"],
            person=who,
            kind=body["kind"],
            expires=Instant(body["expires"]),
            mfa_at=Instant(body["mfa_at"]),
            basis=body["basis"],
            provider=body["provider"],
            phishing_resistant=body["phishing_resistant"],
            proven=tuple(body["proven"]),
        )
        for each in [each for each in person.sign_ins.values() if each.expires <= state.begun]:
            del person.sign_ins[each.session]
            state.sign_ins.pop(each.session, None)
        person.sign_ins[session.session] = state.sign_ins[session.session] = session
    if state.signed_in is None:
        state.signed_in = entry.time
    state.cause("signed in", who)


def _under(state: State, entry: Entry) -> Why:
    body = entry.body
    parent = state.sign_ins.get(body["parent"])
    if parent is None or parent.person != body["person"] or parent.expires <= state.begun:
        yield "no session of that person ran, under which it was opened"
        return
    said = (tuple(body["proven"]), body["mfa_at"], body["basis"], body["provider"], body["phishing_resistant"])
    device: Device | None = state.end(state.devices, body["session"])
    if body["session"] in state.void:
        yield "the terminal's sign-in was void"
    if device is not None:
        if (device.person, device.parent) != (body["person"], body["parent"]) or device.expires <= state.begun:
            yield "the terminal had been let in by somebody else, under another session, or it had lapsed"
        if body["phishing_resistant"]:
            yield "a terminal without a browser inherits no phishing-resistant factor"
        said = (*said[:-1], parent.phishing_resistant)
    if said != parent.proof()[1:]:
        yield "it claims another second factor than the session that it was opened under"
    ends = state.people[parent.person].ends
    if ends is not None and body["expires"] > ends:
        yield "it outlives the account"


def _by_provider(state: State, entry: Entry) -> Why:
    body = entry.body
    who, basis = body["person"], body["basis"]
    provider = state.providers.get(body["provider"])
    if provider is None:
        yield f"no identity provider {body['provider']} was in force"
        return
    if body["provider"] not in through(state, who):
        yield f"{who} had no identity at {body['provider']}"
    if body["mfa_at"] + DAY_OF_WORK <= state.begun or body["mfa_at"] > entry.time:
        yield "the factors were not shown within 12 hours"
    yield from _basis(state, entry, provider)
    if basis != "stepped_up" and body["proven"] != ["provider"]:
        yield "it names factors beside the provider's, and was not stepped up"
    if body["phishing_resistant"] and basis != "attested" and "passkey" not in body["proven"]:
        yield "no factor that was shown is phishing-resistant"
    if basis in ("declared", "accepted") and administrative(state, who):
        yield f"{who} held something administrative, which a second factor of their own opens"


def _basis(state: State, entry: Entry, provider: Provider) -> Why:
    """Why the second factor counts."""
    body = entry.body
    who, basis = body["person"], body["basis"]
    if basis == "attested":
        yield from _attested(provider, body["methods"], hard=body["phishing_resistant"])
    elif basis == "stepped_up":
        yield from _shown(state, entry, [each for each in body["proven"] if each != "provider"])
    elif basis == "declared":
        if not any(ends > state.begun for ends in provider.declared.values()):
            yield "nobody had declared that the provider demands a second factor"
    elif basis == "accepted":
        if not any(
            ends > state.begun and name in state.exceptions for name, ends in state.people[who].exceptions.items()
        ):
            yield "nobody had accepted the risk of a sign-in without a second factor"
    else:
        yield f"a provider proves no second factor as {basis}"


def _attested(provider: Provider, methods: list[str], *, hard: bool) -> Why:
    if not set(methods) & set(provider.rule.get("attests", ())):
        yield "the provider named no method that counts as a second factor"
    if hard and not set(methods) & set(provider.rule.get("phishing_resistant", ())):
        yield "the provider named no method that is phishing-resistant"


def _by_own(state: State, entry: Entry, person: Person) -> Why:
    body = entry.body
    proven = set(body["proven"])
    if "passkey" not in proven and proven != {"password", "totp"}:
        yield "these are not two factors"
    if body["basis"] != "own":
        yield f"two factors of one's own do not count as {body['basis']}"
    if "password" in proven and not any(each.kind == "password" for each in person.factors.values()):
        yield f"{body['person']} had no password"
    if body["phishing_resistant"] and "passkey" not in proven:
        yield "no factor that was shown is phishing-resistant"
    if not state.begun <= body["mfa_at"] <= entry.time:
        yield "the factors were not shown then"
    yield from _shown(state, entry, [each for each in body["proven"] if each != "password"])
    if through(state, body["person"]):
        yield "the person signs in through an identity provider"


def _shown(state: State, entry: Entry, kinds: list[str]) -> Why:
    """Second factors of the person, each used in the same command, and for nothing else."""
    if not kinds or not set(kinds) <= _PROVES:
        yield "no second factor was shown, or one that is none"
    for kind in kinds:
        if not state.once("used", entry.body["person"], kind):
            yield f"no {kind} of the person was used for it"


@signing_in_rules.of("sign_in.stepped_up", "showing a fresh second factor", Authority.FACTOR, Authority.PROVIDER)
def sign_in_stepped_up(state: State, entry: Entry) -> Why:
    """In a session of the person that runs, by a second factor in force or a provider that attests one."""
    body = entry.body
    session = state.sign_ins.get(body["session"])
    if session is None or session.person != body["person"] or session.expires <= state.begun:
        yield "no such session of the person ran"
        return
    yield there(state, body["person"])
    if body["factor"] == "provider":
        if body["basis"] != "attested":
            yield f"what a provider shows does not count as {body['basis']}"
        yield from _shown_there(state, entry)
    else:
        yield from _shown(state, entry, [body["factor"]])
        if body["basis"] != ("stepped_up" if session.provider else "own"):
            yield f"a factor of one's own does not count as {body['basis']}"
        if body["phishing_resistant"] and body["factor"] != "passkey":
            yield "no factor that was shown is phishing-resistant"
        if not state.begun <= body["mfa_at"] <= entry.time:
            yield "the factor was not shown then"
    session.mfa_at, session.basis = Instant(body["mfa_at"]), body["basis"]
    session.phishing_resistant = body["phishing_resistant"]
    session.proven = tuple(dict.fromkeys((*session.proven, body["factor"])))


def _shown_there(state: State, entry: Entry) -> Why:
    """To a provider of the person's that attests it, lately, by a message that serves once; and as phishing-resistant
    only where one of them is trusted to say so."""
    body = entry.body
    trusted = [state.providers[each].rule for each in through(state, body["person"])]
    if not any(each.get("attests") for each in trusted):
        yield "no identity provider of the person's attests a second factor"
    if body["phishing_resistant"] and not any(each.get("phishing_resistant") for each in trusted):
        yield "no identity provider of the person's is trusted to say that it was phishing-resistant"
    if body["mfa_at"] + FRESH <= state.begun or body["mfa_at"] > entry.time:
        yield "the provider had not asked for it again"
    if not body["message"] or not state.serves(state.messages, body["message"], entry.time + DAY_OF_WORK):
        yield "it names no message, or one that had served"


@signing_in_rules.of(
    "sign_in.closed",
    "ending a sign-in",
    Authority.PERSON,
    Authority.CAUSE,
    Authority.PROVIDER,
    Authority.STREAM,
)
def sign_in_closed(state: State, entry: Entry) -> Why:
    """Its person; an administrator; a provider's or a transmitter's word; or with the account or its factors."""
    body = entry.body
    who, by = body["person"], body["by"]
    session: SignIn | None = state.end(state.sign_ins, body["session"])
    person = state.people.get(who)
    if session is not None and session.person != who:
        yield "it is a session of somebody else"
    if person is not None:
        state.end(person.sign_ins, body["session"])
    state.cause("signed out", body["session"])
    if by is not None and by != who:
        yield acts(state, by, ADMINISTER)
        if session is not None and (not session.provider or session.provider in state.providers):
            over = (("left", who), ("enabled", who), ("provider over", session.provider))
            yield Unless("neither the account nor a provider ended with it", over)
    elif by is None and person is not None and person.enabled and person.hold is None:
        yield Unless(
            "no provider, no signal and no end of the account says so", (("logged out",), ("signal",), ("left", who))
        )


@signing_in_rules.of(
    "sign_in.device_allowed",
    "letting in a terminal without a browser",
    Authority.PERSON,
    cannot=(Unjudged.PROOF, Unjudged.NETWORK),
)
def sign_in_device_allowed(state: State, entry: Entry) -> Why:
    """Under a console session of the person, by a fresh factor, for two minutes; by their key where one is named."""
    body = entry.body
    who, session = body["person"], body["session"]
    yield there(state, who)
    parent = state.sign_ins.get(body["parent"])
    if parent is None or parent.person != who or parent.kind != "console" or parent.expires <= state.begun:
        yield "no console session of the person ran, under which it was said"
    elif parent.mfa_at + FRESH <= state.begun:
        yield "the second factor was not fresh"
    key = state.factors.get(body["key"])
    if body["key"] and (key is None or key.kind != "ssh_key" or key.person != who):
        yield "the key that the terminal has shown was not the person's"
    if body["expires"] > entry.time + DEVICE_WITHIN:
        yield "it waits longer than two minutes"
    for each, waiting in list(state.devices.items()):
        if waiting.expires > state.begun:
            break
        del state.devices[each]
        state.void.add(each)
    if session in state.devices or session in state.sign_ins or session in state.void:
        yield "there was such a sign-in already"
    state.devices[session] = Device(who, body["parent"], Instant(body["expires"]))


@signing_in_rules.of("sign_in.device_refused", "voiding the sign-in of a terminal", Authority.PERSON)
def sign_in_device_refused(state: State, entry: Entry) -> Why:
    """Whoever is signed in, of one that nobody had answered."""
    session = entry.body["session"]
    yield signed_in(state, entry.body["by"])
    if session in state.devices or session in state.sign_ins or session in state.void:
        yield "it had been answered, or had lapsed"
    state.void.add(session)


signing_in_rules.told("sign_in.failed", "failing to sign in", Authority.STRANGER, cannot=(Unjudged.TRIES,), read=True)


@signing_in_rules.of("certificate.issued", "getting a certificate", Authority.PERSON, cannot=(Unjudged.PROOF,))
def certificate_issued(state: State, entry: Entry) -> Why:
    """Under a session of the person that runs, and no longer than that."""
    body = entry.body
    yield signed_in(state, body["person"])
    session = state.sign_ins.get(body["session"])
    if session is None or session.person != body["person"] or session.expires <= state.begun:
        yield "no such session of the person ran"
    elif body["expires"] > session.expires:
        yield "it outlives the session"
