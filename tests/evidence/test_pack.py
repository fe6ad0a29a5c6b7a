"""The writer: the same input gives the same bytes, and what contradicts itself is not written."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.evidence.envelope import Exclusion, Filter, Period, Source, System
from onepam.evidence.pack import Disclosed, PackInput, checkpoint_name, write_pack
from onepam.evidence.report import Column, Report, Row
from onepam.evidence.verifier.tabular import csv_row
from onepam.evidence.verifiers import verifier
from onepam.kernel.clock import Instant
from onepam.kernel.text import harmless
from tests.evidence.company import LOG, ORIGIN, PART, History, pack_input, written
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import unzip


def test_the_same_input_gives_the_same_bytes(company: History, honest: bytes) -> None:
    assert written(pack_input(company)) == honest


def test_order_of_reports_does_not_matter(company: History, honest: bytes) -> None:
    pack = pack_input(company)
    assert written(replace(pack, reports=list(reversed(pack.reports)))) == honest


def test_the_result_names_the_manifest(company: History) -> None:
    out = BytesIO()
    digest = write_pack(pack_input(company), out)
    assert digest == sha256(unzip(out.getvalue())["manifest.json"]).hexdigest()


def test_no_member_expands_beyond_what_verifiers_accept(company: History, check: Check) -> None:
    """Thousands of equal rows deflate a thousandfold; such a member is stored."""
    pack = pack_input(company)
    access = next(p for p in pack.reports if p.report.name == "access")
    rows = [access.report.rows[0]] * 20_000
    report = replace(access.report, rows=rows)
    envelope = replace(access.envelope, filters=[Filter("all", len(rows), len(rows))])
    others = [p for p in pack.reports if p is not access]
    data = written(replace(pack, reports=[*others, replace(access, report=report, envelope=envelope)]))
    with ZipFile(BytesIO(data)) as archive:
        assert all(info.file_size <= 200 * info.compress_size for info in archive.infolist())
    assert check(data, *KEYS)[0] == PART


def test_a_pack_without_reports_proves_the_range(company: History, check: Check) -> None:
    certified = [each for each in pack_input(company).disclosed if each.index == 16]
    bare = replace(pack_input(company), reports=(), disclosed=certified, payloads=())
    code, result = check(written(bare), *KEYS)
    assert code == PART
    assert any("no reports" in line for line in check(written(bare), *KEYS)[1]["about"])
    assert any("entries 0 to 317 are whole" in line for line in result["proved"])


def test_the_pack_carries_the_verifier_and_says_not_to_trust_it(honest: bytes) -> None:
    files = unzip(honest)
    assert files["verify.py"] == verifier()
    assert b"do not run it unless its SHA-256 is the published one" in files["README.txt"]


def test_checkpoint_name(company: History) -> None:
    name = checkpoint_name(company.checkpoint())
    assert name.startswith(f"{ORIGIN}@318 ")
    assert LOG.name not in name.removeprefix(ORIGIN)


def _envelope_of_another_range(pack: PackInput) -> PackInput:
    first = pack.reports[0]
    other = replace(first.envelope, source=Source(0, 5, first.envelope.source.checkpoint))
    return replace(pack, reports=[replace(first, envelope=other)])


def _envelope_of_another_system(pack: PackInput) -> PackInput:
    return replace(pack, system=System("other", "0", "test"))


def _counts_that_do_not_add_up(pack: PackInput) -> PackInput:
    first = pack.reports[0]
    return replace(pack, reports=[replace(first, envelope=replace(first.envelope, filters=[Filter("x", 9, 9)]))])


def _rows_lost(pack: PackInput) -> PackInput:
    first = pack.reports[0]
    count = len(first.report.rows)
    lost = replace(first.envelope, filters=[Filter("x", count, count - 1)])
    return replace(pack, reports=[replace(first, envelope=lost)])


def _a_header_missing(pack: PackInput) -> PackInput:
    return replace(pack, headers=list(pack.headers)[1:])


def _headers_cut(pack: PackInput) -> PackInput:
    return replace(pack, headers=list(pack.headers)[:-1])


def _another_body(pack: PackInput) -> PackInput:
    return replace(pack, disclosed=[Disclosed(0, b"{}")])


def _entries_out_of_order(pack: PackInput) -> PackInput:
    return replace(pack, disclosed=list(pack.disclosed)[::-1])


def _a_checkpoint_that_is_none(pack: PackInput) -> PackInput:
    return replace(pack, checkpoint=b"trust me\n")


@pytest.mark.parametrize(
    "contradiction",
    [
        _envelope_of_another_range, _envelope_of_another_system, _counts_that_do_not_add_up, _rows_lost,
        _a_header_missing, _headers_cut, _another_body, _entries_out_of_order, _a_checkpoint_that_is_none,
    ],
)  # fmt: skip
def test_contradictions_are_not_written(company: History, contradiction: Callable[[PackInput], PackInput]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        written(contradiction(pack_input(company)))


def test_an_envelope_leaves_nothing_out(company: History) -> None:
    envelope = pack_input(company).reports[0].envelope
    for change in (
        {"run_by": ""}, {"role": ""}, {"clock": ""}, {"query": ""}, {"command": ""},
        {"ended": Instant(envelope.started - 1)}, {"exclusions": [Exclusion(1, "")]},
        {"exclusions": [Exclusion(1, "a"), Exclusion(1, "b")]},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="the envelope of sessions"):
            replace(envelope, **change)
    with pytest.raises(ValueError, match="empty"):
        Period(Instant(5), Instant(5))


def test_a_row_fits_its_report() -> None:
    for row in (Row(["a", "b"], [1]), Row(["a"], [])):
        with pytest.raises(ValueError, match="row 1 does not fit"):
            Report("x", "X", 1, [Column("one")], [row])


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\uff1d1"]
)
def test_no_cell_starts_a_formula(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2))
def test_csv_is_read_back_and_the_verifier_writes_the_same(cells: list[str]) -> None:
    report = Report("x", "X", 1, [Column("one"), Column("=two")], [Row(cells, [3, 4])])
    text = report.csv()
    assert text == csv_row(["one", "=two", "ledger"]) + csv_row([*cells, "3 4"])
    header, row = csv.reader(io.StringIO(text.decode("utf-8"), newline=""))
    assert header == ["one", "'=two", "ledger"]
    assert row == [*map(harmless, cells), "3 4"]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
