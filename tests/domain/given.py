"""Facts that deciders are given: one request of eve's for root on web-1, which max may approve."""

from onepam.domain.access.authority import Actor, ActorFacts, HeldRole
from onepam.domain.access.decision import AccessFacts, HeldGrant, ResourceFacts
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission, ResourceKind, Substance
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, lapses
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.approval import RequestFacts
from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import RequestStatus
from onepam.kernel.clock import HOUR, Instant

NOW = Instant(1_000 * HOUR)
LATER = Instant(NOW + HOUR)
BEFORE = Instant(NOW - 1)

PROD = Permission(
    "prod", (Action.SHELL, Action.EXEC), {"env": "prod"}, ("app", "root"), Mode.REQUEST, 4 * HOUR, ("manager",)
)
DEV = Permission("dev", (Action.SHELL,), {"env": "dev"}, ("*",), Mode.STANDING, HOUR)
WEB = ResourceFacts(
    "web-1", ResourceKind.SSH, {"env": "prod"}, ("app", "root", "db"), ("ssh-ed25519 AAAA",), "192.0.2.7", 22
)
ENGINEER = HeldRole("bnd_1", "", "engineer", "v1", (PROD, DEV), (), None)
MANAGER = HeldRole("bnd_2", "", "manager", "v1", (), (ConsoleRight.APPROVE,), None)
ADMINISTRATOR = HeldRole("bnd_3", "", "administrator", "v1", (), (ConsoleRight.ADMINISTER,), None)
MONITOR = HeldRole("bnd_4", "", "security", "v1", (), (ConsoleRight.MONITOR,), None)

EVE, MAX, ADA = (Actor(person, f"sgn_{person}") for person in ("eve", "max", "ada"))

ASKED = Substance("eve", "web-1", "root", "engineer", "v1", "prod", PROD.actions, HOUR)
OPEN = OpenRequest("req_1", ASKED, ASKED.digest(), LATER)
GRANT = HeldGrant("grt_1", "req_1", ASKED, "bnd_1", "max", NOW, LATER)


def present(person: str, *roles: HeldRole) -> ActorFacts:
    """Somebody enabled, signed in with a second factor, who holds these roles."""
    return ActorFacts(person, True, None, LATER, NOW, roles)


def access(*roles: HeldRole, grants: tuple[HeldGrant, ...] = ()) -> AccessFacts:
    """What eve holds for web-1."""
    return AccessFacts("eve", True, None, WEB, roles or (ENGINEER,), grants)


def proposal(kind: ProposalKind, name: str, by: str = "bob", *, since: Instant = BEFORE, person: str = "") -> Proposal:
    """A proposal that bob made a moment ago, and that is for nobody in particular."""
    return Proposal(kind, name, by, since, lapses(RULES[kind], since), True, person)


def waiting(status: RequestStatus = RequestStatus.OPEN) -> RequestFacts:
    """Eve's request as of the decision."""
    return RequestFacts(OPEN, status, access(), PersonKind.EMPLOYEE, None, ("manager",))
