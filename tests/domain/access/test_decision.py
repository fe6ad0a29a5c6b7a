"""The decision, case by case, and against every way of losing what it rests on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.decision import AccessFacts, Because, HeldGrant, Permitted, decide, unknown
from onepam.domain.access.hours import Offset, Schedule, Weekday, Weekly
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import MAX_SESSION, Action, Mode, Permission, Recording, ResourceKind
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ENGINEER, GRANT, LATER, NOW, PROD, WEB, access

DEV_BOX = replace(WEB, resource="dev-1", labels={"env": "dev"})
SOON = Instant(NOW + 10 * MINUTE)
GRANTED = access(grants=(GRANT,))


def code(facts: AccessFacts, login: str = "root") -> str:
    outcome = decide(facts, login, NOW)
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def permitted(facts: AccessFacts, login: str = "root") -> Permitted:
    outcome = decide(facts, login, NOW)
    assert isinstance(outcome, Permitted), outcome
    return outcome


def test_a_standing_permission_opens_by_its_role_alone() -> None:
    found = permitted(replace(access(), resource=DEV_BOX), "db")
    assert found == Permitted((Action.SHELL,), Instant(NOW + HOUR), False, Because("engineer", "v1", "dev", "bnd_1"))


def test_a_grant_opens_what_was_granted_until_its_end() -> None:
    found = permitted(GRANTED)
    assert (found.actions, found.ends, found.privileged) == (PROD.actions, LATER, True)
    assert found.because == Because("engineer", "v1", "prod", "bnd_1", "", "req_1", "max", "grt_1")


@pytest.mark.parametrize(
    ("facts", "login", "refused"),
    [
        (replace(GRANTED, enabled=False), "root", "person.disabled"),
        (replace(GRANTED, ends=NOW), "root", "person.disabled"),
        (replace(GRANTED, locked=True), "root", "access.locked"),
        (replace(GRANTED, resource=None), "root", "resource.unknown"),
        (replace(GRANTED, roles=()), "root", "resource.unknown"),
        (replace(GRANTED, roles=(replace(ENGINEER, ends=NOW),)), "root", "resource.unknown"),
        (replace(GRANTED, resource=replace(WEB, labels={"env": "test"})), "root", "resource.unknown"),
        (replace(GRANTED, resource=replace(WEB, pins=())), "root", "resource.no_pin"),
        (access(), "root", "access.needs_approval"),
        (access(grants=(replace(GRANT, ends=NOW),)), "root", "access.needs_approval"),
        (access(grants=(replace(GRANT, starts=SOON),)), "root", "access.not_yet"),
        (access(grants=(replace(GRANT, starts=SOON),)), "app", "access.needs_approval"),
        (access(grants=(replace(GRANT, binding="bnd_other"),)), "root", "access.needs_approval"),
        (GRANTED, "app", "access.needs_approval"),
        (GRANTED, "db", "access.login"),
        (replace(GRANTED, resource=replace(WEB, logins=("other",))), "root", "access.login"),
        (access(replace(ENGINEER, permissions=(replace(PROD, name="other"),)), grants=(GRANT,)), "root",
         "access.needs_approval"),
        (access(replace(ENGINEER, permissions=(replace(PROD, actions=(Action.SFTP,)),)), grants=(GRANT,)), "root",
         "access.needs_approval"),
    ],
)  # fmt: skip
def test_what_stays_closed(facts: AccessFacts, login: str, refused: str) -> None:
    assert code(facts, login) == refused
    stranger = unknown(facts, NOW)
    told = refused not in ("person.disabled", "resource.unknown")
    assert (stranger is None) if told else (stranger is not None and stranger.code == refused)


def test_the_refusal_says_where_to_ask() -> None:
    outcome = decide(access(), "root", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.hint == "onepam request root@web-1, or: /?request=web-1&login=root"


def test_the_refusal_of_a_login_names_those_that_may_be_used() -> None:
    for logins, said in ((WEB.logins, "app, root"), (("other",), "none")):
        outcome = decide(replace(GRANTED, resource=replace(WEB, logins=logins)), "db", NOW)
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.hint) == ("access.login", f"Logins you may use or request there: {said}.")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (1, "in 1 s"), (SECOND, "in 1 s"), (SECOND + 1, "in 2 s"), (MINUTE - 1, "in 60 s"),
        (MINUTE, "at 11 February 1970 16:01 UTC"), (HOUR - 1, "at 11 February 1970 16:59 UTC"),
    ],
)  # fmt: skip
def test_the_refusal_says_when_an_approval_takes_effect(later: int, said: str) -> None:
    """The earliest of those that cover the login; whoever connects again after these seconds is let in."""
    coming = replace(GRANT, starts=Instant(NOW + later))
    outcome = decide(access(grants=(replace(coming, starts=LATER), coming)), "root", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.message == f"Your approval takes effect {said}."


def test_a_widened_role_does_not_widen_a_grant_and_a_narrowed_one_narrows_it() -> None:
    wide = replace(PROD, actions=(*PROD.actions, Action.SFTP))
    assert permitted(access(replace(ENGINEER, permissions=(wide,)), grants=(GRANT,))).actions == PROD.actions
    narrow = replace(PROD, actions=(Action.EXEC,))
    assert permitted(access(replace(ENGINEER, permissions=(narrow,)), grants=(GRANT,))).actions == (Action.EXEC,)


def test_of_several_ways_the_one_that_lasts_longest_is_taken() -> None:
    longer = replace(GRANT, grant="grt_2", ends=Instant(LATER + HOUR))
    assert permitted(access(grants=(longer, GRANT))).because.grant == "grt_2"
    assert permitted(access(grants=(GRANT, longer))).because.grant == "grt_2"


def test_of_ways_that_last_as_long_one_that_allows_all_is_said_alone() -> None:
    """The order of the roles is nobody's order: what lasts longest comes first, and of these what allows most."""
    part = replace(PROD, name="part", actions=(Action.SHELL,), mode=Mode.STANDING, longest=4 * HOUR)
    whole = replace(part, name="whole", actions=PROD.actions)
    brief = replace(whole, name="brief", longest=HOUR, actions=(*PROD.actions, Action.SFTP))
    files = replace(part, name="files", actions=(Action.SFTP,))
    for ways, said, ends in (
        ((part, whole), ["whole"], 4 * HOUR),
        ((whole, part), ["whole"], 4 * HOUR),
        ((brief, part), ["brief"], HOUR),
        ((replace(brief, actions=(Action.EXEC,)), part), ["part", "brief"], HOUR),
        ((part, whole, files), ["whole", "files"], 4 * HOUR),
    ):
        found = permitted(access(replace(ENGINEER, permissions=ways)))
        assert [each.permission for each in found.rests_on()] == said
        assert found.ends == NOW + ends


@given(
    st.integers(1, 100 * HOUR),
    st.none() | st.integers(1, 100 * HOUR),
    st.none() | st.integers(1, 100 * HOUR),
    st.sampled_from(Mode),
    st.integers(1, 100 * HOUR),
)
def test_no_end_is_ever_passed(
    longest: int, person_left: int | None, binding_left: int | None, mode: Mode, grant_left: int
) -> None:
    ends = [Instant(NOW + left) if left is not None else None for left in (person_left, binding_left)]
    held = replace(ENGINEER, permissions=(replace(PROD, mode=mode, longest=longest),), ends=ends[1])
    facts = replace(access(held, grants=(replace(GRANT, ends=Instant(NOW + grant_left)),)), ends=ends[0])
    found = permitted(facts)
    limit = longest if mode is Mode.STANDING else grant_left
    assert found.ends == min([NOW + limit, NOW + MAX_SESSION, *(end for end in ends if end is not None)])
    assert (found.because.grant == "") == (mode is Mode.STANDING)


BRIEF = replace(GRANT, grant="grt_2", substance=replace(GRANT.substance, actions=(Action.EXEC,)))
LASTING = replace(BRIEF, ends=Instant(LATER + HOUR))


def test_a_running_session_goes_on_under_whatever_allows_all_that_it_needs() -> None:
    facts = access(grants=(GRANT, LASTING))
    for needed, grant, ends in ((PROD.actions, "grt_1", LATER), ((Action.EXEC,), "grt_2", LASTING.ends)):
        found = decide(facts, "root", NOW, needed)
        assert isinstance(found, Permitted)
        assert (found.because.grant, found.also, found.ends) == (grant, (), ends)
    narrowed = decide(access(grants=(LASTING,)), "root", NOW, PROD.actions)
    assert isinstance(narrowed, Refused)
    assert narrowed.code == "access.narrowed"


def test_what_lasts_longer_and_allows_less_hides_nothing() -> None:
    files = replace(PROD, name="files", actions=(Action.SFTP,), mode=Mode.STANDING, longest=4 * HOUR)
    shell = replace(PROD, name="shell", actions=(Action.SHELL,), mode=Mode.STANDING, administrative=True)
    found = permitted(access(replace(ENGINEER, permissions=(PROD, files)), grants=(GRANT,)))
    assert found.actions == (Action.SHELL, Action.EXEC, Action.SFTP)
    assert (found.ends, found.privileged, found.administrative) == (LATER, True, False)
    assert [each.permission for each in found.rests_on()] == ["files", "prod"]
    alone = permitted(access(replace(ENGINEER, permissions=(PROD, shell)), grants=(replace(GRANT, grant="grt_3"),)))
    assert (alone.because.grant, alone.also, alone.administrative) == ("grt_3", (), False)  # one chain says it all
    both = permitted(access(replace(ENGINEER, permissions=(files, shell))))
    assert (both.administrative, [each.permission for each in both.rests_on()]) == (True, ["files", "shell"])


@pytest.mark.parametrize(
    ("env", "said", "kept"),
    [
        ("prod", (None,), Recording.WHOLE),
        ("dev", (None,), Recording.HEAD_TAIL),
        ("prod", (Recording.HEAD_TAIL,), Recording.HEAD_TAIL),
        ("dev", (Recording.WHOLE,), Recording.WHOLE),
        ("prod", (Recording.HEAD_TAIL, None), Recording.WHOLE),
        ("dev", (Recording.HEAD_TAIL, None), Recording.HEAD_TAIL),
        ("dev", (Recording.HEAD_TAIL, Recording.WHOLE), Recording.WHOLE),
        ("prod", (Recording.HEAD_TAIL, Recording.HEAD_TAIL), Recording.HEAD_TAIL),
    ],
)
def test_how_much_of_commands_is_kept(env: str, said: tuple[Recording | None, ...], kept: Recording) -> None:
    """All of what is privileged unless every permission for commands that the session rests on says less."""
    others = ((Action.EXEC, Action.SHELL), (Action.EXEC, Action.SFTP))
    ways = tuple(
        replace(
            PROD, name=f"way-{number}", actions=others[number], where={"env": env}, mode=Mode.STANDING, recording=each
        )
        for number, each in enumerate(said)
    )
    facts = access(replace(ENGINEER, permissions=ways))
    assert facts.resource is not None
    facts = replace(facts, resource=replace(facts.resource, labels={"env": env}))
    assert permitted(facts).kept is kept


STANDING = st.builds(
    replace,
    st.just(PROD),
    name=st.sampled_from(("one", "two", "three")),
    actions=st.lists(st.sampled_from(KINDS[ResourceKind.SSH].actions), min_size=1, unique=True).map(tuple),
    mode=st.just(Mode.STANDING),
    longest=st.integers(1, 13 * HOUR),
    administrative=st.booleans(),
)
GRANTS = st.builds(
    lambda name, actions, left: replace(
        GRANT, grant=name, ends=Instant(NOW + left), substance=replace(GRANT.substance, actions=actions)
    ),
    st.sampled_from(("grt_1", "grt_2", "grt_3")),
    st.lists(st.sampled_from(PROD.actions), unique=True).map(tuple),
    st.integers(1, 13 * HOUR),
)


@given(
    st.lists(STANDING, max_size=3),
    st.lists(GRANTS, max_size=3),
    st.integers(0, 13 * HOUR),
    st.lists(st.sampled_from(KINDS[ResourceKind.SSH].actions), unique=True).map(tuple),
)
def test_together_they_allow_what_each_allows_and_no_longer(
    standing: list[Permission], grants: list[HeldGrant], after: int, needed: tuple[Action, ...]
) -> None:
    """At the opening all that any of them allows; until the end nothing that none of them allows at that instant."""
    ways = [(each.actions, NOW + min(each.longest, MAX_SESSION), each.administrative) for each in standing]
    ways += [(each.substance.actions, min(each.ends, NOW + MAX_SESSION), False) for each in grants]
    ways = [way for way in ways if way[0]]
    found = decide(access(replace(ENGINEER, permissions=(PROD, *standing)), grants=tuple(grants)), "root", NOW)
    if not ways:
        assert isinstance(found, Refused)
        return
    assert isinstance(found, Permitted)
    assert set(found.actions) == {action for actions, _, _ in ways for action in actions}
    then = min(NOW + after, found.ends - 1)
    for action in found.actions:
        assert any(action in actions and ends > then for actions, ends, _ in ways)
    assert found.ends == min(max(ends for actions, ends, _ in ways if action in actions) for action in found.actions)
    assert not found.administrative or any(each for _, _, each in ways)
    again = decide(access(replace(ENGINEER, permissions=(PROD, *standing)), grants=tuple(grants)), "root", NOW, needed)
    assert isinstance(again, Permitted) == (set(needed) <= set(found.actions))
    assert not isinstance(again, Permitted) or (set(needed) <= set(again.actions) and again.ends >= found.ends)


MORNING = Weekly((Weekday.WED,), 16 * 60, 20 * 60, "UTC", (Offset(Instant(0), 0),))
"""Now is a Wednesday in 1970, at four in the afternoon."""


def within(hours: Weekly, ends: Instant) -> AccessFacts:
    """Eve's grant is for these hours only."""
    weekly = replace(GRANT, ends=ends, substance=replace(GRANT.substance, schedule=Schedule(None, hours)))
    return access(grants=(weekly,))


def test_access_within_weekly_hours_ends_with_them() -> None:
    week = Instant(NOW + 8 * DAY)
    assert permitted(within(MORNING, week)).ends == NOW + 4 * HOUR
    assert permitted(within(MORNING, Instant(NOW + HOUR))).ends == NOW + HOUR
    evening = replace(MORNING, opens=17 * 60)
    outcome = decide(within(evening, week), "root", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "access.outside_hours"
    assert outcome.message == "Your access is for Wed 17:00-20:00 UTC."
    assert outcome.hint == "Next from 11 February 1970 17:00 UTC."


def test_hours_that_do_not_begin_again_are_told_so() -> None:
    evening = replace(MORNING, opens=17 * 60)
    for hours, ends in ((evening, Instant(NOW + HOUR)), (replace(evening, days=()), LATER)):
        outcome = decide(within(hours, ends), "root", NOW)
        assert isinstance(outcome, Refused)
        assert outcome.hint == "They do not begin again."
