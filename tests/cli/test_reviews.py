"""`onepam review` from the opening to the last word."""

from onepam.cli.commands.reviews import state_of
from tests.api.office import Office
from tests.cli.conftest import NewTerminal


def test_a_review_by_the_terminal(office: Office, terminal: NewTerminal) -> None:
    ada, max_ = office.join("administrator", name="ada"), office.join("manager", name="max")
    eve = office.join("engineer", "vendor", name="eve")
    hers, his = terminal().signed_in(ada), terminal().signed_in(max_)
    assert "Nothing of a review is or was yours." in his.run("review").out
    odd = hers.run("review", "open", "--suspends", "odd", "--json")
    assert (odd.code, "review.suspends" in odd.err) == (1, True)
    opened = hers.run("review", "open", "--days", "7", "--person", eve, "--fallback", max_, "--json")
    assert opened.code == 0, opened.err
    review = opened.json["review"]
    assert opened.json["items"] == 2

    listed = hers.run("review", "show", review, "--which", "all")
    assert listed.code == 0, listed.err
    assert all(word in listed.out for word in ("engineer", "vendor", "waits", "never"))
    for role in ("engineer", "vendor"):
        passed = hers.run("review", "pass", review, eve, role, "--to", max_)
        assert "Max Example decides on it now." in passed.out, passed.err
    assert review in his.run("review").out
    for nobody, why in (("nobody at all", "review.to"), ("Eve Example", "review.cannot_decide")):
        wrong = his.run("review", "pass", review, "Eve Example", "vendor", "--to", nobody, "--json")
        assert (wrong.code, why in wrong.err) == (1, True), wrong.err
    back = his.run("review", "pass", review, "Eve Example", "vendor", "--to", "Ada Example")
    assert "Ada Example decides on it now." in back.out, back.err
    assert hers.run("review", "pass", review, eve, "vendor", "--to", "Max Example").code == 0
    not_hers = hers.run("review", "remove", review, eve, "engineer", "--json")
    assert (not_hers.code, "review.not_yours" in not_hers.err) == (1, True)
    kept = his.run("review", "keep", review, eve, "vendor", "--note", "still [b]here[/b]")
    assert (kept.code, kept.out.strip()) == (0, "Kept."), kept.err
    removed = his.run("review", "remove", review, eve, "engineer")
    assert "it gives nothing any more" in removed.out, removed.err
    words = his.run("review", "show", review).out
    assert "kept" in words
    assert "removed, given still" in words
    (row,) = [each for each in his.run("review", "--json").json["reviews"] if each["review"] == review]
    assert (row["kept"], row["removed"], row["waiting"], row["mine"]) == (1, 1, 0, 0)
    assert "This list is empty." in hers.run("review", "show", review, "--which", "nobody").out
    assert "Nothing waits that is as usual." in his.run("review", "keep-usual", review, "--yes").out
    came_to = hers.run("review", "figures", review)
    assert "1 kept, 1 removed, 0 without an answer, 1 removed and given still." in came_to.out, came_to.err
    early = hers.run("review", "sign-off", review, "--note", "seen", "--yes", "--json")
    assert (early.code, "review.runs" in early.err) == (1, True), early.err
    assert "Nothing of it waits for you." in hers.run("review", "show", review).out


def test_what_nobody_decided_on_does_not_wait_once_its_review_is_over() -> None:
    """Nor does what is not held any more."""
    silent = {"withheld": None, "verdict": None, "held": True}
    assert [state_of(silent, runs) for runs in (True, False)] == ["waits", "no answer"]
    assert state_of({**silent, "held": False}, True) == "gone meanwhile"
    assert state_of({**silent, "withheld": "silence"}, False) == "withheld: nobody answered"
