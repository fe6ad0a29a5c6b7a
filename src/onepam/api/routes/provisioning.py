"""SCIM, to read: tokens without their secrets, how directories fare, what their groups reach, users in trouble. A
directory is let in, and shut out, in the console."""

from onepam.api.guard import AsOf, Services, right
from onepam.api.models import Answer, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.domain.access import ConsoleRight
from onepam.store.read import provisioning as rows

OVERSEE = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class TokenOut(Answer):
    """A token, or a proposal of one (`approved_by` null). `oauth`: it is exchanged by client credentials. `last_used`:
    since the gateway started."""

    token: str
    provider: str
    name: str
    networks: list[str]
    ends: Moment
    proposed_by: str
    approved_by: str | None
    oauth: bool
    last_used: MaybeMoment


class DirectoryOut(Answer):
    """What a directory has sent, and how its requests since the gateway's start were answered: `last` the newest of
    them, `done` and `refused` how many."""

    provider: str
    users: int
    active: int
    groups: int
    changed: MaybeMoment
    last: MaybeMoment
    done: int
    refused: int


class GroupOut(Answer):
    """A directory's group (`directory:NAME` in access.yaml): members it names, those in effect, roles bound to it."""

    group: str
    provider: str
    name: str
    named: int
    in_effect: int
    roles: list[str]


class UnfedOut(Answer):
    """A group that access.yaml binds roles to and no directory sends."""

    name: str
    roles: list[str]


class TroubledOut(Answer):
    """A user that does not work here. `trouble`: no_address, disabled_here, end_passed or kind_differs."""

    user: str
    provider: str
    user_name: str
    person: str | None
    trouble: str


class ScimOut(Answer):
    """All of SCIM."""

    tokens: list[TokenOut]
    directories: list[DirectoryOut]
    groups: list[GroupOut]
    unfed: list[UnfedOut]
    troubled: list[TroubledOut]


async def read(services: Services, at: AsOf) -> ScimOut:
    """Tokens, directories, groups and users in trouble."""
    reader, traffic = services.reader, services.scim_traffic
    return ScimOut(
        tokens=[
            TokenOut(
                token=each.token,
                provider=each.provider,
                name=each.name,
                networks=list(each.networks),
                ends=each.ends,
                proposed_by=each.proposed_by,
                approved_by=each.approved_by,
                oauth=each.oauth,
                last_used=traffic.last_used(each.token),
            )
            for each in await reader(rows.tokens, at)
        ],
        directories=[_directory(services, each) for each in await reader(rows.directories, at)],
        groups=[GroupOut.model_validate(each) for each in await reader(rows.group_uses, at)],
        unfed=[
            UnfedOut(name=name, roles=list(roles)) for name, roles in await reader(rows.groups_without_directory, at)
        ],
        troubled=[TroubledOut.model_validate(each) for each in await reader(rows.troubled, at)],
    )


def _directory(services: Services, found: rows.DirectoryCount) -> DirectoryOut:
    traffic = services.scim_traffic.of(found.provider)
    answered = traffic.statuses.items() if traffic else ()
    return DirectoryOut(
        provider=found.provider,
        users=found.users,
        active=found.active,
        groups=found.groups,
        changed=found.changed,
        last=traffic.last if traffic else None,
        done=sum(count for status, count in answered if status < 400),
        refused=sum(count for status, count in answered if status >= 400),
    )


ROUTES = (Route("GET", "/scim", OVERSEE, read),)
