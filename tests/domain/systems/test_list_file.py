"""A list of a system's accounts as a file: what it means, and each thing that is wrong with one."""

import pytest

from onepam.domain.systems.file import (
    MOST_ACCOUNTS,
    MOST_RIGHTS,
    MOST_ROWS,
    AccountFile,
    AccountRow,
    InvalidList,
    read_accounts,
)
from onepam.kernel.clock import parse

HEAD = "account,right,email,last used,owner,system\n"


def read(text: str | bytes, system: str = "payroll") -> AccountFile | InvalidList:
    return read_accounts(text.encode() if isinstance(text, str) else text, system)


def test_each_row_is_a_right_of_an_account() -> None:
    found = read(
        "\ufeffSystem;Account;Right;E-Mail;Last used;Owner\r\n"
        "payroll;eve;read;Eve@Example.com;2026-03-01;\r\n"
        "Payroll;EVE;approve;eve@example.com;2026-03-01;\r\n"
        ";batch;write;;2026-03-01T10:00:00+02:00;max@example.com\r\n"
    )
    assert isinstance(found, AccountFile)
    assert len(found.digest) == 64
    assert found.rows == (
        AccountRow("eve", ("approve", "read"), "eve@example.com", parse("2026-03-01T00:00:00Z"), None),
        AccountRow("batch", ("write",), None, parse("2026-03-01T08:00:00Z"), "max@example.com"),
    )


def test_only_account_and_right_are_needed_and_a_formula_is_a_name() -> None:
    found = read("account,right\n=cmd|'/c calc'!A1,+read\n")
    assert isinstance(found, AccountFile)
    assert found.rows == (AccountRow("=cmd|'/c calc'!A1", ("+read",), None, None, None),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file: it is empty: not even a header."),
        ("account,right\n", "the file: it lists no account."),
        ("account\neve\n", "line 1, column right: there is no such column; found are account."),
        ("account,right\neve,\n", "line 2, column right: it is empty."),
        ("account,right\n,read\n", "line 2, column account: it is empty."),
        (
            "account,right\nEve,read\n\neve,read\n",
            "line 4, column account: 'eve' stands on line 2 already, with the same",
        ),
        (
            HEAD + "eve,read,eve@example.com,,,\neve,write,eva@example.com,,,\n",
            "line 3, column account: 'eve' stands on line 2 with another e-mail address, use or owner.",
        ),
        (HEAD + "eve,read,eve,,,\n", "line 2, column email: 'eve' is not an e-mail address."),
        (HEAD + "eve,read,,yesterday,,\n", "line 2, column last_used: 'yesterday' is not a date; write 2026-03-31."),
        (HEAD + "eve,read,,0001-01-01T00:00:00+14:00,,\n", "line 2, column last_used"),
        (HEAD + "eve,read,,9999-12-31,,\n", "line 2, column last_used: '9999-12-31' is not a date"),
        (HEAD + "eve,read,,,,crm\n", "line 2, column system: 'crm' is not payroll; each system has a list of its own."),
        ("account,right\ne\u202eve,read\n", "line 2, column account: it holds the invisible character U+202E."),
        ("account,right\ne\u034fve,read\n", "line 2, column account: it holds the invisible character U+034F."),
        ("account,right\neve,re\u200dad\n", "line 2, column right: it holds the invisible character U+200D."),
        ("account,right\n\u3164,read\n", "line 2, column account: it holds the invisible character U+3164."),
        (f"account,right\n{'e' * 255},read\n", "line 2, column account: it has 255 characters; at most 254 are read."),
        ("account,right\neve,read\n".encode("utf-16"), "the file: it is not UTF-8: save it as UTF-8, not as UTF-16."),
        ("account,right\nüve,read\n".encode("latin-1"), "line 2: it is not UTF-8."),
        (b"account,right\neve\0,read\n", "line 2: it holds a NUL character; is this a CSV file?"),
        ('account,right\n"eve,read\n', "line 2: it cannot be read as CSV"),
        ("account,right\neve\n", "line 2: it has 1 cells; the header has 2."),
        (
            "account,right\n" + "".join(f"eve,right {each}\n" for each in range(MOST_RIGHTS + 1)),
            f"line {MOST_RIGHTS + 2}, column right: 'eve' has more than {MOST_RIGHTS} rights.",
        ),
        (
            "account,right\n" + "".join(f"a{each},r\n" for each in range(MOST_ACCOUNTS + 1)),
            "the file: it lists 10,001 accounts; a system has at most 10,000 here.",
        ),
        (
            "account,right\n" + "".join(f"a{each},r\n" for each in range(MOST_ROWS + 1)),
            "the file: it lists 50,000 accounts; a system has at most 10,000 here.",
        ),
        ("account,right\n" + "a,r\n" * 2_000_000, "the file: it has 8,000,014 bytes; at most 5,242,880 are read."),
    ],
)
def test_what_is_wrong_is_said_by_its_line(text: str | bytes, said: str) -> None:
    found = read(text)
    assert isinstance(found, InvalidList)
    assert any(str(each).startswith(said) for each in found.errors), [str(each) for each in found.errors[:3]]


def test_rights_as_many_as_there_may_be_are_read() -> None:
    found = read("account,right\n" + "".join(f"eve,right {each}\n" for each in range(MOST_RIGHTS)))
    assert isinstance(found, AccountFile)
    assert len(found.rows[0].rights) == MOST_RIGHTS
