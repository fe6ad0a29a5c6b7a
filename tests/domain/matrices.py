"""Small matrices to plan between."""

from dataclasses import replace

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import (
    Action,
    ConsoleRight,
    Mode,
    Permission,
    ResourceKind,
    SubjectKind,
)
from onepam.domain.matrix.gains import Difference
from onepam.domain.matrix.matrix import (
    BindingDefinition,
    Matrix,
    ResourceDefinition,
    RoleDefinition,
    binding_id,
)
from onepam.domain.matrix.plan import Plan, make_plan
from onepam.kernel.clock import HOUR, Instant

NOW = Instant(1_750_000_000_000_000)
DOCUMENT = "ab" * 32

READS = Guardrails((StatementClass.READ,), 10)
PROD = Permission(
    "prod", (Action.SHELL,), {"env": "prod"}, ("app",), Mode.REQUEST, 4 * HOUR, ("lead",), True, None, READS
)
LEAD = RoleDefinition("lead", "leads", "ada", (ConsoleRight.APPROVE,), ())
DEV = RoleDefinition("dev", "develops", "ada", (), (PROD,))
WEB = ResourceDefinition("web", ResourceKind.SSH, "web.example", 22, {"env": "prod"}, "ada", ("app", "root"), ("key",))


def bind(
    role: str, subject: str, kind: SubjectKind = SubjectKind.PERSON, ends: Instant | None = None
) -> BindingDefinition:
    return BindingDefinition(binding_id(role, kind, subject), role, kind, subject, ends, "works here")


def matrix(
    *parts: ResourceDefinition | RoleDefinition | BindingDefinition, groups: dict[str, dict[str, str]] | None = None
) -> Matrix:
    return Matrix(
        groups=groups or {},
        resources={each.resource: each for each in parts if isinstance(each, ResourceDefinition)},
        roles={each.role: each for each in parts if isinstance(each, RoleDefinition)},
        bindings={each.binding: each for each in parts if isinstance(each, BindingDefinition)},
    )


BASE = matrix(WEB, DEV, LEAD, bind("dev", "eve"), bind("lead", "max"))


def with_permission(**changes: object) -> Matrix:
    """The base with its one permission changed."""
    changed = replace(PROD, **changes)  # type: ignore[arg-type]
    return replace(BASE, roles={**BASE.roles, "dev": replace(DEV, permissions=(changed,))})


def with_web(**changes: object) -> Matrix:
    """The base with its one resource changed."""
    return replace(BASE, resources={"web": replace(WEB, **changes)})  # type: ignore[arg-type]


def with_binding(ends: Instant | None) -> Matrix:
    """The base with a date on eve's binding."""
    bound = bind("dev", "eve", ends=ends)
    return replace(BASE, bindings={**BASE.bindings, bound.binding: bound})


def plan(before: Matrix, after: Matrix, now: Instant = NOW) -> Plan:
    return make_plan(before, after, DOCUMENT, now)


def gained(made: Plan) -> dict[str, Difference]:
    return {person: each for each in made.differences for person in each.people}
