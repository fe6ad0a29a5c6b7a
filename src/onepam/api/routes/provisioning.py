"""SCIM: tokens without their secrets, how directories fare, what their groups reach, users in trouble, and the word on
accounts that a directory ended or would lead. A directory is let in, and shut out, in the console."""

from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, MaybeMoment, Moment, Reason
from onepam.api.routes.route import Route
from onepam.app.leaving.decide_hold import decide_holds
from onepam.app.provisioning.provision_user import agree_to_takeover
from onepam.domain.access.model import ConsoleRight
from onepam.domain.provisioning.take_over import Shown
from onepam.kernel.errors import Refused
from onepam.store.read import provisioning as rows
from onepam.store.read.directory_brake import held_people, own_words, reported_leavers
from onepam.store.read.provisioned import group_uses, groups_without_directory, troubled

ADMINISTER = right(ConsoleRight.ADMINISTER)
OVERSEE = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class TokenOut(Answer):
    """A token, or a proposal of one (`approved_by` null). `oauth`: it is exchanged by client credentials. `last_used`:
    since the gateway started."""

    token: str
    provider: str
    name: str
    networks: list[str]
    domains: list[str]
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
    """A user that does not work here, or of whom something is not followed. `trouble`: no_address, disabled_here,
    end_passed, kind_differs, takeover, foreign_domain, address_not_followed or end_not_followed. `waits_for`: the
    account, made by hand, that it would lead to after an administrator's yes, to this `version` of the user."""

    user: str
    provider: str
    user_name: str
    person: str | None
    trouble: str
    waits_for: str | None
    version: int


class AgreeIn(Body):
    """What the list showed: the account that the user waits for, and the user's version."""

    person: Id
    version: int


class ScimOut(Answer):
    """All of SCIM."""

    tokens: list[TokenOut]
    directories: list[DirectoryOut]
    groups: list[GroupOut]
    unfed: list[UnfedOut]
    troubled: list[TroubledOut]


class HeldPersonOut(Answer):
    """An account that waits for an administrator's word; everything else of the person has ended. `reason`:
    last_administrator, last_administrators_group (which the directory took away) or many. `decide_by`: when it ends by
    itself, null where it does not."""

    person: str
    name: str
    hold: str
    origin: str
    reason: str
    because: str
    began: Moment
    decide_by: MaybeMoment


class ReportedOut(Answer):
    """Somebody who has left, by a directory that does not lead the account: it was made by hand, and goes on until an
    administrator ends it (`keep` says that it stays)."""

    person: str
    name: str
    origin: str
    because: str
    began: Moment


class OwnWordOut(Answer):
    """A last administrator decided on their own account: a finding."""

    person: str
    name: str
    decided: Moment


class HeldOut(Answer):
    """Who waits."""

    held: list[HeldPersonOut]
    reported: list[ReportedOut]
    own_words: list[OwnWordOut]


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
                domains=list(each.domains),
                ends=each.ends,
                proposed_by=each.proposed_by,
                approved_by=each.approved_by,
                oauth=each.oauth,
                last_used=traffic.last_used(each.token),
            )
            for each in await reader(rows.tokens, at)
        ],
        directories=[_directory(services, each) for each in await reader(rows.directories, at)],
        groups=[GroupOut.model_validate(each) for each in await reader(group_uses, at)],
        unfed=[UnfedOut(name=name, roles=list(roles)) for name, roles in await reader(groups_without_directory, at)],
        troubled=[TroubledOut.model_validate(each) for each in await reader(troubled, at)],
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


async def held(services: Services, at: AsOf) -> HeldOut:
    """Accounts whose end the brake of a directory holds, people reported to have left by a directory that does not lead
    them, and last administrators who decided on themselves."""
    return HeldOut(
        held=[HeldPersonOut.model_validate(each) for each in await services.reader(held_people, at)],
        reported=[ReportedOut.model_validate(each) for each in await services.reader(reported_leavers, at)],
        own_words=[OwnWordOut.model_validate(each) for each in await services.reader(own_words, at)],
    )


async def keep(person: Id, body: Reason, caller: Who, services: Services) -> Done:
    """Keep an account that a directory wants to end: the rights come back that it had; or say that the account of a
    reported leaver stays. Needs a fresh second factor."""
    return await _decided(person, body, caller, services, True)


async def end_held(person: Id, body: Reason, caller: Who, services: Services) -> Done:
    """End an account that a directory wants to end, or whose person it reported to have left, now."""
    return await _decided(person, body, caller, services, False)


async def agree(user: Id, body: AgreeIn, caller: Who, services: Services) -> Done:
    """Let a directory lead the account, made by hand, whose address its user has. Needs a fresh second factor; refused
    (`takeover.changed`) where the user is not what the list showed any more."""
    outcome = await agree_to_takeover(services.ledger, caller.actor, Shown(user, body.version, body.person))
    done(outcome if isinstance(outcome, Refused) else None)
    return Done()


async def _decided(person: str, body: Reason, caller: Who, services: Services, kept: bool) -> Done:
    _, refused = await decide_holds(services.ledger, caller.actor, (person,), kept, body.reason)
    done(refused)
    return Done()


ROUTES = (
    Route("GET", "/scim", OVERSEE, read),
    Route("GET", "/held", OVERSEE, held),
    Route("POST", "/held/{person}/keep", ADMINISTER, keep),
    Route("POST", "/held/{person}/end", ADMINISTER, end_held),
    Route("POST", "/scim/users/{user}/agree", ADMINISTER, agree),
)
