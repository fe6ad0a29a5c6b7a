"""The roster's CSV: what is read, and each way in which it is refused."""

import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.app.roster.take_roster import zone_of
from onepam.domain.people.events import PersonKind
from onepam.domain.roster.cells import MAX_ERRORS, MAX_FILE_BYTES, MAX_ROWS
from onepam.domain.roster.file import InvalidRoster, RosterFile, read_roster
from onepam.kernel.clock import parse

HEADER = "number,name,email,type,manager,starts,ends,time_zone,sponsor,contract_ends"
BOSS = "1,Max,max@example.com,employee,,,,,,"


def read(*rows: str, header: str = HEADER) -> RosterFile | InvalidRoster:
    return read_roster("\n".join((header, *rows)).encode(), zone_of)


def good(*rows: str, header: str = HEADER) -> RosterFile:
    found = read(*rows, header=header)
    assert isinstance(found, RosterFile), found
    return found


def errors(data: bytes) -> list[str]:
    found = read_roster(data, zone_of)
    assert isinstance(found, InvalidRoster)
    return [str(each) for each in found.errors]


def test_a_row() -> None:
    (_, row) = good(
        BOSS, '4,"Eve  Example",Eve@Example.com,Vendor,max@EXAMPLE.com,2026-01-01,,Europe/Berlin,1,2026-03-28'
    ).rows
    assert (row.number, row.name, row.email, row.type) == ("4", "Eve Example", "eve@example.com", PersonKind.VENDOR)
    assert (row.manager, row.sponsor, row.time_zone) == ("1", "1", "Europe/Berlin")
    assert row.starts == parse("2025-12-31T23:00:00Z")
    assert row.ends == row.contract_ends == parse("2026-03-28T23:00:00Z")


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("", "2026-03-31", "2026-04-01T00:00:00Z"),
        ("Pacific/Auckland", "2026-05-31", "2026-05-31T12:00:00Z"),
        ("Pacific/Auckland", "2026-01-31", "2026-01-31T11:00:00Z"),
        ("Europe/Berlin", "2026-03-29", "2026-03-29T22:00:00Z"),
        ("America/Los_Angeles", "2026-11-01", "2026-11-02T08:00:00Z"),
        ("", "2026-12-31 00:00:00", "2027-01-01T00:00:00Z"),
        ("Europe/Berlin", "2026-12-31T00:00", "2026-12-31T23:00:00Z"),
        ("", "2026-12-31 00:00:00.000", "2027-01-01T00:00:00Z"),
        ("", "2026-12-31 00:00:01", "2026-12-31T00:00:01Z"),
        ("", "2026-12-31T00:00:00Z", "2026-12-31T00:00:00Z"),
        ("Europe/Berlin", "2026-03-31T17:30", "2026-03-31T15:30:00Z"),
        ("Europe/Berlin", "2026-03-31T17:30:00Z", "2026-03-31T17:30:00Z"),
    ],
)
def test_a_last_day_ends_where_the_person_is(zone: str, day: str, end: str) -> None:
    (row,) = good(f"1,Max,max@example.com,employee,,,{day},{zone},,").rows
    assert row.ends == parse(end)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_marks_and_headers(separator: str) -> None:
    lines = ["E-Mail;NUMBER; Name ;type;Time Zone;Floor", "max@example.com;1;Max;employee;UTC;3", ";;;;;", ""]
    data = "\r\n".join(lines).replace(";", separator).replace("E-Mail", "EMail")
    (row,) = read_roster(b"\xef\xbb\xbf" + data.encode(), zone_of).rows  # type: ignore[union-attr]
    assert (row.number, row.email) == ("1", "max@example.com")


@pytest.mark.parametrize("first", ["sep=;", "SEP=;\r", '"sep=;"', "sep=;;;;"])
def test_the_first_line_of_a_spreadsheet_says_the_separator(first: str) -> None:
    data = "\n".join((first, HEADER.replace(",", ";"), BOSS.replace(",", ";"), "2;Zo;zo@example.com;engineer;;;;;;"))
    assert errors(data.encode()) == ["line 4, column type: 'engineer' is neither employee nor vendor."]
    tabbed = "\n".join(("sep=\t", HEADER.replace(",", "\t"), BOSS.replace(",", "\t")))
    assert isinstance(read_roster(tabbed.encode(), zone_of), RosterFile)
    assert "no such column" in errors(f"sep=x\n{HEADER}".encode())[0]


def test_other_names_of_columns() -> None:
    data = b"Personalnummer,number,name,email,type\n7,x,Max,max@example.com,employee\n"
    found = read_roster(data, zone_of, (("number", "personal-nummer"),))
    assert isinstance(found, RosterFile)
    assert found.rows[0].number == "7"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("4,Eve", "line 3: it has 2 cells; the header has 10."),
        (",Eve,eve@example.com,employee,,,,,,", "line 3, column number: it is empty."),
        ("4,,eve@example.com,employee,,,,,,", "line 3, column name: it is empty."),
        ("4,Eve,,employee,,,,,,", "line 3, column email: it is empty."),
        ("4,Eve,eve,employee,,,,,,", "line 3, column email: 'eve' is not an e-mail address."),
        ("4,Eve,eve@example.com,boss,,,,,,", "line 3, column type: 'boss' is neither employee nor vendor."),
        ("1,Eve,eve@example.com,employee,,,,,,", "line 3, column number: '1' stands on line 2 already."),
        ("4,Eve,MAX@example.com,employee,,,,,,",
         "line 3, column email: 'max@example.com' stands on line 2 already."),
        ("4,Eve,eve@example.com,employee,9,,,,,", "line 3, column manager: '9' is nobody in this file."),
        ("4,Eve,eve@example.com,employee,4,,,,,", "line 3, column manager: a circle of managers: 4 → 4."),
        ("4,Eve,eve@example.com,vendor,,,,,,2026-01-01", "line 3, column sponsor: a vendor needs a sponsor."),
        ("4,Eve,eve@example.com,vendor,,,,,1,", "line 3, column contract_ends: a vendor needs an end date."),
        ("4,Eve,eve@example.com,vendor,,,,,4,2026-01-01", "line 3, column sponsor: '4' is not an employee."),
        ("4,Eve,eve@example.com,vendor,,,2026-02-01,,1,2026-01-01",
         "line 3, column ends: it is later than contract_ends."),
        ("4,Eve,eve@example.com,employee,,2026-02-01,2026-01-01,,,", "line 3, column ends: it is before starts."),
        ("4,Eve,eve@example.com,employee,,,2026-02-31,,,",
         "line 3, column ends: '2026-02-31' is not a date; write 2026-03-31."),
        ("4,Eve,eve@example.com,employee,,,20260331,,,",
         "line 3, column ends: '20260331' is not a date; write 2026-03-31."),
        ("4,Eve,eve@example.com,employee,,,9999-12-31,,,",
         "line 3, column ends: '9999-12-31' is not a date; write 2026-03-31."),
        ("4,Eve,eve@example.com,employee,,,,Europe/Nowhere,,",
         "line 3, column time_zone: 'Europe/Nowhere' is not a time zone; such as Europe/Berlin."),
        ("4,Eve,eve@example.com,employee,,,,../../etc,,",
         "line 3, column time_zone: '../../etc' is not a time zone; such as Europe/Berlin."),
        ("4,=1+1,eve@example.com,employee,,,,,,", "line 3, column name: it begins like a formula."),
        ("4,E\u202eve,eve@example.com,employee,,,,,,", "line 3, column name: it holds the invisible character U+202E."),
        ('4,"E\nve",eve@example.com,employee,,,,,,', "line 3, column name: it holds the invisible character U+000A."),
        ("4," + "x" * 300 + ",eve@example.com,employee,,,,,,",
         "line 3, column name: it has 300 characters; at most 254 are read."),
        ('4,"Eve,eve@example.com,employee,,,,,,',
         "line 3: it cannot be read as CSV (unexpected end of data); is a quote not closed?"),
    ],
)  # fmt: skip
def test_what_a_row_may_not_be(row: str, message: str) -> None:
    assert errors(f"{HEADER}\n{BOSS}\n{row}".encode()) == [message]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file: it is empty: not even a header."),
        (b"x" * (MAX_FILE_BYTES + 1), "the file: it has 5,242,881 bytes; at most 5,242,880 are read."),
        (HEADER.encode("utf-16"), "the file: it is not UTF-8: save it as UTF-8, not as UTF-16."),
        (
            f"{HEADER}\n1,Zo\xeb,".encode("latin-1"),
            "line 2: it is not UTF-8. In Excel: Save as, CSV UTF-8 (comma delimited).",
        ),
        (f"{HEADER}\n\0".encode(), "line 2: it holds a NUL character; is this a CSV file?"),
        (f"{HEADER},Name\n".encode(), "line 1, column name: two columns have this name."),
        (b"number,name,type\n", "line 1, column email: there is no such column; found are number, name, type."),
    ],
)
def test_what_a_file_may_not_be(data: bytes, message: str) -> None:
    assert errors(data) == [message]


def test_a_circle_is_named_once_and_who_hangs_on_it_is_not() -> None:
    rows = [f"{n},P,p{n}@example.com,employee,{boss},,,,," for n, boss in ((1, 2), (2, 3), (3, 1), (4, 1))]
    assert errors("\n".join((HEADER, *rows)).encode()) == [
        "line 2, column manager: a circle of managers: 1 → 2 → 3 → 1."
    ]


def test_errors_and_rows_are_bounded() -> None:
    found = read(*("4,=x,eve@example.com,employee,,,,,," for _ in range(300)))
    assert isinstance(found, InvalidRoster)
    assert (len(found.errors), found.count) == (MAX_ERRORS, 300)
    many = "\n".join((HEADER, *(f"{n},P,p{n}@x.org,employee,,,,,," for n in range(MAX_ROWS + 1))))
    begin = time.process_time()
    assert errors(many.encode()) == ["line 50002: more than 50,000 rows; nothing after this line was read."]
    assert time.process_time() - begin < 20


@settings(max_examples=150, deadline=1000)
@given(st.binary(max_size=400) | st.text(alphabet='",;\n\r\t19aé@=-', max_size=400).map(lambda text: text.encode()))
def test_nothing_raises(data: bytes) -> None:
    assert isinstance(read_roster(data, zone_of), RosterFile | InvalidRoster)
    read_roster(HEADER.encode() + b"\n" + data, zone_of)


def test_zones() -> None:
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    for name in ("", "Nowhere", "/etc/passwd", "Europe", "x\0"):
        assert zone_of(name) is None
