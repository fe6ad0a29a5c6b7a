"""Second factors: what people's rest on, what resources ask of them, and what sessions were opened with."""

from onepam.api.guard import AsOf, Services, right
from onepam.api.models import Answer, Moment, Seconds
from onepam.api.routes.route import Route
from onepam.domain.access.mfa_rule import longest
from onepam.domain.access.model import ConsoleRight, MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.store.read.hands import indirect_gains
from onepam.store.read.second_factor import mfa_report

OVERSEES = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class RuleOut(Answer):
    """What a resource asks of the second factor; `max_age` in seconds."""

    resource: str
    max_age: Seconds
    phishing_resistant: bool
    fresh: bool


class NamedOut(Answer):
    """A person."""

    person: str
    name: str


class IndirectGainOut(Answer):
    """A finding: `decider` said yes to `gainer` so many `times` in 30 days, while both had enrolled by links of the
    same `makers`. `replaced`: the decider's link took the place of factors that they had."""

    decider: NamedOut
    gainer: NamedOut
    makers: list[NamedOut]
    times: int
    last: Moment
    replaced: bool


class MfaOut(Answer):
    """People who may sign in, by the basis of their newest sign-in; `without` have no factor of their own and were not
    attested one. Sessions are those of the last 30 days; those of machines never count as made with a second factor.
    """

    people: dict[MfaBasis, int]
    never_signed_in: int
    own: dict[str, int]
    without: list[str]
    machines: int
    resources: int
    rules: list[RuleOut]
    sessions: dict[MfaBasis, int]
    sessions_without: int
    machine_sessions: int
    indirect_gains: list[IndirectGainOut]


async def report(services: Services, at: AsOf) -> MfaOut:
    """The state of second factors in the whole company."""
    found = await services.reader(mfa_report, at)
    return MfaOut(
        people={basis: found.people.get(basis, 0) for basis in MfaBasis},
        never_signed_in=found.never,
        own=dict(found.own),
        without=list(found.without),
        machines=found.machines,
        resources=found.resources,
        rules=[_rule(resource, rule) for resource, rule in found.rules],
        sessions={basis: found.sessions.get(basis, 0) for basis in MfaBasis},
        sessions_without=found.sessions_without,
        machine_sessions=found.machine_sessions,
        indirect_gains=[IndirectGainOut.model_validate(each) for each in await services.reader(indirect_gains, at)],
    )


def _rule(resource: str, rule: MfaRule) -> RuleOut:
    return RuleOut(
        resource=resource,
        max_age=longest(rule),
        phishing_resistant=rule.phishing_resistant,
        fresh=rule.fresh,
    )


ROUTES = (Route("GET", "/second-factors", OVERSEES, report),)
