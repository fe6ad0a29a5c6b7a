"""The access decision: may this person reach this resource as this login now, until when, and because of what.

Pure, and only over what concerns one person and one resource: its cost does not grow with the company.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.guardrails import Guardrails, as_wide, narrower, width
from onepam.domain.access.hours import given_until, next_opening
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import (
    ENVIRONMENT,
    MAX_SESSION,
    Action,
    MfaRule,
    Mode,
    Permission,
    Recording,
    ResourceKind,
    Substance,
)
from onepam.domain.access.session_users import SessionUsers
from onepam.kernel.clock import MINUTE, SECOND, Instant, utc
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Because:
    """The chain that made an access possible; each link is an identifier to look up. Empty where there is none."""

    role: str
    role_version: str
    permission: str
    binding: str
    group: str = ""
    request: str = ""
    approval_by: str = ""
    grant: str = ""


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """The resource as of the decision."""

    resource: str
    kind: ResourceKind
    labels: Mapping[str, str]
    logins: tuple[str, ...]
    pins: tuple[str, ...]
    address: str | None
    port: int
    mfa: MfaRule | None = None
    environment: tuple[str, ...] = ENVIRONMENT
    mask: Mask | None = None
    results: Results | None = None
    session_users: SessionUsers | None = None


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant for this person and resource that has not been ended. `used`: a session was opened by it."""

    grant: str
    request: str
    substance: Substance
    binding: str
    approved_by: str
    starts: Instant
    ends: Instant
    used: bool = False

    @property
    def awaits_use(self) -> bool:
        """Whether it lasts from its first use on, and was not used yet."""
        return self.substance.schedule is not None and self.substance.schedule.until is not None and not self.used

    def until(self, at: Instant) -> Instant | None:
        """Until when it may be used from `at` on: its end, or that of its hours, or as long as it lasts from its first
        use on; None where it gives nothing then."""
        given = given_until(self.substance.schedule, at) if self.starts <= at < self.ends else None
        if given is not None and self.awaits_use:
            given = min(given, Instant(at + self.substance.duration))
        return None if given is None else min(self.ends, given)


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """All that the decision looks at. `resource` is None where no such resource exists. `locked`: the person, the
    resource or everything is."""

    person: str
    enabled: bool
    ends: Instant | None
    resource: ResourceFacts | None
    roles: tuple[HeldRole, ...]
    grants: tuple[HeldGrant, ...]
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Permitted:
    """Yes: with these actions, until `ends` at the latest, because of this chain.

    `also` are the chains of what the first one does not allow. `administrative`: by a permission that is marked so.
    `recording`: what the permissions for commands say of their output. `guardrails`: those of a database's statements.
    """

    actions: tuple[Action, ...]
    ends: Instant
    privileged: bool
    because: Because
    also: tuple[Because, ...] = ()
    administrative: bool = False
    recording: Recording | None = None
    guardrails: Guardrails | None = None

    @property
    def kept(self) -> Recording:
        """How much of commands' output is kept: what the permission says, else all of what is privileged."""
        return self.recording or (Recording.WHOLE if self.privileged else Recording.HEAD_TAIL)

    def rests_on(self) -> tuple[Because, ...]:
        """All its chains."""
        return (self.because, *self.also)


def unknown(facts: AccessFacts, now: Instant) -> Refused | None:
    """Why nothing of the resource is told to the person, whether it exists or not; None where it is in their
    catalogue."""
    found = _catalogued(facts, now)
    return found if isinstance(found, Refused) else None


def decide(
    facts: AccessFacts,
    login: str,
    now: Instant,
    needed: tuple[Action, ...] = (),
    guarded: Guardrails | None = None,
) -> Permitted | Refused:
    """The one decision: all that the person's permissions and grants allow together, until the first of them ends.

    What is outside the person's catalogue is "unknown", whether it exists or not. A session that runs asks again with
    the actions that it `needed`: it goes on under whatever allows all of them, and no longer than that does. It keeps
    the guardrails that it is `guarded` by, so it goes on only under what lets through as much.
    """
    found = _catalogued(facts, now)
    if isinstance(found, Refused):
        return found
    if facts.locked:
        return Refused("access.locked", "This access is locked.", "Ask an administrator, who sees by whom, and why.")
    resource, reach = found
    options = [
        option
        for held, permission in reach
        if permission.admits(login, resource.logins)
        for option in _options(facts, held, permission, resource, login, now)
        if option.actions  # a role narrowed since may leave a grant with nothing to do
    ]
    if options:
        permitted = _together(options, needed, guarded, KINDS[resource.kind].partial)
        if permitted is None:
            return Refused("access.narrowed", f"Your access to {resource.resource} was narrowed.", "Connect again.")
        if not resource.pins:
            return Refused(
                "resource.no_pin",
                f"{resource.resource} has no pinned {KINDS[resource.kind].pin}.",
                "An administrator pins it in access.yaml.",
            )
        return permitted
    return _not_yet(facts, login, now) or _why_not(reach, resource, login)


def _together(
    options: list[Permitted], needed: tuple[Action, ...], guarded: Guardrails | None, partial: frozenset[Action]
) -> Permitted | None:
    """What the options allow between them, of `needed` where that is given; None where that is not all of it.

    The end is that of the action that runs out first (docs/decisions/0011): until then each is allowed by an option. Of
    several ways to say so the shortest: one option that allows all of it, else those that each action lasts longest by.
    Guardrails do not add up: those of one option hold, of the one that lets through most.
    """
    if needed:
        options = [option for option in options if as_wide(option.guardrails, guarded)]
    elif len(options) == 1:
        return options[0]
    options.sort(key=lambda option: (option.ends, len(option.actions)), reverse=True)
    if not needed:
        options.sort(key=lambda option: width(option.guardrails), reverse=True)
    wanted = frozenset(needed) or frozenset(action for option in options for action in option.actions)
    missing, taken = set(wanted), []
    for option in options:
        if not missing.isdisjoint(option.actions):
            taken.append(option)
            missing.difference_update(option.actions)
    if missing:
        return None
    if whole := next((option for option in taken if wanted.issubset(option.actions)), None):
        return whole
    allowed = {action for option in taken for action in option.actions}
    return Permitted(
        actions=tuple([action for action in Action if action in allowed]),
        ends=min(option.ends for option in taken),
        privileged=any(option.privileged for option in taken),
        because=taken[0].because,
        also=tuple([option.because for option in taken[1:]]),
        administrative=any(option.administrative for option in taken),
        recording=_recording([option for option in taken if not partial.isdisjoint(option.actions)]),
    )


def _recording(options: list[Permitted]) -> Recording | None:
    """The most that any of the options asks that may be kept in part: whole, else what follows from the session."""
    asked = {option.recording for option in options}
    if Recording.WHOLE in asked:
        return Recording.WHOLE
    return Recording.HEAD_TAIL if asked == {Recording.HEAD_TAIL} else None


def _catalogued(facts: AccessFacts, now: Instant) -> tuple[ResourceFacts, list[tuple[HeldRole, Permission]]] | Refused:
    """The resource, with the roles and permissions by which it is in the person's catalogue."""
    if not facts.enabled or (facts.ends is not None and facts.ends <= now):
        return Refused("person.disabled", "This account is disabled.", "Ask an administrator.")
    reach = [] if facts.resource is None else _reach(facts.roles, facts.resource, now)
    if facts.resource is None or not reach:
        return Refused("resource.unknown", "There is no such target in your catalogue.", "See what you can reach: /")
    return facts.resource, reach


def _reach(roles: tuple[HeldRole, ...], resource: ResourceFacts, now: Instant) -> list[tuple[HeldRole, Permission]]:
    return [
        (held, permission)
        for held in roles
        if held.ends is None or held.ends > now
        for permission in held.permissions
        if permission.covers(resource.labels)
    ]


def _options(
    facts: AccessFacts, held: HeldRole, permission: Permission, resource: ResourceFacts, login: str, now: Instant
) -> list[Permitted]:
    limit = [Instant(now + MAX_SESSION)] + [end for end in (held.ends, facts.ends) if end is not None]
    kind = KINDS[resource.kind]
    privileged, there = permission.privileged(resource.labels), kind.only(permission.actions)
    guardrails = None if kind.guarded.isdisjoint(there) else permission.guardrails
    if permission.mode is Mode.STANDING:
        because = Because(held.role, held.version, permission.name, held.binding, held.group)
        ends = min(Instant(now + permission.longest), *limit)
        by, kept = permission.administrative, permission.recording
        return [Permitted(there, ends, privileged, because, (), by, kept, guardrails)]
    return [
        Permitted(
            tuple(action for action in grant.substance.actions if action in there),
            min(until, *limit),
            privileged,
            Because(
                held.role,
                grant.substance.role_version,
                permission.name,
                held.binding,
                held.group,
                grant.request,
                grant.approved_by,
                grant.grant,
            ),
            (),
            permission.administrative,
            permission.recording,
            narrower(guardrails, grant.substance.guardrails),
        )
        for grant in facts.grants
        if _supports(grant, held, permission, login) and (until := grant.until(now)) is not None
    ]


def _supports(grant: HeldGrant, held: HeldRole, permission: Permission, login: str) -> bool:
    """A grant lives on the binding it was made under; a role widened later does not widen it, a narrowed one does."""
    return (
        grant.binding == held.binding
        and grant.substance.permission == permission.name
        and grant.substance.login == login
    )


def _not_yet(facts: AccessFacts, login: str, now: Instant) -> Refused | None:
    """What was approved and can still be undone, or begins later; or what is outside of its hours."""
    mine = [grant for grant in facts.grants if grant.substance.login == login and grant.ends > now]
    coming = [grant.starts for grant in mine if grant.starts > now]
    outside = [
        (grant.substance.schedule.weekly, grant.ends)
        for grant in mine
        if grant.starts <= now and grant.substance.schedule is not None and grant.substance.schedule.weekly is not None
    ]
    if outside:
        hours, ends = outside[0]
        opens = next_opening(hours, now)
        again = "They do not begin again." if opens is None or opens >= ends else f"Next from {utc(opens)}."
        return Refused("access.outside_hours", f"Your access is for {hours.hours().words()}.", again)
    if not coming:
        return None
    wait = min(coming) - now
    when = f"in {-(-wait // SECOND)} s" if wait < MINUTE else f"at {utc(min(coming))}"
    return Refused("access.not_yet", f"Your approval takes effect {when}.", "Connect again then.")


def _why_not(reach: list[tuple[HeldRole, Permission]], resource: ResourceFacts, login: str) -> Refused:
    admitted = [permission for _, permission in reach if permission.admits(login, resource.logins)]
    if admitted:
        return Refused(
            "access.needs_approval",
            f"{login} on {resource.resource} needs an approval, and you hold none now.",
            f"onepam request {quote(f'{login}@{resource.resource}')}, or: /?request={resource.resource}&login={login}",
        )
    logins = sorted(
        {each for _, permission in reach for each in resource.logins if permission.admits(each, resource.logins)}
    )
    return Refused(
        "access.login",
        f"You may not use the login {login} on {resource.resource}.",
        f"Logins you may use or request there: {', '.join(logins) or 'none'}.",
    )
