"""What a receiver is told next: folded, in order, once; given up after two days; known again after a crash."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.history.commit import Decided
from onepam.domain.telling.outbox import (
    ALARMS,
    FEWEST_TRIES,
    FOLDED,
    GIVEN_UP,
    LONGEST_PAUSE,
    REQUESTS,
    SETTLING,
    SHORTEST_PAUSE,
    SHORTLY,
    TOGETHER,
    Channel,
    Notice,
    NoticeFailed,
    NoticeSent,
    Occurrence,
    ReceiverEnded,
    ReceiverFacts,
    ReceiverFailing,
    ReceiverSet,
    ReceiversFacts,
    Told,
    chat_for,
    digest_of,
    failed,
    mail_to,
    next_notice,
    pause,
    person_of,
    sent,
    set_receivers,
    subject_of,
)
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_000 * DAY)
DOWN = Refused("mail.down", "It is down.")
NEW = ReceiverFacts(None, {})


def happened(index: int, after: int, alike: str = "a") -> Occurrence:
    return Occurrence(index, Instant(NOW + after), "x.y", alike, f"It happened at {index}.", "/x", True)


def told(waiting: list[Occurrence], after: int, known: dict[str, Told] | None = None) -> Notice | None:
    return next_notice("r", waiting, known or {}, Instant(NOW + after))


def test_the_first_is_told_as_soon_as_what_one_command_wrote_is_there() -> None:
    together = [happened(1, 0), happened(2, 1), happened(3, TOGETHER)]
    assert told(together, TOGETHER + SETTLING - 1) is None
    assert told(together, TOGETHER + SETTLING) == Notice("r", 1, NOW, 2, together[1])


def test_what_follows_within_the_hour_is_one_notice_at_its_end() -> None:
    known = {"a": Told(NOW, 1)}
    later = [happened(1, 0), happened(2, MINUTE), happened(3, HOUR), happened(4, MINUTE + FOLDED)]
    assert told(later, MINUTE + FOLDED + SETTLING - 1, known) is None
    folded = told(later, MINUTE + FOLDED + SETTLING, known)
    assert folded == Notice("r", 2, Instant(NOW + MINUTE), 2, later[2])
    assert folded.sentence == "It happened at 3. (2 alike.)"
    known = {"a": Told(folded.first_at, 3)}
    assert told(later, 3 * HOUR, known) == Notice("r", 4, later[3].at, 1, later[3])
    assert told([happened(9, FOLDED)], FOLDED + TOGETHER + SETTLING, {"a": Told(NOW, 1)}) is not None


def test_the_oldest_that_is_due_comes_first() -> None:
    waiting = [happened(1, 0, "a"), happened(2, 0, "b")]
    assert told(waiting, HOUR) == Notice("r", 1, NOW, 1, waiting[0])
    assert told(waiting, HOUR, {"a": Told(NOW, 1)}) == Notice("r", 2, NOW, 1, waiting[1])
    held = {"a": Told(Instant(NOW - MINUTE), 0)}
    assert told(waiting, MINUTE, held) == Notice("r", 2, NOW, 1, waiting[1])
    assert told([], HOUR) is None


def test_a_repeat_is_known_by_its_id() -> None:
    one = Notice("r", 1, NOW, 1, happened(1, 0))
    assert one.id == Notice("r", 1, NOW, 1, happened(1, 0)).id
    assert one.sentence == "It happened at 1."
    others = {
        Notice("s", 1, NOW, 1, happened(1, 0)).id,
        Notice("r", 1, NOW, 2, happened(2, 0)).id,
        Notice("r", 1, NOW, 1, happened(1, 0, "b")).id,
    }
    assert len(others - {one.id}) == 3


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause(failures) for failures in (1, 2, 3)] == [SHORTEST_PAUSE, 2 * SHORTEST_PAUSE, 4 * SHORTEST_PAUSE]
    assert pause(10) < LONGEST_PAUSE == pause(11) == pause(10_000)


def test_a_delivery_is_an_entry_once() -> None:
    notice = Notice("r", 7, NOW, 2, happened(9, 0))
    done = sent(NEW, [notice], notice.id, Channel.SYSLOG)
    assert isinstance(done, Decided)
    assert done.events == (NoticeSent(notice.id, "r", Channel.SYSLOG, "x.y", "a", 7, 9, 2),)
    assert isinstance(sent(ReceiverFacts(None, {"a": Told(NOW, 6)}), [notice], notice.id, Channel.SYSLOG), Decided)
    for last in (7, 9):
        again = ReceiverFacts(None, {"a": Told(NOW, last)})
        refused = sent(again, [notice], notice.id, Channel.SYSLOG)
        assert isinstance(refused, Refused)
        assert refused.code == "notice.settled"
        assert failed(again, [notice], notice.id, Channel.SYSLOG, DOWN, 1, NOW) == refused


def test_of_a_digest_each_notice_is_an_entry_under_one_id_and_what_was_settled_is_not_settled_twice() -> None:
    slot = Instant(NOW + DAY)
    waiting = [happened(1, 0, "a"), happened(2, 0, "b"), happened(3, HOUR, "a"), happened(4, HOUR, "c")]
    digest = digest_of("mail:eve", waiting, {"c": Told(NOW, 4)}, slot)
    assert digest is not None
    assert [(each.first, each.newest.index, each.count) for each in digest.notices] == [(1, 3, 2), (2, 2, 1)]
    assert digest.id == f"digest-{slot // SECOND}-{digest.id.rpartition('-')[2]}"
    others = (("mail:ada", slot), ("mail:eve", Instant(slot + DAY)))
    assert digest.id not in {each.id for to, at in others if (each := digest_of(to, waiting, {}, at)) is not None}
    assert digest_of("mail:eve", waiting[3:], {"c": Told(NOW, 4)}, slot) is None
    done = sent(ReceiverFacts(None, {"b": Told(NOW, 2)}), digest.notices, digest.id, Channel.MAIL)
    assert isinstance(done, Decided)
    assert done.events == (NoticeSent(digest.id, "mail:eve", Channel.MAIL, "x.y", "a", 1, 3, 2),)
    over = failed(ReceiverFacts(NOW, {}), digest.notices, digest.id, Channel.MAIL, DOWN, 99, Instant(NOW + 3 * DAY))
    assert isinstance(over, Decided)
    assert [type(each) for each in over.events] == [NoticeFailed, NoticeFailed]
    early = failed(ReceiverFacts(NOW, {}), digest.notices, digest.id, Channel.MAIL, DOWN, 99, Instant(NOW + GIVEN_UP))
    assert early == Decided((), False), "the newest of it has been due for less"


def test_what_may_be_undone_is_told_once_it_cannot_and_what_is_waited_for_folds_shortly() -> None:
    undoable = replace(happened(1, 0), settles=10 * SECOND)
    assert told([undoable], 10 * SECOND + SETTLING - 1) is None
    assert told([undoable], 10 * SECOND + SETTLING) is not None
    next_one = replace(happened(2, 2 * MINUTE), folded=SHORTLY)
    known = {"a": Told(NOW, 1)}
    assert told([next_one], 2 * MINUTE + SHORTLY + SETTLING - 1, known) is None
    assert told([next_one], 2 * MINUTE + SHORTLY + SETTLING, known) is not None


def test_a_chat_is_a_receiver_for_each_thing_that_it_is_told_of() -> None:
    assert subject_of(chat_for("ops", ALARMS)) == ALARMS
    assert subject_of(chat_for("ops", REQUESTS)) == REQUESTS
    assert subject_of("siem") == subject_of(mail_to("per_1")) == ""


def test_the_first_failure_is_an_entry_and_the_last_one_after_two_days() -> None:
    notice = Notice("r", 7, NOW, 1, happened(7, 0))
    begun = failed(NEW, [notice], notice.id, Channel.MAIL, DOWN, 1, NOW)
    assert begun == Decided((ReceiverFailing("r", Channel.MAIL, "mail.down"),), False)
    failing = ReceiverFacts(Instant(NOW - DAY), {})
    for tries, after, over in (
        (FEWEST_TRIES, GIVEN_UP - 1, False),
        (FEWEST_TRIES - 1, GIVEN_UP, False),
        (FEWEST_TRIES, GIVEN_UP, True),
    ):
        done = failed(failing, [notice], notice.id, Channel.MAIL, DOWN, tries, Instant(NOW + after))
        assert isinstance(done, Decided)
        assert done.result is over
        assert done.events == ((NoticeFailed(notice.id, "r", Channel.MAIL, "x.y", "a", 7, 7, 1, "mail.down"),) * over)
    since = failed(
        ReceiverFacts(Instant(NOW + SECOND), {}), [notice], notice.id, Channel.MAIL, DOWN, 99, Instant(NOW + GIVEN_UP)
    )
    assert isinstance(since, Decided)
    assert not since.result


def test_an_address_that_does_not_exist_is_given_up_at_once() -> None:
    notice = Notice("r", 7, NOW, 1, happened(7, 0))
    done = failed(NEW, [notice], notice.id, Channel.MAIL, Refused("mail.recipient", "No such address."), 1, NOW)
    assert isinstance(done, Decided)
    assert done.result
    assert [type(each) for each in done.events] == [ReceiverFailing, NoticeFailed]


def test_receivers_follow_the_configuration() -> None:
    kept = {"a": Channel.MAIL, "b": Channel.SYSLOG}
    assert set_receivers(ReceiversFacts(kept), kept).events == ()
    changed = set_receivers(ReceiversFacts(kept), {"b": Channel.WEBHOOK, "c": Channel.SYSLOG})
    assert changed.events == (
        ReceiverEnded("a"),
        ReceiverEnded("b"),
        ReceiverSet("b", Channel.WEBHOOK),
        ReceiverSet("c", Channel.SYSLOG),
    )


def test_a_person_is_a_receiver_by_mail() -> None:
    assert person_of(mail_to("per_1")) == "per_1"
    assert person_of("security") == person_of("siem:1") == ""


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=30),
    st.lists(st.integers(1, 30), max_size=10),
)
def test_each_is_told_once_whenever_the_outbox_looks(minutes: list[tuple[int, str]], pauses: list[int]) -> None:
    """Whenever rounds happen, every entry is in exactly one notice, and those alike come in their order."""
    times = sorted(minute for minute, _ in minutes)
    all_of_them = [
        happened(index, at * 5 * MINUTE + index, alike)
        for index, (at, (_, alike)) in enumerate(zip(times, minutes, strict=True))
    ]
    known: dict[str, Told] = {}
    taken: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    counted = now = 0
    for step in [*pauses, 24 * 60, 24 * 60]:
        now += step * MINUTE
        waiting = [each for each in all_of_them if each.at <= NOW + now]
        while (notice := told(waiting, now, known)) is not None:
            alike = notice.newest.alike
            taken[alike] += [
                each.index
                for each in waiting
                if each.alike == alike and notice.first <= each.index <= notice.newest.index
            ]
            counted += notice.count
            known[alike] = Told(notice.first_at, notice.newest.index)
    assert counted == len(all_of_them)
    assert taken == {alike: [each.index for each in all_of_them if each.alike == alike] for alike in "abc"}
