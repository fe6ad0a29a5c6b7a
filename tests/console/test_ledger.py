"""The ledger's page as an audit trail: by subject, page after page, as a sheet."""

import csv
import io
import re

import pytest

from onepam.console.history.subjects import BY_MACHINE, SUBJECTS, narrowed, subjects_of
from onepam.domain.history.event import kinds
from tests.console.browsing import Office


def test_every_kind_is_of_one_subject() -> None:
    known = [each.name for each in kinds()]
    assert {kind: subjects_of(kind) for kind in known if len(subjects_of(kind)) != 1} == {}
    assert set(known) >= BY_MACHINE
    assert {each for kind in known for each in subjects_of(kind)} == set(SUBJECTS) - {"", "all"}


def test_only_what_repeats_itself_is_left_out_and_what_nobody_knows_is_shown() -> None:
    there = ("request.made", "recording.chunks_sealed", "unheard.of")
    assert narrowed("", there) == ("request.made", "unheard.of")
    assert narrowed("all", there) == there
    assert narrowed("requests", there) == ("request.made",)


@pytest.mark.anyio
async def test_the_entries_of_a_subject_page_and_are_a_sheet(office: Office) -> None:
    for _ in range(30):
        await office.session("eve", "dev-1", "app")
    aud = await office.sign_in("aud")
    pages = [await aud.read("/ledger?of=sessions")]
    while following := re.search(r'href="(/ledger\?[^"]*after=\d+[^"]*)"', pages[-1]):
        pages.append(await aud.read(following[1].replace("&amp;", "&")))
    shown = [[int(each) for each in re.findall(r'href="/ledger\?entry=(\d+)', page)] for page in pages]
    indexes = [each for page in shown for each in page]
    assert [len(each) for each in shown] == [25, 25, 10]
    assert indexes == sorted(set(indexes), reverse=True)
    sheet = list(csv.DictReader(io.StringIO((await aud.read("/ledger?of=sessions&as=csv")).lstrip("\ufeff"))))
    assert [int(each["entry"]) for each in sheet] == indexes
    assert {each["kind"] for each in sheet} == {"session.opened", "session.closed"}
    assert "No such entries" in await aud.read("/ledger?of=directories")
    assert f"entry={indexes[0]}" in await aud.read("/ledger?of=nonsense&after=x")
