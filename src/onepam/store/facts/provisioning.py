"""What decisions on a directory's tokens, users and groups look at."""

import json
from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.provisioning.provision_group import ScimGroupQuery
from onepam.app.provisioning.provision_user import ScimUserQuery, TakeoverQuery
from onepam.app.provisioning.scim_token import ScimTokenQuery
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.leaving.brake import NO_BRAKE
from onepam.domain.leaving.group_brake import GroupBrake
from onepam.domain.leaving.leaving import Held
from onepam.domain.people.events import DIRECTORY_GROUP
from onepam.domain.provisioning.events import ScimUserSet, name_key
from onepam.domain.provisioning.groups import Group, GroupFacts, Member
from onepam.domain.provisioning.take_over import TakeoverFacts
from onepam.domain.provisioning.tokens import Token, TokenFacts
from onepam.domain.provisioning.users import TAKEOVER, Known, User, UserFacts, origin
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import administers, administrators, brake_facts, person_hold, reported_by
from onepam.store.facts.holdings import actor_facts, bound_roles
from onepam.store.facts.people import directory_memberships, held, is_erased, person_facts
from onepam.store.facts.proposals import proposal_of

NOBODY = Held()
NO_GROUP_BRAKE = GroupBrake()

_MEMBERS = """
SELECT u.scim_user, u.active, p.person, p.enabled, m.scim_user IS NOT NULL AS is_member
FROM json_each(:users) n CROSS JOIN scim_user u
LEFT JOIN person p ON p.person = u.person AND p.valid_from <= :at AND :at < p.valid_until
LEFT JOIN scim_member m ON m.scim_group = :group AND m.scim_user = u.scim_user
  AND m.valid_from <= :at AND :at < m.valid_until
WHERE u.scim_user = n.value AND u.valid_from <= :at AND :at < u.valid_until AND u.provider || '' = :provider
"""


@loads(ScimTokenQuery)
def scim_token(db: Snapshot, query: ScimTokenQuery, at: Instant) -> TokenFacts:
    count = row(db, f"SELECT count(*) FROM scim_token WHERE {AT}", {"at": at})
    return TokenFacts(
        actor=actor_facts(db, query.actor, at),
        token=token_of(db, query.token, at),
        count=count[0] if count else 0,
        proposal=proposal_of(db, ProposalKind.SCIM_TOKEN, query.token, at),
    )


def token_of(db: Snapshot, token: str, at: Instant) -> Token | None:
    """The token as of `at`, or None."""
    found = row(db, f"SELECT * FROM scim_token WHERE token = :token AND {AT}", {"token": token, "at": at})
    if found is None:
        return None
    return Token(
        found["token"],
        found["provider"],
        found["approved_by"] is not None,
        found["ends"],
        tuple(json.loads(found["domains"])),
    )


@loads(ScimUserQuery)
def scim_user(db: Snapshot, query: ScimUserQuery, at: Instant) -> UserFacts:
    token = token_of(db, query.token, at)
    provider = token.provider if token else ""
    found = _user(db, query.user, provider, at)
    person = found["person"] if found and not _was_erased(db, found["person"], at) else None
    namesake = _namesake(db, query.email, person, at)
    scim_groups = _groups_of(db, query.user, at) if found else []
    who = person or (namesake.facts.person if namesake else None)
    return UserFacts(
        token=token,
        user=User(found["scim_user"], person, bool(found["active"]), found["version"]) if found else None,
        user_name_taken=_taken(db, "scim_user", "scim_user", "user_key", query.user_name, query.user, provider, at),
        person=_known(db, person, at),
        namesake=namesake,
        namesake_held=namesake is not None and _is_led_to(db, namesake.facts.person, query.user, provider, at),
        manager=person_facts(db, manager, at) if (manager := _leads_to(db, query.manager, provider, at)) else None,
        held=held(db, person, at) if person and query.leaving else NOBODY,
        left_by=_left_by(db, person, at),
        groups=tuple(DIRECTORY_GROUP + name for _, name in scim_groups),
        scim_groups=tuple(group for group, _ in scim_groups),
        member_of=_member_of(db, who, provider, at),
        elsewhere=_elsewhere(db, person, provider, at),
        hold=person_hold(db, who, at) if who else None,
        agreed=namesake is not None and _agreed(db, namesake.facts.person, provider, at),
        brake=brake_facts(db, origin(provider), at) if who and (query.leaving or query.ends) else NO_BRAKE,
        awaited=_awaited(db, found, at) if found else None,
        trusted=who is not None and query.email is not None and _trusted(db, who, at),
        reported=reported_by(db, origin(provider), query.user, who, at),
        led_to_erased=found is not None and _was_erased(db, _led_to(db, query.user, at), at),
    )


@loads(TakeoverQuery)
def takeover(db: Snapshot, query: TakeoverQuery, at: Instant) -> TakeoverFacts:
    found = row(db, f"SELECT * FROM scim_user WHERE scim_user = :user AND {AT}", {"user": query.user, "at": at})
    provider = found["provider"] if found else ""
    namesake = _known(db, found["waits_for"], at) if found else None
    return TakeoverFacts(
        actor=actor_facts(db, query.actor, at),
        user=None
        if found is None
        else ScimUserSet(
            user=found["scim_user"],
            provider=provider,
            person=found["person"],
            active=bool(found["active"]),
            version=found["version"],
            trouble=found["trouble"],
            token="",
            user_name=found["user_name"],
            external_id=found["external_id"],
            document=found["document"],
        ),
        namesake=namesake,
        led_to=namesake is not None and _is_led_to(db, namesake.facts.person, query.user, provider, at),
        groups=tuple(DIRECTORY_GROUP + name for _, name in _groups_of(db, query.user, at)),
    )


@loads(ScimGroupQuery)
def scim_group(db: Snapshot, query: ScimGroupQuery, at: Instant) -> GroupFacts:
    token = token_of(db, query.token, at)
    provider = token.provider if token else ""
    found = row(
        db,
        f"SELECT * FROM scim_group WHERE scim_group = :group AND provider = :provider AND {AT}",
        {"group": query.group, "provider": provider, "at": at},
    )
    users = set(query.users)
    if query.all_members and found:
        members = rows(
            db, f"SELECT scim_user FROM scim_member WHERE scim_group = :g AND {AT}", {"g": query.group, "at": at}
        )
        users.update(each[0] for each in members)
    name = found["name"] if found else ""
    touched = _members(db, query.group, users, provider, {name, query.name} - {""}, at)
    return GroupFacts(
        token=token,
        group=Group(query.group, name, found["version"]) if found else None,
        name_taken=_taken(db, "scim_group", "scim_group", "name_key", query.name, query.group, provider, at),
        members=touched,
        bindings=_bindings(db, name, at) if query.all_members and found else (),
        brake=_group_brake(db, name, query.name, [each.person for each in touched.values()], provider, at),
    )


def _group_brake(
    db: Snapshot, name: str, new: str, members: list[str | None], provider: str, at: Instant
) -> GroupBrake:
    """Of these members, where the group administers by its present name or by its new one."""
    group, ours = DIRECTORY_GROUP + name, origin(provider)
    onward = bool(new) and administers(db, DIRECTORY_GROUP + new, at)
    if not onward and not administers(db, group, at):
        return NO_GROUP_BRAKE
    people = {each for each in members if each is not None}
    resting = people & (administrators(db, at) - administrators(db, at, (group, ours)))
    brake = brake_facts(db, ours, at) if resting else NO_BRAKE
    may_wait = not brake.staying - resting  # else somebody goes on administering whatever ends
    return GroupBrake(
        resting={each: held(db, each, at) if may_wait else NOBODY for each in resting},
        onward=onward,
        holds={each: found for each in people if (found := person_hold(db, each, at)) is not None},
        brake=brake,
    )


def _members(
    db: Snapshot, group: str, users: set[str], provider: str, names: set[str], at: Instant
) -> dict[str, Member]:
    values = {"users": json.dumps(sorted(users)), "provider": provider, "group": group, "at": at}
    found = rows(db, _MEMBERS, values) if users else []
    people = [each["person"] for each in found if each["person"] is not None]
    in_effect: dict[str, set[str]] = {}
    for name in names:
        grp = DIRECTORY_GROUP + name
        for person in _fed(db, grp, people, provider, at):
            in_effect.setdefault(person, set()).add(grp)
    return {
        each["scim_user"]: Member(
            user=each["scim_user"],
            person=each["person"] if each["active"] and each["enabled"] else None,
            is_member=bool(each["is_member"]),
            in_effect=frozenset(in_effect.get(each["person"], ())),
        )
        for each in found
    }


def _fed(db: Snapshot, grp: str, people: list[str], provider: str, at: Instant) -> list[str]:
    """Who of these the provider has made a member."""
    found = rows(
        db,
        "SELECT m.person FROM json_each(:people) n JOIN group_member m ON m.grp = :grp AND m.person = n.value "
        "AND m.source = :source WHERE m.valid_from <= :at AND :at < m.valid_until",
        {"people": json.dumps(people), "grp": grp, "source": origin(provider), "at": at},
    )
    return [each[0] for each in found]


def _user(db: Snapshot, user: str, provider: str, at: Instant) -> Any:
    return row(
        db,
        f"SELECT * FROM scim_user WHERE scim_user = :user AND provider = :provider AND {AT}",
        {"user": user, "provider": provider, "at": at},
    )


def _known(db: Snapshot, person: str | None, at: Instant) -> Known | None:
    facts = person_facts(db, person, at) if person else None
    if facts is None:
        return None
    found: Any = row(
        db, f"SELECT manager, name, origin FROM person WHERE person = :p AND {AT}", {"p": person, "at": at}
    )
    return Known(facts, found["manager"], found["name"], found["origin"])


def _led_to(db: Snapshot, user: str, at: Instant) -> str | None:
    """Whom the user led to last."""
    led = "SELECT person FROM scim_user WHERE scim_user = :user AND person IS NOT NULL AND valid_from <= :at"
    found = row(db, f"{led} ORDER BY valid_from DESC LIMIT 1", {"user": user, "at": at})
    return found["person"] if found else None


def _was_erased(db: Snapshot, person: str | None, at: Instant) -> bool:
    """A user whose person was erased leads to nobody: whoever comes by it again is somebody new."""
    return person is not None and is_erased(db, person, at)


def _awaited(db: Snapshot, user: Any, at: Instant) -> str | None:
    """Whose account, made by hand, an active user waits for, while it works."""
    if not user["active"] or user["trouble"] != TAKEOVER:
        return None
    facts = person_facts(db, user["waits_for"], at)
    return facts.person if facts is not None and facts.enabled else None


def _trusted(db: Snapshot, person: str, at: Instant) -> bool:
    """Whether the person administers, or holds a role of their own; what a review withholds of it may come back."""
    of = {"person": person, "at": at}
    own = row(db, f"SELECT 1 FROM binding WHERE subject = :person AND subject_kind = 'person' AND {AT} LIMIT 1", of)
    return own is not None or any(ConsoleRight.ADMINISTER in each.console for each in bound_roles(db, person, at))


def _agreed(db: Snapshot, person: str, provider: str, at: Instant) -> bool:
    """Whether an administrator let the provider take this account over."""
    of = {"person": person, "provider": provider, "at": at}
    return row(db, f"SELECT 1 FROM takeover WHERE person = :person AND provider = :provider AND {AT}", of) is not None


def _namesake(db: Snapshot, email: str | None, person: str | None, at: Instant) -> Known | None:
    if email is None:
        return None
    found = row(
        db,
        f"SELECT person FROM person WHERE email = :email AND person <> :person AND enabled = 1 AND {AT} LIMIT 1",
        {"email": email, "person": person or "", "at": at},
    )
    return _known(db, found["person"], at) if found else None


def _is_led_to(db: Snapshot, person: str, user: str, provider: str, at: Instant) -> bool:
    return (
        row(
            db,
            f"SELECT 1 FROM scim_user WHERE person = :person AND provider = :provider AND scim_user <> :user AND {AT}",
            {"person": person, "provider": provider, "user": user, "at": at},
        )
        is not None
    )


def _leads_to(db: Snapshot, user: str, provider: str, at: Instant) -> str | None:
    found = _user(db, user, provider, at) if user else None
    return found["person"] if found else None


def _left_by(db: Snapshot, person: str | None, at: Instant) -> str | None:
    found = row(db, f"SELECT origin FROM leaver WHERE person = :p AND {AT}", {"p": person, "at": at})
    return found["origin"] if found else None


def _groups_of(db: Snapshot, user: str, at: Instant) -> list[tuple[str, str]]:
    found = rows(
        db,
        "SELECT g.scim_group, g.name FROM scim_member m JOIN scim_group g ON g.scim_group = m.scim_group "
        "AND g.valid_from <= :at AND :at < g.valid_until "
        "WHERE m.scim_user = :user AND m.valid_from <= :at AND :at < m.valid_until ORDER BY 1",
        {"user": user, "at": at},
    )
    return [(each[0], each[1]) for each in found]


def _member_of(db: Snapshot, person: str | None, provider: str, at: Instant) -> frozenset[str]:
    if person is None:
        return frozenset()
    values = {"p": person, "source": origin(provider), "at": at}
    found = rows(db, f"SELECT grp FROM group_member WHERE person = :p AND source = :source AND {AT}", values)
    return frozenset(each[0] for each in found)


def _elsewhere(db: Snapshot, person: str | None, provider: str, at: Instant) -> tuple[tuple[str, str], ...]:
    told = directory_memberships(db, person, at) if person else ()
    return tuple(each for each in told if each[1] != origin(provider))


def _bindings(db: Snapshot, name: str, at: Instant) -> tuple[str, ...]:
    found = rows(
        db,
        f"SELECT binding FROM binding WHERE subject = :subject AND subject_kind = 'group' AND {AT} ORDER BY 1",
        {"subject": DIRECTORY_GROUP + name, "at": at},
    )
    return tuple(each[0] for each in found)


def _taken(db: Snapshot, table: str, key: str, column: str, name: str, own: str, provider: str, at: Instant) -> bool:
    if not name:
        return False
    values = {"provider": provider, "name": name_key(name), "own": own, "at": at}
    sql = f"SELECT 1 FROM {table} WHERE provider = :provider AND {column} = :name AND {key} <> :own AND {AT} LIMIT 1"
    return row(db, sql, values) is not None
