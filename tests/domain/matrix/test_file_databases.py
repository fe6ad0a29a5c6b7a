"""Databases in `access.yaml`: what they are known by, their port, and guardrails."""

from base64 import b64encode

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Action, ResourceKind
from onepam.domain.access.session_users import SessionUsers
from onepam.kernel.clock import HOUR, MINUTE, SECOND
from tests.domain.matrix.test_file import FILE, KEY, matrix, problems

DIGEST = "ab" * 32
PINS = f'    host_keys: ["{KEY}"]\n'
DATABASE = (
    FILE.replace("kind: ssh", "kind: postgres")
    .replace("web-1.example.com:22", "db.example.com")
    .replace(PINS, f"    tls: ['sha256:{DIGEST}']\n")
    .replace("actions: [sftp, shell]", "actions: [query], guardrails: {statements: [read]}")
)
SHORT, LONG = b"\x30\x81\x80" + bytes(128), b"\x30\x82\x01\x00" + bytes(256)


def pem(der: bytes, end: str = "-----END CERTIFICATE-----") -> str:
    """As a block of a file."""
    lines = ("-----BEGIN CERTIFICATE-----", b64encode(der).decode(), end)
    return "    tls:\n      - |\n" + "".join(f"        {line}\n" for line in lines)


def pinned(tls: str) -> str:
    return DATABASE.replace(f"    tls: ['sha256:{DIGEST}']\n", tls)


def guarded(guardrails: str) -> str:
    return DATABASE.replace("guardrails: {statements: [read]}", f"guardrails: {guardrails}")


def test_a_database_has_a_port_of_its_own_a_certificate_and_no_variables() -> None:
    found = matrix(DATABASE).resources["web-1"]
    assert (found.kind, found.address, found.port) == (ResourceKind.POSTGRES, "db.example.com", 5432)
    assert (found.pins, found.environment) == ((f"sha256:{DIGEST}",), ())
    for address, told in (
        ("db.example.com:6543", ("db.example.com", 6543)),
        ("'[2001:db8::1]'", ("2001:db8::1", 5432)),
        ("192.0.2.7", ("192.0.2.7", 5432)),
    ):
        other = matrix(DATABASE.replace("address: db.example.com", f"address: {address}")).resources["web-1"]
        assert (other.address, other.port) == told


def test_what_speaks_ssh_still_needs_its_port() -> None:
    assert "is not an address" in problems(FILE.replace("example.com:22", "example.com"))[0]


@pytest.mark.parametrize("digest", [DIGEST, DIGEST.upper(), ":".join(["aB"] * 32)])
def test_a_digest_is_written_as_tools_write_it(digest: str) -> None:
    assert matrix(pinned(f"    tls: ['sha256:{digest}']\n")).resources["web-1"].pins == (f"sha256:{DIGEST}",)


@pytest.mark.parametrize("der", [SHORT, LONG])
def test_a_certificate_is_kept_as_pem(der: bytes) -> None:
    (pin,) = matrix(pinned(pem(der))).resources["web-1"].pins
    lines = pin.split("\n")
    assert (lines[0], lines[-2:]) == ("-----BEGIN CERTIFICATE-----", ["-----END CERTIFICATE-----", ""])
    assert "".join(lines[1:-2]) == b64encode(der).decode()
    assert {len(line) for line in lines[1:-3]} == {64}


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        (f"    tls: ['sha256:{DIGEST[1:]}']\n", "is no certificate."),
        (f"    tls: ['md5:{DIGEST}']\n", "is no certificate."),
        ("    tls: [[]]\n", "A certificate is text, not a list."),
        (pem(LONG, "-----END"), "This is not one whole certificate."),
        (pem(LONG[:-1]), "This is not one whole certificate."),
        (pem(LONG + b"x"), "This is not one whole certificate."),
        (pem(b"\x31" + LONG[1:]), "This is not one whole certificate."),
        (pem(b"\x30\x7f" + bytes(127)), "This is not one whole certificate."),
        (pem(b"\x30\x80" + bytes(300)), "This is not one whole certificate."),
        (pem(LONG).replace("MIIB", "MI!B"), "This is not one whole certificate."),
        ("    tls: []\n", "Without a TLS certificate the gateway connects to nothing."),
        ("", "This resource has no `tls`."),
        (PINS, "A resource of kind postgres has no `host_keys`.|This resource has no `tls`."),
    ],
)
def test_what_is_no_pin_of_a_database(tls: str, said: str) -> None:
    found = problems(pinned(tls))
    assert len(found) == len(said.split("|"))
    for problem, words in zip(sorted(found), sorted(said.split("|")), strict=True):
        assert words in problem


def test_each_kind_has_its_own_fields() -> None:
    (problem,) = problems(FILE.replace(PINS, f"{PINS}    tls: ['sha256:{DIGEST}']\n"))
    assert "A resource of kind ssh has no `tls`. Write `host_keys`." in problem
    (problem,) = problems(pinned(f"    tls: ['sha256:{DIGEST}']\n    environment: [LANG]\n"))
    assert "A resource of kind postgres takes no variables." in problem
    (problem,) = problems(FILE.replace("kind: ssh", "kind: telnet"))
    assert "`telnet` is not a kind." in problem


def test_guardrails_are_read() -> None:
    for written, told in (
        ("{statements: [read]}", Guardrails((StatementClass.READ,))),
        (
            "{statements: [write, read], rows: 1000000000, timeout: 1h2m3s}",
            Guardrails((StatementClass.READ, StatementClass.WRITE), 10**9, HOUR + 2 * MINUTE + 3 * SECOND),
        ),
        ("{statements: [other], rows: 1, timeout: 1s}", Guardrails((StatementClass.OTHER,), 1, SECOND)),
        ("{statements: [other], timeout: 12h}", Guardrails((StatementClass.OTHER,), None, 12 * HOUR)),
        ("{statements: [read], bytes: 1KiB}", Guardrails((StatementClass.READ,), bytes=1024)),
        ("{statements: [read], bytes: 10MiB, rows: 5}", Guardrails((StatementClass.READ,), 5, bytes=10 << 20)),
        ("{statements: [read], bytes: 1024GiB}", Guardrails((StatementClass.READ,), bytes=1 << 40)),
        ("{statements: [read], bytes: 1073741824KiB}", Guardrails((StatementClass.READ,), bytes=1 << 40)),
    ):
        (permission,) = matrix(guarded(written)).roles["web"].permissions
        assert (permission.actions, permission.guardrails) == ((Action.QUERY,), told)
    (permission,) = matrix(DATABASE.replace(", guardrails: {statements: [read]}", "")).roles["web"].permissions
    assert permission.guardrails is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{}", "This set of guardrails has no `statements`."),
        ("{statements: []}", "The list of class of statements is empty."),
        ("{statements: [reads]}", "`reads` is not a class of statement. Did you mean `read`?"),
        ("{statements: [read], row: 1}", "A set of guardrails has no `row`. Did you mean `rows`?"),
        ("{statements: [read], rows: 0}", "The most rows are a number."),
        ("{statements: [read], rows: 1000000001}", "The most rows are a number."),
        ("{statements: [read], rows: '1'}", "The most rows are a number."),
        ("{statements: [read], rows: []}", "The most rows are a number."),
        ("{statements: [read], timeout: 0s}", "`0s` is no time that a statement may take."),
        ("{statements: [read], timeout: 12h1s}", "`12h1s` is no time that a statement may take."),
        ("{statements: [read], timeout: 5}", "`5` is no time that a statement may take."),
        ("{statements: [read], timeout: []}", "`` is no time that a statement may take."),
        *(
            (f"{{statements: [read], bytes: {size}}}", f"`{size}` is no size that a result may have. Such as 500KiB or")
            for size in ("0", "0KiB", "1025GiB", "1073741825KiB", "10", "10MB", "1.5MiB", "-1KiB", "1 KiB", "01KiB")
        ),
        ("{statements: [read], bytes: []}", "`` is no size that a result may have."),
        ("{statements: [read], wait: 1h}", "Nothing asks first here, so nothing waits. Remove it"),
    ],
)
def test_what_are_no_guardrails(written: str, said: str) -> None:
    (problem,) = problems(guarded(written))
    assert said in problem


def asks(written: str, approvers: str = ", approvers: [boss]") -> str:
    """A standing permission with guardrails that ask first, and who says yes."""
    return guarded(written).replace("mode: request", "mode: standing").replace(", approvers: [boss]", approvers)


def test_classes_that_ask_first_are_read() -> None:
    (permission,) = matrix(asks("{statements: [read], ask_first: [ddl, write]}")).roles["web"].permissions
    said = (StatementClass.READ, StatementClass.ASK_WRITE, StatementClass.ASK_DDL)
    assert (permission.guardrails, permission.approvers) == (Guardrails(said), ("boss",))
    for written, wait in (("10s", 10 * SECOND), ("12h", 12 * HOUR), ("10m", 10 * MINUTE)):
        text = asks(f"{{statements: [read], ask_first: [ddl, write], wait: {written}}}")
        assert matrix(text).roles["web"].permissions[0].guardrails == Guardrails(said, wait=wait)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{statements: [read], ask_first: [read]}", "read also stands in statements."),
        *(
            (
                f"{{statements: [read], ask_first: [write], wait: {wait}}}",
                f"`{wait}` is no time that a statement may wait for a yes. Such as 30s or 5m; 10s to 12h.",
            )
            for wait in ("0s", "9s", "12h1s", "1d", "600")
        ),
        ("{statements: [read], ask_first: [other]}", "`other` is not an asking class of statement."),
        ("{statements: [read], ask_first: [ask_write]}", "`ask_write` is not an asking class of statement."),
        ("{statements: [ask_write]}", "`ask_write` is not a class of statement."),
        ("{statements: [read], ask_first: []}", "The list of asking class of statements is empty."),
        ("{statements: [read]}", "A standing permission asks nobody."),
    ],
)
def test_what_does_not_ask_first(written: str, said: str) -> None:
    assert any(said in each for each in problems(asks(written)))


def test_what_asks_first_asks_somebody() -> None:
    (problem,) = problems(asks("{statements: [read], ask_first: [write]}", ""))
    assert "Nobody could say yes to what asks first." in problem


def test_guardrails_are_for_queries_alone() -> None:
    (problem,) = problems(DATABASE.replace("actions: [query]", "actions: [shell]"))
    assert "Guardrails are for `query` alone." in problem


def masked(said: str) -> str:
    return DATABASE.replace("kind: postgres", f"kind: postgres\n    {said}")


def test_what_of_data_is_masked_and_kept_is_read() -> None:
    file = masked(
        "mask: {columns: [Card_Number, customers.email, a.b.c], patterns: ['\\b\\d{16}\\b']}\n"
        "    results: {rows: 100, bytes: 64KiB}"
    )
    found = matrix(file).resources["web-1"]
    assert found.mask == Mask(("a.b.c", "card_number", "customers.email"), (r"\b\d{16}\b",))
    assert found.results == Results(100, 65_536)
    other = matrix(masked("mask: {patterns: [x]}\n    results: {rows: 1000, bytes: 256KiB}")).resources["web-1"]
    assert (other.mask, other.results) == (Mask((), ("x",)), Results(1000, 256 * 1024))
    assert matrix(masked("mask: {columns: [x]}")).resources["web-1"].mask == Mask(("x",))
    plain = matrix(DATABASE).resources["web-1"]
    assert (plain.mask, plain.results) == (None, None)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("mask: {}", "This mask masks nothing."),
        ("mask: {columns: []}", "This mask masks nothing."),
        ("mask: {column: [a]}", "This mask masks nothing.|A mask has no `column`. Did you mean `columns`?"),
        ("mask: {columns: [a-b]}", "`a-b` is no column.|This mask masks nothing."),
        ("mask: {columns: [a.b.c.d, x]}", "`a.b.c.d` is no column."),
        ("mask: {columns: [[], x]}", "A column is text, not a list."),
        ("mask: {columns: [x], patterns: ['(']}", "`(` is no pattern: a `(` is not closed."),
        ("mask: {columns: [x], patterns: ['a*']}", "This pattern is in every text."),
        ("mask: {columns: [x], patterns: [[]]}", "This pattern is in every text."),
        ("mask: {columns: [x], patterns: ['a{200}b{200}c{200}', 'a{255}b{255}']}", "These patterns are too many"),
        ("results: {rows: 10}", "This rule of results has no `bytes`."),
        ("results: {rows: 0, bytes: 1KiB}", "The most rows are a number."),
        ("results: {rows: 1001, bytes: 1KiB}", "The most rows are a number."),
        ("results: {rows: 1, bytes: 0KiB}", "The most bytes that are kept are a size."),
        ("results: {rows: 1, bytes: 257KiB}", "The most bytes that are kept are a size."),
        ("results: {rows: 1, bytes: 64}", "The most bytes that are kept are a size."),
        ("results: {rows: 1, bytes: []}", "The most bytes that are kept are a size."),
    ],
)
def test_what_is_no_mask_and_no_rule_of_results(said: str, problem: str) -> None:
    found = problems(masked(said))
    assert len(found) == len(problem.split("|"))
    for words in problem.split("|"):
        assert sum(words in told for told in found) == 1


def test_masks_are_for_databases_and_unmasked_for_queries() -> None:
    (problem,) = problems(FILE.replace(PINS, f"{PINS}    mask: {{columns: [x]}}\n"))
    assert "A resource of kind ssh has no `mask`." in problem
    (problem,) = problems(FILE.replace(PINS, f"{PINS}    results: {{rows: 1, bytes: 1KiB}}\n"))
    assert "A resource of kind ssh has no `results`." in problem
    mysql = DATABASE.replace("kind: postgres", "kind: mysql").replace("    tls:", "    mask: {columns: [x]}\n    tls:")
    assert matrix(mysql).resources["web-1"].mask == Mask(("x",))
    kept = matrix(mysql.replace("mask: {columns: [x]}", "results: {rows: 1, bytes: 1KiB}"))
    assert kept.resources["web-1"].results == Results(1, 1024)
    unmasked = DATABASE.replace("actions: [query], guardrails: {statements: [read]}", "actions: [unmasked]")
    (problem,) = problems(unmasked)
    assert "Without `query` nothing is seen unmasked." in problem
    (problem,) = problems(unmasked.replace("[unmasked]", "[local_files]"))
    assert "Without `query` no file is loaded." in problem
    (permission,) = matrix(unmasked.replace("[unmasked]", "[unmasked, query]")).roles["web"].permissions
    assert permission.actions == (Action.QUERY, Action.UNMASKED)


def test_for_which_logins_users_are_made_is_read() -> None:
    found = matrix(masked("session_users: {made_by: pam_owner, member_of: {root: Writers, app: readers}}"))
    assert found.resources["web-1"].session_users == SessionUsers("pam_owner", {"app": "readers", "root": "Writers"})
    assert matrix(DATABASE).resources["web-1"].session_users is None


MEMBERS = "member_of: {app: readers}"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (f"{{{MEMBERS}}}", "This set of session users has no `made_by`."),
        ("{made_by: owner}", "This set of session users has no `member_of`."),
        (f"{{made_by: app, {MEMBERS}}}", "`app` is a login, too."),
        (f"{{made_by: 'a b', {MEMBERS}}}", "`a b` is not an account."),
        ("{made_by: owner, member_of: {}}", "No login is named here, or too many."),
        ("{made_by: owner, member_of: {ap: readers}}", "There is no login `ap` here. Did you mean `app`?"),
        ("{made_by: owner, member_of: {app: 'a b'}}", "`a b` is not a role of the server."),
        ("{made_by: owner, member_of: [app]}", "The set of logins with their roles must be a mapping."),
        (f"{{made_by: owner, {MEMBERS}, more: x}}", "A set of session users has no `more`."),
    ],
)
@pytest.mark.claim(
    "Nobody comes as pam_owner: it is none of the logins",
    altered="the account that makes users could be among the logins",
)
def test_what_says_not_which_users_are_made(said: str, problem: str) -> None:
    assert problem in problems(masked(f"session_users: {said}"))[0]


def test_too_many_logins_have_users() -> None:
    logins = ", ".join(f"l{number}: readers" for number in range(65))
    (problem,) = problems(masked(f"session_users: {{made_by: owner, member_of: {{{logins}}}}}"))
    assert "No login is named here, or too many." in problem


def test_users_are_made_at_databases_alone() -> None:
    said = f"session_users: {{made_by: owner, {MEMBERS}}}"
    found = " ".join(problems(FILE.replace("kind: ssh", f"kind: ssh\n    {said}")))
    assert "A resource of kind ssh has no `session_users`." in found
    mysql = matrix(masked(said).replace("kind: postgres", "kind: mysql"))
    assert mysql.resources["web-1"].session_users == SessionUsers("owner", {"app": "readers"})
