"""Testing a provider: a real sign-in there that opens nothing, and shows what came and what would come of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.rendering import words
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import visible
from onepam.console.providers.at_provider import leave
from onepam.console.providers.providers_page import ProviderTestPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.providers import entering as federated
from onepam.domain.providers.assertion import Assertion, ProviderKind
from onepam.domain.providers.entering import Entering, EnteringFacts, NeedsFirstFactor, Outcome, SignedInto
from onepam.domain.providers.setting import Provider
from onepam.domain.signing_in.gate import Visitor
from onepam.identity.oidc.relying_party import Received as OidcReceived
from onepam.identity.saml.assertion import Received as SamlReceived
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.store.read import providers as rows
from onepam.store.read.names import name

Received = OidcReceived | SamlReceived

MOST_CLAIMS = 60
MOST_GROUPS = 30
MOST_CHARACTERS = 300

_NEW = Entering("", "", "", "", "", Visitor(""), "")
"""A test makes nobody, opens nothing, and comes from nowhere."""


async def begin_test(visit: Visit) -> Response:
    """Sends this browser to sign in with the settings of a change, in force or not."""
    change = visit.path("change")
    stored = await visit.services.reader(rows.by_change, None, change)
    if stored is None:
        return visit.refusal(unknown(change), 404)
    settings = visit.services.providers.settings(stored)
    if not isinstance(settings, Refused):
        left = await leave(visit, settings, stored.name, {"test": change, "by": visit.me.actor.session}, force=True)
        if not isinstance(left, Refused):
            return left
        settings = left
    return await _show(visit, stored, settings)


async def test_returned(visit: Visit, flow: dict[str, Any], received: Received | Refused) -> Response:
    """What came back from the provider, to the administrator whose test it was. Opens nothing, records nothing."""
    member = visit.member
    if member is None or not member.has(ConsoleRight.ADMINISTER) or flow.get("by") != member.actor.session:
        lost = Refused("provider.test_lost", "This test is not of this browser's session.", "Test again.")
        return visit.forget(visit.refusal(lost, 403))
    stored = await visit.services.reader(rows.by_change, None, str(flow.get("test", "")))
    if stored is None:
        return visit.forget(visit.refusal(unknown(str(flow.get("test", ""))), 404))
    return visit.forget(await _show(visit, stored, received))


def unknown(change: str) -> Refused:
    return Refused("provider.no_proposal", "There is no such provider or proposal.", f"You asked for {change[:40]}.")


async def _show(visit: Visit, stored: Provider, received: Received | Refused) -> Response:
    proposal = await visit.services.reader(rows.proposal, None, stored.change)
    nothing = ProviderTestPage(
        called=stored.name,
        change=stored.change,
        waits=proposal is not None,
        mine=proposal is not None and proposal.by == visit.me.actor.person,
        back=f"/providers/proposed/{stored.change}" if proposal is not None else f"/providers/{stored.provider}",
        error=None,
        claims=[],
        who=None,
        groups=None,
        factor=None,
        missing=[],
    )
    if isinstance(received, Refused):
        error = {"message": received.message, "hint": received.hint, "code": received.code}
        return visit.page(replace(nothing, error=error))
    return visit.page(await visit.services.reader(_outcome, None, stored, received, nothing))


def _outcome(
    db: Snapshot, at: Instant, stored: Provider, received: Received, nothing: ProviderTestPage
) -> ProviderTestPage:
    """What the rules of signing in would make of the message, if the provider were in force as it is proposed."""
    found = received.assertion
    facts = rows.message_facts(db, at, stored, found)
    decided = federated.sign_in(facts, found, _NEW, at)
    outcome = decided.result if isinstance(decided, Decided) else decided
    return replace(
        nothing,
        claims=_claims(received),
        who=_who(db, at, stored, found, facts, outcome),
        groups=None if found.groups is None else _groups(found.groups),
        factor=_factor(stored, found, outcome, rows.declaration(db, at, stored.provider)),
        missing=_missing(stored, found),
    )


def _claims(received: Received) -> list[Context]:
    """All that came, as text; of SAML also what is no attribute."""
    said: Mapping[str, Any] = received.claims if isinstance(received, OidcReceived) else received.attributes
    found = [("NameID", received.name_id.value)] if isinstance(received, SamlReceived) else []
    found += [(key, _text(value)) for key, value in said.items()]
    if isinstance(received, SamlReceived):
        found.append(("AuthnContextClassRef", received.assertion.context))
    return [{"name": visible(key)[:200], "value": visible(value)[:MOST_CHARACTERS]} for key, value in found][
        :MOST_CLAIMS
    ]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _groups(groups: tuple[str, ...]) -> Context:
    return {"names": [visible(each) for each in groups[:MOST_GROUPS]], "beyond": max(0, len(groups) - MOST_GROUPS)}


def _who(
    db: Snapshot, at: Instant, stored: Provider, found: Assertion, facts: EnteringFacts, outcome: Outcome
) -> Context:
    """Whom the message would sign in: by the identity, else by the address, else nobody, or somebody new."""
    said: Context = {
        "subject": visible(found.subject), "user_name": visible(found.user_name), "email": visible(found.email or ""),
        "name": visible(found.name or ""), "person": None, "state": "finding", "words": "",
    }  # fmt: skip
    if isinstance(outcome, Refused) and outcome.code != "sign_in.no_factor":
        nobody = outcome.code == federated.NOBODY.code
        return {**said, "words": _nobody(stored, found, facts) if nobody else outcome.message}
    known = facts.known or next(iter(facts.with_address), None)
    if known is None:
        return {**said, "state": "proven", "words": "Somebody new: they would be added, with no role."}
    person = known.account.person
    how = "by the identity that is linked" if facts.known else "by the address, and would then be linked"
    return {**said, "person": {"id": person, "name": name(db, at, person)}, "state": "proven", "words": how}


def _nobody(stored: Provider, found: Assertion, facts: EnteringFacts) -> str:
    """Why nobody is found, as an administrator may know it."""
    if facts.known is not None:
        return "Nobody: the person of this identity is disabled, or may not sign in."
    if facts.once_linked:
        return "Nobody: this identity was linked to somebody once, and is never linked again."
    if found.email is None:
        return "Nobody: this identity is not linked, and the provider vouches for no address."
    if federated.vouched_address(stored.rule, found) is None:
        domain = visible(found.email.rpartition("@")[2])
        return f"Nobody: {domain} is not among the provider's mail domains."
    return "Nobody: no person has this identity or address, and unknown people are not added."


def _factor(stored: Provider, found: Assertion, outcome: Outcome, declared: rows.Declaration | None) -> Context:
    """What counts as the second factor."""
    said = (*found.methods, found.context)
    attested = [each for each in stored.rule.attests if each in said]
    shown = {"methods": [visible(each) for each in found.methods], "context": visible(found.context), "state": "due"}
    if attested:
        hard = [each for each in stored.rule.phishing_resistant if each in said]
        more = ", and cannot be phished" if hard else ""
        return {**shown, "state": "proven", "words": f"Attested by {words(attested)}{more}."}
    match outcome:
        case SignedInto() if declared is not None:
            return {**shown, "words": "Nothing attests one; the declaration counts.", "until": declared.ends}
        case SignedInto():
            return {**shown, "words": "Nothing attests one; a risk acceptance counts."}
        case NeedsFirstFactor():
            return {**shown, "words": "Nothing: they have no factor here yet, and would enrol one first."}
        case Refused(code="sign_in.no_factor", hint=hint):
            return {**shown, "words": f"Nothing, and they have no factor here yet. {hint}"}
        case _:
            return {**shown, "words": "Nothing: people will step up here with a factor of OnePAM's own."}


_NO_METHODS = "No amr: the provider does not say how somebody signed in, so nothing attests a second factor."
_AT_KEYCLOAK = (
    " In Keycloak: Authentication, the browser flow, the settings of each step: Authenticator Reference, and "
    "Authenticator Reference Max Age 36000 (empty, it is forgotten after a second); and the client's mapper "
    "Authentication Method Reference (AMR)."
)


def _missing(stored: Provider, found: Assertion) -> list[str]:
    missing = []
    if found.email is None:
        missing.append("No address that the provider vouches for: people are then found only once they are linked.")
    if found.name is None:
        missing.append("No name: people would be called by their user name.")
    if found.groups is None and stored.rule.groups:
        missing.append("No groups, though this provider shall feed them.")
    if found.left_out:
        missing.append(f"{found.left_out} values of groups are no usable names and are left out.")
    if stored.rule.attests and stored.kind is ProviderKind.OIDC and not found.methods:
        missing.append(_NO_METHODS + (_AT_KEYCLOAK if "/realms/" in stored.settings else ""))
    if not stored.rule.attests:
        missing.append("No value is set to attest a second factor, so every sign-in steps up.")
    return missing
