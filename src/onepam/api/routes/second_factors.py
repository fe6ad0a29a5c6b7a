"""Second factors: what people's rest on, what resources ask of them, and what sessions were opened with."""

from onepam.api.guard import AsOf, Services, right
from onepam.api.models import Answer, Seconds
from onepam.api.routes.route import Route
from onepam.domain.access.mfa_rule import longest
from onepam.domain.access.model import ConsoleRight, MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.store.read.second_factor import mfa_report

OVERSEES = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class RuleOut(Answer):
    """What a resource asks of the second factor; `max_age` in seconds."""

    resource: str
    max_age: Seconds
    phishing_resistant: bool
    fresh: bool


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
    )


def _rule(resource: str, rule: MfaRule) -> RuleOut:
    return RuleOut(
        resource=resource,
        max_age=longest(rule),
        phishing_resistant=rule.phishing_resistant,
        fresh=rule.fresh,
    )


ROUTES = (Route("GET", "/second-factors", OVERSEES, report),)
