"""Second factors: what people's rest on, what resources ask of them, and what sessions were opened with."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.places import SEES_ALL, Place, Shown
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import FACTORS, longest, rule_words
from onepam.console.signing_in.second_factors_page import SecondFactorsPage
from onepam.domain.access.mfa_rule import MAX_AGE
from onepam.domain.access.proof import MfaBasis
from onepam.kernel.clock import Instant
from onepam.store.read.federated import exceptions
from onepam.store.read.hands import Named, indirect_gains
from onepam.store.read.names import name
from onepam.store.read.second_factor import OWN, mfa_report

MOST_LISTED = 100
_MEANS = {
    MfaBasis.OWN: "Both factors were shown to OnePAM: a passkey, or a password and an app's code.",
    MfaBasis.ATTESTED: "The provider's signed message names a second factor that counts.",
    MfaBasis.STEPPED_UP: "The first factor at the provider, the second one shown to OnePAM.",
    MfaBasis.DECLARED: "The provider shows none; a dated statement says that it asks. Opens nothing administrative.",
    MfaBasis.ACCEPTED: "No second factor, under a risk acceptance that ends. Opens nothing privileged.",
}


async def report(visit: Visit) -> Response:
    """The state of second factors in the whole company."""
    return visit.page(await visit.services.reader(_report, visit.at))


def _report(db: Snapshot, at: Instant) -> SecondFactorsPage:
    found, excepted = mfa_report(db, at), exceptions(db, at)
    return SecondFactorsPage(
        bases=[
            {
                "word": basis.words,
                "means": _MEANS[basis],
                "people": found.people.get(basis, 0),
                "sessions": found.sessions.get(basis, 0),
                "weak": basis in (MfaBasis.DECLARED, MfaBasis.ACCEPTED),
            }
            for basis in MfaBasis
        ],
        people=sum(found.people.values()) + found.never,
        never=found.never,
        own=[{"word": FACTORS[kind], "people": found.own.get(kind, 0)} for kind in OWN],
        without=[{"id": each, "name": name(db, at, each)} for each in found.without[:MOST_LISTED]],
        without_total=found.without_total,
        rules=[{"resource": resource, "words": rule_words(rule)} for resource, rule in found.rules[:MOST_LISTED]],
        rules_total=len(found.rules),
        resources=found.resources,
        oldest=longest(MAX_AGE),
        sessions=sum(found.sessions.values()),
        sessions_without=found.sessions_without,
        exceptions=[
            {
                "person": {"id": each.person, "name": each.person_name},
                "ends": each.ends,
                "by": each.accepted_by_name,
            }
            for each in excepted[:MOST_LISTED]
            if each.accepted_by
        ],
        gains=[
            {
                "decider": _named(each.decider),
                "gainer": _named(each.gainer),
                "makers": [_named(one) for one in each.makers],
                "times": each.times,
                "last": each.last,
                "replaced": each.replaced,
            }
            for each in indirect_gains(db, at)[:MOST_LISTED]
        ],
        exceptions_waiting=sum(not each.accepted_by for each in excepted),
        machines=found.machines,
        machine_sessions=found.machine_sessions,
    )


def _named(one: Named) -> Context:
    return {"id": one.person, "name": one.name}


PLACES = (Place("GET", "/second-factors", SEES_ALL, report, Shown("Second factors", "shield-lock", "Identity")),)
