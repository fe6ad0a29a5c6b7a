"""A directory's entries as rows of the staff roster, and what is said of those that cannot be."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.domain.people.events import PersonKind
from onepam.domain.roster import directory as staff_directory
from onepam.domain.roster.directory import (
    DirectoryEntry,
    RosterDirectory,
    parse_directory,
    plain_dn,
    read_directory,
)
from onepam.domain.roster.file import InvalidRoster, RosterFile
from onepam.kernel.clock import instant, parse
from onepam.kernel.errors import Refused

SETTINGS = {
    "base": "ou=people,dc=example",
    "transport": "ldaps",
    "type": "employeeType",
    "starts": "firstDay",
    "ends": "accountExpires",
    "sponsor": "sponsor",
    "vendors": "Contractor, consultant",
    "employees": "FTE",
}


def directory(**changed: str) -> RosterDirectory:
    found = parse_directory({**SETTINGS, **changed})
    assert isinstance(found, RosterDirectory), found
    return found


def entry(uid: str, number: str, **changed: str | bytes | list[str]) -> DirectoryEntry:
    values: dict[str, str | bytes | list[str]] = {
        "employeenumber": number,
        "cn": f"{uid.capitalize()} Example",
        "mail": f"{uid}@example.com",
        "employeetype": "FTE",
        **changed,
    }
    return DirectoryEntry(
        f"uid={uid},ou=people,dc=example",
        {
            name: tuple(each.encode() for each in value)
            if isinstance(value, list)
            else (value if isinstance(value, bytes) else value.encode(),)
            for name, value in values.items()
        },
    )


def read(*entries: DirectoryEntry, **changed: str) -> RosterFile | InvalidRoster:
    return read_directory(entries, directory(**changed), lambda name: ZoneInfo(name) if name != "Mars" else None)


def taken(*entries: DirectoryEntry, **changed: str) -> RosterFile:
    found = read(*entries, **changed)
    assert isinstance(found, RosterFile), [str(each) for each in found.errors]
    return found


def wrong(*entries: DirectoryEntry, **changed: str) -> list[str]:
    found = read(*entries, **changed)
    assert isinstance(found, InvalidRoster)
    assert found.count == len(found.errors)
    return [str(each) for each in found.errors]


def test_an_entry_is_a_row() -> None:
    boss = entry("ada", "1")
    vendor = entry(
        "vic",
        "2",
        employeetype="Contractor",
        manager="UID=ada, OU=People,DC=Example",
        sponsor="uid=ada,ou=people,dc=example",
        firstday="20260101000000Z",
        accountexpires="134222400000000000",
    )
    found = taken(vendor, boss, zone="Europe/Berlin")
    assert [each.number for each in found.rows] == ["1", "2"]
    row = found.rows[1]
    assert (row.name, row.email, row.type) == ("Vic Example", "vic@example.com", PersonKind.VENDOR)
    assert (row.manager, row.sponsor, row.time_zone) == ("1", "1", "Europe/Berlin")
    assert row.starts == parse("2026-01-01T00:00:00Z")
    assert row.ends == instant(datetime.fromtimestamp(134222400000000000 / 1e7 - 11644473600, UTC))
    assert found.rows[0].type is PersonKind.EMPLOYEE
    assert found.rows[0].ends is None


def test_the_order_in_which_a_directory_answers_means_nothing() -> None:
    both = [entry("ada", "1"), entry("bob", "2")]
    assert taken(*both) == taken(*reversed(both))
    assert taken(*both).digest != taken(both[0], entry("bob", "3")).digest


def test_nobody_is_an_empty_roster() -> None:
    assert taken().rows == ()


def test_without_an_attribute_for_the_type_everybody_is_an_employee() -> None:
    found = taken(entry("ada", "1", employeetype="whatever"), type="")
    assert found.rows[0].type is PersonKind.EMPLOYEE
    assert wrong(entry("ada", "1", employeetype="whatever")) == [
        "uid=ada,ou=people,dc=example: employeeType: 'whatever' is neither employee nor vendor."
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mail": ["a@example.com", "b@example.com"]}, "mail: it has 2 values; one is read."),
        ({"mail": []}, "mail: it is empty."),
        ({"mail": "ada"}, "mail: 'ada' is not an e-mail address."),
        ({"cn": b"\xff"}, "cn: it is not UTF-8."),
        ({"cn": "=cmd()"}, "cn: it begins like a formula."),
        ({"cn": "A\x07da"}, "cn: it holds the invisible character U+0007."),
        ({"employeenumber": []}, "employeeNumber: it is empty."),
        ({"manager": "cn=nobody,dc=example"}, "manager: 'cn=nobody,dc=example' is not among the entries."),
        ({"manager": "77"}, "manager: '77' is nobody in this file."),
        ({"firstday": "20261301000000Z"}, "firstDay: '20261301000000Z' is not a time."),
        ({"firstday": "2026010100.5Z"}, "firstDay: '2026010100.5Z' is not a time."),
        ({"firstday": "20260101"}, "firstDay: '20260101' is not a time."),
        ({"firstday": "yesterday"}, "firstDay: 'yesterday' is not a date; write 2026-03-31."),
        ({"accountexpires": "9223372036854775806"}, "accountExpires: '9223372036854775806' is not a time."),
        ({"employeetype": "vendor"}, "contract_ends: a vendor needs an end date."),
    ],
)
def test_what_is_wrong_is_said_with_the_entrys_name(changed: dict[str, str | bytes | list[str]], message: str) -> None:
    assert f"uid=ada,ou=people,dc=example: {message}" in wrong(entry("ada", "1", **changed))


def test_two_entries_that_say_the_same_name_each_other() -> None:
    assert wrong(entry("ada", "1"), entry("bob", "1", mail="ADA@example.com")) == [
        "uid=bob,ou=people,dc=example: employeeNumber: '1' stands on uid=ada,ou=people,dc=example already.",
        "uid=bob,ou=people,dc=example: mail: 'ada@example.com' stands on uid=ada,ou=people,dc=example already.",
    ]


def test_managers_in_a_circle() -> None:
    names = ("ada", "bob", "eve")
    circle = [
        entry(name, str(index), manager=f"uid={names[(index + 1) % 3]},ou=people,dc=example")
        for index, name in enumerate(names)
    ]
    assert wrong(*circle) == ["uid=ada,ou=people,dc=example: manager: a circle of managers: 0 → 1 → 2 → 0."]


def test_a_zone_that_is_none() -> None:
    assert "time_zone: 'Mars' is not a time zone" in wrong(entry("ada", "1"), zone="Mars")[0]
    found = taken(entry("ada", "1", tz="Asia/Tokyo"), entry("bob", "2"), time_zone="tz")
    assert [each.time_zone for each in found.rows] == ["Asia/Tokyo", "UTC"]


def test_more_entries_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_directory, "MAX_ROWS", 1)
    assert wrong(entry("ada", "1"), entry("bob", "2")) == ["the file: more than 1 entries."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260331120000Z", "2026-03-31T12:00:00Z"),
        ("202603311200Z", "2026-03-31T12:00:00Z"),
        ("2026033112Z", "2026-03-31T12:00:00Z"),
        ("20260331120000.5Z", "2026-03-31T12:00:00.5Z"),
        ("20260331120000,1234567Z", "2026-03-31T12:00:00.123456Z"),
        ("20260331120000+0200", "2026-03-31T10:00:00Z"),
        ("20260331120000-05", "2026-03-31T17:00:00Z"),
        ("2026-03-31", "2026-04-01T00:00:00Z"),
        ("0", None),
        ("9223372036854775807", None),
    ],
)
def test_times(text: str, expected: str | None) -> None:
    (row,) = taken(entry("ada", "1", accountexpires=text)).rows
    assert row.ends == (parse(expected) if expected else None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=ada,ou=people", "UID = Ada , OU=People"),
        ("cn=Example\\, Ada,ou=x", "cn=example\\2c ada,ou=x"),
        ('cn="Example, Ada",ou=x', "cn=Example\\, Ada,ou=x"),
        ("cn=a+sn=b,ou=x", "sn=b + cn=a;ou=x"),
        ("cn=J\\C3\\BCrgen", "CN=J\u00fcrgen"),
        ("cn=a  b\\ ", "cn=a b"),
        ("2.5.4.3=a", "2.5.4.3=A"),
    ],
)
def test_two_spellings_of_one_name(one: str, other: str) -> None:
    assert plain_dn(one) is not None
    assert plain_dn(one) == plain_dn(other)


@pytest.mark.parametrize("text", ["", "ada", "=a", "cn=a,", "cn=a,b", "cn=a\\", "1=a", "c n=a", "cn=a" * 500])
def test_what_is_no_name(text: str) -> None:
    assert plain_dn(text) is None


def test_names_that_differ_stay_apart() -> None:
    assert len({plain_dn(each) for each in ("cn=a,cn=b", "cn=a+cn=b", "cn=a\\,cn\\=b", "cn=ab")}) == 4


@settings(max_examples=200)
@given(st.text(max_size=40), st.text(max_size=20), st.binary(max_size=30))
def test_whatever_a_directory_holds_is_a_row_or_a_reason(dn: str, text: str, data: bytes) -> None:
    odd = DirectoryEntry(
        dn,
        {
            "employeenumber": (data,),
            "cn": (text.encode("utf-8", "surrogatepass"),),
            "mail": (data, data),
            "manager": (dn.encode("utf-8", "surrogatepass"),),
            "accountexpires": (text.encode("utf-8", "surrogatepass"),),
        },
    )
    assert isinstance(read(odd, entry("ada", "1")), InvalidRoster)


@pytest.mark.parametrize(
    "changed",
    [
        {"colour": "red"},
        {"base": ""},
        {"base": "people"},
        {"bind_dn": " cn=x"},
        {"transport": "telnet"},
        {"transport": ""},
        {"filter": "x" * 3000},
        {"zone": "a\0b"},
        {"number": ""},
        {"email": "ma il"},
        {"starts": "a=b"},
    ],
)
def test_settings_that_are_refused(changed: dict[str, str]) -> None:
    found = parse_directory({**SETTINGS, **changed})
    assert isinstance(found, Refused)
    assert found.code == "roster.directory"


def test_settings() -> None:
    found = parse_directory({"base": "dc=example", "transport": "starttls", "email": "proxyAddress"})
    assert isinstance(found, RosterDirectory)
    assert found.asked == ("employeeNumber", "cn", "proxyAddress", "manager")
    assert (found.filter, found.zone, found.bind_dn) == ("(objectClass=inetOrgPerson)", "UTC", "")
    twice = parse_directory({"base": "dc=example", "transport": "starttls", "number": "mail"})
    assert isinstance(twice, RosterDirectory)
    assert twice.asked == ("mail", "cn", "manager")
