"""`access.yaml`: what is read, and for each thing that can be wrong the place and the way out."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.model import Action, ConsoleRight, MfaRule, Mode, Permission, ResourceKind, SubjectKind
from onepam.domain.matrix.file import AccessFile, InvalidFile, read_access, resolve
from onepam.domain.matrix.matrix import Matrix, ResourceDefinition, Someone, binding_id
from onepam.domain.matrix.parse import MAX_FILE_BYTES, MAX_PROBLEMS
from onepam.kernel.clock import HOUR, MINUTE, parse

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC4Wv0P6B/rhoR7KvjYV/FNBYckni9jyxz0IO/WmyHWD"
ECDSA = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPWRBRVlFWOwBxLpB4YbP/+Bu"
    "uHWWWmFVsaR0IEo6KPF6K5sUfrnEQjV1xIEh4MF9RnaOLUeccSTN3wUci2aL7s="
)
ADA, MAX = Someone("per_ada", "ada@example.com", True, None), Someone("per_max", "max@example.com", True, None)
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "access.yaml"

FILE = f"""\
version: 1
groups:
  web: {{members: [max@example.com]}}
resources:
  web-1:
    kind: ssh
    address: web-1.example.com:22
    labels: {{env: prod}}
    owner: ada@example.com
    logins: [root, app]
    host_keys: ["{KEY}"]
roles:
  boss:
    purpose: Approves
    owner: ada@example.com
    console: [approve, administer]
  web:
    purpose: Runs
      the web
    owner: ada@example.com
    permissions:
      prod:
        {{actions: [sftp, shell], where: {{env: prod}}, logins: ["*"], mode: request,
         longest: 1h30m, approvers: [boss]}}
bindings:
  - {{role: boss, person: Ada@example.com, ends: 2026-12-31, because: founded it}}
  - {{role: web, group: web, because: runs it}}
"""


def problems(text: str, *people: Someone) -> list[str]:
    read = resolve(read_access(text), people or (ADA, MAX))
    return [str(each) for each in read.problems] if isinstance(read, InvalidFile) else []


def matrix(text: str) -> Matrix:
    read = resolve(read_access(text), (ADA, MAX))
    assert isinstance(read, Matrix), [str(each) for each in read.problems]
    return read


def test_a_file_becomes_a_matrix() -> None:
    found = matrix(FILE)
    assert found.groups == {"web": {"per_max": "access.yaml"}}
    assert found.resources == {
        "web-1": ResourceDefinition(
            "web-1", ResourceKind.SSH, "web-1.example.com", 22, {"env": "prod"}, "per_ada", ("app", "root"), (KEY,)
        )
    }
    assert found.roles["boss"].console == (ConsoleRight.ADMINISTER, ConsoleRight.APPROVE)
    assert found.roles["web"].purpose == "Runs the web"
    expected = Permission(
        "prod", (Action.SHELL, Action.SFTP), {"env": "prod"}, ("*",), Mode.REQUEST, HOUR + 30 * MINUTE, ("boss",)
    )
    assert found.roles["web"].permissions == (expected,)
    assert found.roles["web"].permission("prod") == expected
    assert found.roles["web"].permission("dev") is None
    boss = found.bindings[binding_id("boss", SubjectKind.PERSON, "per_ada")]
    assert (boss.subject, boss.ends, boss.because) == ("per_ada", parse("2027-01-01T00:00:00Z"), "founded it")
    assert found.members(boss) == ("per_ada",)
    web = found.bindings[binding_id("web", SubjectKind.GROUP, "web")]
    assert (web.subject, web.ends, found.members(web)) == ("web", None, ("per_max",))


def ruled(rule: str) -> MfaRule | None:
    """What a file's resource asks of the second factor."""
    return (
        matrix(FILE.replace("    logins: [root, app]\n", f"    logins: [root, app]\n    mfa: {rule}\n"))
        .resources["web-1"]
        .mfa
    )


def test_a_resource_may_ask_more_of_the_second_factor() -> None:
    assert ruled("{max_age: 1h, phishing_resistant: true, fresh: true}") == MfaRule(HOUR, True, True)
    assert ruled("{fresh: true}") == MfaRule(fresh=True)
    assert ruled("{max_age: 12h, fresh: false}") is None  # what holds anyway, so the same matrix
    assert ruled("{phishing_resistant: true, max_age: 12h}") == MfaRule(phishing_resistant=True)


def test_order_and_spelling_do_not_make_another_matrix() -> None:
    other = FILE.replace("[root, app]", "[app, root]").replace("[sftp, shell]", "[shell, sftp]")
    other = (
        other.replace("max@example.com", "MAX@example.com")
        .replace("1h30m", "90m")
        .replace("env: prod", '"env": "prod"')
    )
    assert matrix(other).digest() == matrix(FILE).digest()
    assert matrix(other).roles["web"].version() == matrix(FILE).roles["web"].version()
    assert matrix(FILE.replace("90m", "91m")).digest() == matrix(FILE).digest()
    assert matrix(FILE.replace("1h30m", "91m")).digest() != matrix(FILE).digest()


def test_the_smallest_file() -> None:
    assert matrix("version: 1") == Matrix({}, {}, {}, {})


def test_the_example_is_right() -> None:
    read = read_access(EXAMPLE.read_text(encoding="utf-8"))
    assert read.problems == ()
    emails = sorted({each.email for each in read.mentions})
    found = resolve(read, tuple(Someone(f"per_{number}", email, True, None) for number, email in enumerate(emails)))
    assert isinstance(found, Matrix)
    assert len(emails) == 26
    assert found.resources["backup-1"].address == "2001:db8::15"


def case(old: str, new: str, message: str, hint: str = "") -> object:
    return pytest.param(old, new, message, hint, id=new[:40].replace("\n", " "))


HUGE = ", ".join(f"l{number}" for number in range(65))

CASES = [
    # the text itself: § marks the place that the message must name
    case(FILE, "§", "The file is empty.", "version: 1"),
    case(FILE, "§- a\n", "The file must be a mapping."),
    case(FILE, "§text", "The file must be a mapping."),
    case("version: 1\ngroups:", "version: [1\ngroups§:", "not YAML while parsing a flow sequence (begun in line 1)"),
    case("    kind: ssh", "§\t\tkind: ssh", "This is not YAML", "spaces, not tabs"),
    case("kind: ssh", "kind: §&k ssh", "The anchor `&k` is not allowed.", "Remove it."),
    case("kind: ssh", "kind: §*k", "The alias `*k` is not allowed.", "Write out"),
    case("kind: ssh", "kind: §!!str ssh", "The tag `tag:yaml.org,2002:str` is not allowed."),
    case("labels: {", "labels: §!x {", "The tag `!x` is not allowed."),
    case("version: 1\n", "§%YAML 1.1\n---\nversion: 1\n", "Directives are not allowed."),
    case("version: 1\n", "version: 1\n§---\n", "A second document begins here."),
    case("kind: ssh", "kind: [[[[[§[[[]]]]]]]]", "nested deeper than 8"),
    case("kind: ssh", "kind: ssh\n    §kind: ssh", "`kind` stands here twice; the first is in line 6."),
    case("kind: ssh", "§[kind]: ssh", "A key must be a word"),
    case("purpose: Approves", "purpose: Appr§\u202eoves", "U+202E is invisible"),
    case("purpose: Approves", 'purpose: §"Appr\\u202eoves"', "hides an invisible character"),
    # the rule of the second factor
    case("logins: [root", "mfa: §{}\n    logins: [root", "asks for nothing"),
    case("logins: [root", "mfa: §fresh\n    logins: [root", "The rule of the second factor must be a mapping."),
    case("logins: [root", "mfa: {max_age: §13h}\n    logins: [root", "`13h` is out of range here.", "From 5m to 12h."),
    case("logins: [root", "mfa: {max_age: §1m}\n    logins: [root", "`1m` is out of range here."),
    case("logins: [root", "mfa: {fresh: §yes}\n    logins: [root", "fresh is either true or false."),
    case("logins: [root", "mfa: {§age: 1h}\n    logins: [root", "A rule of the second factor has no `age`."),
    case("purpose: Approves", "purpose: Appr§\ud800oves", "not UTF-8"),
    case("purpose: Approves", "purpose: Appr§\x00oves", "U+0000 is invisible"),
    # the file's own fields
    case("version: 1\n", "§groups2: {}\n", "A file has no `groups2`.", "Did you mean `groups`?"),
    case("version: 1", "version: §2", "version 1 of the format", "version: 1"),
    case("version: 1", 'version: §"1"', "version 1 of the format"),
    case("version: 1\n", "§", "This file has no `version`.", "Add a line: version"),
    # groups
    case("web: {members: [max@example.com]}", "§web: {}", "This group has no `members`."),
    case("{members: [max@example.com]}", "§[max@example.com]", "The group must be a mapping."),
    case("[max@example.com]", "§max@example.com", "The members must be a list.", "[max@example.com]"),
    case("[max@example.com]", "[max@example.com, §max@example.com]", "max@example.com is a member twice."),
    case("[max@example.com]", "[§max]", "`max` is not an e-mail address.", "ada@example.com"),
    case("[max@example.com]", "[§mix@example.com]", "Nobody here has the address mix@example.com.", "max@example.com"),
    case("  web: {members", "  §Web Team: {members", "`Web Team` is not a name of a group.", "`web-team`"),
    case("  web: {members", "  §no: {members", "YAML reads `no` as true or false", '"no"'),
    case("  web: {members", "  §2026: {members", "YAML reads `2026` as a number", '"2026"'),
    # resources
    case("  web-1:\n", "  §web_-1:\n", "`web_-1` is not a name of a resource.", "single - _ ."),
    case("  web-1:\n    kind: ssh\n", "  §web-1:\n", "This resource has no `kind`."),
    case("kind: ssh", "kind: §shh", "`shh` is not a kind.", "Did you mean `ssh`?"),
    case("kind: ssh", "kind: §~", "YAML reads `~` as nothing"),
    case("kind: ssh", "kind:§", "The kind is empty."),
    case("kind: ssh", "kind: §[ssh]", "A kind is text, not a list."),
    case("kind: ssh", "kind: §{ssh: 1}", "A kind is text, not a mapping."),
    case("kind: ssh", "kind: ssh\n    §adress: x", "A resource has no `adress`.", "Did you mean `address`?"),
    case("web-1.example.com:22", "§web-1.example.com", "is not an address.", "host:port"),
    case("web-1.example.com:22", "§web-1.example.com:0", "is not an address."),
    case("web-1.example.com:22", "§web-1.example.com:65536", "is not an address."),
    case("web-1.example.com:22", "§web-1..example.com:22", "is not an address."),
    case("web-1.example.com:22", "§256.1.1.1:22", "is not an address."),
    case("web-1.example.com:22", '§"[fe80::1%eth0]:22"', "is not an address."),
    case("web-1.example.com:22", '§"[::xyz]:22"', "is not an address."),
    case("web-1.example.com:22", "§[a]", "An address is text, not a list."),
    case("labels: {env: prod}", "labels: §{}", "The set of labels is empty"),
    case("labels: {env: prod}", "labels: §prod", "The set of labels must be a mapping."),
    case("labels: {env: prod}", "labels: {env: §on}", "YAML reads `on` as true or false"),
    case("labels: {env: prod}", "labels: {§Env: prod}", "`Env` is not a label.", "`env`"),
    case("labels: {env: prod}", "labels: §{" + ", ".join(f"l{n}: x" for n in range(65)) + "}", "has 65 labels."),
    case("[root, app]", "[root, app, §root]", "`root` stands here twice."),
    case("[root, app]", "[§2root]", "`2root` is not a login."),
    case("[root, app]", '[§"*"]', "`*` is not a login."),
    case("[root, app]", "§[]", "There is no login.", "[deploy]."),
    case("[root, app]", f"§[{HUGE}]", "has 65 items.", "At most 64."),
    case(f'["{KEY}"]', "§[]", "Without a host key"),
    case(f'["{KEY}"]', "§ssh-ed25519", "The host keys must be a list."),
    case(f'["{KEY}"]', "[§ssh-ed25519 AAAA]", "not a whole ssh-ed25519 key", "ssh_host_ed25519_key.pub"),
    case(f'["{KEY}"]', "[§ssh-ed25519]", "not a whole ssh-ed25519 key"),
    case(f'["{KEY}"]', f"[§{KEY[:-4]}]", "not a whole ssh-ed25519 key"),
    case(f'["{KEY}"]', "[§ssh-ed25519 ÄÄÄÄ]", "not a whole ssh-ed25519 key"),
    case(f'["{KEY}"]', f"[§ssh-rsa {KEY.split()[1]}]", "not a whole ssh-rsa key"),
    case(f'["{KEY}"]', "[§ssh-dss AAAA]", "`ssh-dss` is not a type of host key"),
    case(f'["{KEY}"]', f"[§web-1 {KEY}]", "a line of known_hosts", "the key alone"),
    case(f'["{KEY}"]', f'[§"[web-1]:2222 {KEY}"]', "a line of known_hosts"),
    case(f'["{KEY}"]', "[§{a: b}]", "A host key is text, not a mapping."),
    # roles
    case("purpose: Approves", "purpose: §" + "x" * 301, "The purpose has 301 characters.", "At most 300."),
    case("  boss:\n    purpose: Approves\n", "  §boss:\n", "This role has no `purpose`."),
    case("console: [approve, administer]", "console: [§aprove]", "`aprove` is not a console right.", "`approve`"),
    case(
        "console: [approve, administer]", "console: §[]", "The list of console rights is empty.", "administer, approve"
    ),
    case("console: [approve, administer]", "console: [approve, §approve]", "`approve` stands here twice."),
    case(
        "  boss:\n    purpose: Approves\n    owner: ada@example.com\n    console: [approve, administer]\n",
        "  §boss:\n    purpose: Approves\n    owner: ada@example.com\n",
        "The role boss gives nothing.",
    ),
    # permissions
    case("prod:\n        {actions: [sftp, shell], ", "§prod:\n        {", "This permission has no `actions`."),
    case("[sftp, shell]", "[§scp]", "`scp` is not an action."),
    case("where: {env: prod}", "where: §{}", "The selector is empty", "{env: prod}"),
    case('logins: ["*"]', 'logins: [root, §"*"]', "`*` is not a login."),
    case('logins: ["*"]', "logins: §[]", "There is no login.", '["*"]'),
    case("mode: request", "mode: §requested", "`requested` is not a mode.", "`request`"),
    case(
        "mode: request,\n         longest: 1h30m, approvers: [boss]",
        "mode: §request, longest: 1h",
        "Nobody could approve",
    ),
    case("approvers: [boss]", "approvers: §[]", "Nobody could approve"),
    case("approvers: [boss]", "approvers: [§bos]", "There is no role bos.", "Did you mean `boss`?"),
    case("approvers: [boss]", "approvers: [§web]", "The role web has no right to approve.", "console: [approve]"),
    case(
        "mode: request,\n         longest: 1h30m, approvers: [boss]",
        "mode: standing, longest: 1h, approvers: §[boss]",
        "asks nobody",
    ),
    case("longest: 1h30m", "longest: §90", "A duration is a number with a unit.", "30m, 4h"),
    case("longest: 1h30m", "longest: §1.5", "A duration is a number with a unit."),
    case("longest: 1h30m", "longest: §1h 30m", "A duration is a number with a unit."),
    case("longest: 1h30m", "longest: §8d", "`8d` is out of range here.", "From 5m to 7d."),
    case("longest: 1h30m", "longest: §4m", "`4m` is out of range here."),
    case("longest: 1h30m", "longest: §[1h]", "A duration is text, not a list."),
    case(
        "mode: request,\n         longest: 1h30m, approvers: [boss]",
        "mode: standing, longest: §13h",
        "out of range",
        "to 12h.",
    ),
    case("approvers: [boss]", "approvers: [boss], administrative: §yes", "administrative is either true or false."),
    case("approvers: [boss]", "approvers: [boss], recording: §all", "`all` is not a recording.", "whole"),
    # bindings
    case("role: boss, person", "role: §bos, person", "There is no role bos.", "Did you mean `boss`?"),
    case("group: web, because", "group: §wep, because", "There is no group wep.", "Did you mean `web`?"),
    case("- {role: web, group: web, because", "- §{role: web, because", "one group or one person"),
    case("- {role: web, group", "- §{role: web, person: max@example.com, group", "one group or one person"),
    case("- {role: web, group: web, because: runs it}", "- §{}", "This binding has no `role`."),
    case("- {role: web, group: web, because: runs it}", "- §text", "The binding must be a mapping."),
    case("because: runs it", "because: §''", "The reason is empty."),
    case("ends: 2026-12-31", "ends: §2026-13-31", "`2026-13-31` is not a date"),
    case("ends: 2026-12-31", "ends: §2026-12-31T10:00:00", "is not a date", "+01:00"),
    case("ends: 2026-12-31", "ends: §1999-12-30", "is not a date between 2000 and 2199"),
    case("ends: 2026-12-31", "ends: §9999-12-31", "is not a date between 2000 and 2199"),
    case("ends: 2026-12-31", "ends: §[x]", "is not a date"),
    case(
        "  - {role: web, group", "  - {role: web, group: web, because: x}\n  - §{role: web, group", "bound to web twice"
    ),
]


@pytest.mark.parametrize(("old", "new", "message", "hint"), CASES)
def test_a_problem_names_its_place_and_the_way_out(old: str, new: str, message: str, hint: str) -> None:
    assert FILE.count(old) == 1 or old == FILE
    before, mark, after = FILE.replace(old, new).partition("§")
    assert mark
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = problems(before + after)
    named = [each for each in found if each.startswith(f"access.yaml:{line}:{column}: ")]
    assert any(message in each and hint in each for each in named), found


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = FILE.replace("kind: ssh", "kind: shh").replace("longest: 1h30m", "longest: 90").replace("max@", "mix@")
    found = [each.split(": ")[0] for each in problems(text)]
    assert found == ["access.yaml:3:19", "access.yaml:6:11", "access.yaml:24:19"]


def test_problems_are_bounded_and_say_so() -> None:
    members = "".join(f"\n    - nobody{number}" for number in range(200))
    found = problems(f"version: 1\ngroups:\n  web:\n   members:{members}")
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == "access.yaml:54:7: There are more problems than are listed here."


def test_a_large_file_is_refused_before_it_is_read() -> None:
    assert problems("#" * (MAX_FILE_BYTES + 1))[0].startswith("access.yaml:1:1: The file is larger than 1 MiB.")
    assert problems("#" + "\n" * (MAX_FILE_BYTES // 2))[0].startswith("access.yaml:1:1: The file is larger than 1 MiB.")


def test_deep_nesting_costs_nothing() -> None:
    assert "nested deeper" in problems("[" * 500_000)[0]
    assert "nested deeper" in problems("{a: " * 200_000)[0]


def test_too_many_roles_and_too_large_ones_are_refused() -> None:
    roles = "".join(f"  r{number}: {{}}\n" for number in range(501))
    assert problems(f"version: 1\nroles:\n{roles}") == ["access.yaml:503:3: There are 501 roles. At most 500."]
    logins = ", ".join(f"a{number:02}{'x' * 55}" for number in range(64))
    one = f"{{actions: [shell], where: {{a: b}}, logins: [{logins}], mode: standing, longest: 1h}}"
    lines = "".join(f"      p{number}: {one}\n" for number in range(20))
    text = f"version: 1\nroles:\n  big:\n    purpose: x\n    owner: ada@example.com\n    permissions:\n{lines}"
    assert "The role big takes" in problems(text)[0]


def test_who_is_meant_by_an_address() -> None:
    left = replace(ADA, person="per_left", enabled=False)
    assert not problems(FILE, left, ADA, MAX)
    assert not problems(FILE, left, MAX)
    twin = replace(ADA, person="per_twin")
    found = problems(FILE, ADA, twin, MAX)
    assert found[0] == "access.yaml:9:12: ada@example.com is the address of 2 people. Disable all but one."
    assert problems(FILE, replace(ADA, email=""), MAX)[0].startswith("access.yaml:9:12: Nobody here has")
    members = ", ".join(f"max{number}@example.com" for number in range(9))
    guesses = problems(FILE.replace("members: [max@", f"members: [{members}, max@"))
    assert [each.endswith("Did you mean `max@example.com`?") for each in guesses] == [True] * 5 + [False] * 4


@pytest.mark.parametrize(
    ("written", "meant"),
    [("web-1.example.com:22", "web-1.example.com"), ("WEB-1:22", "web-1"), ("10.0.0.7:22", "10.0.0.7"),
     ('"[2001:DB8::1]:22"', "2001:db8::1")],
)  # fmt: skip
def test_addresses(written: str, meant: str) -> None:
    assert matrix(FILE.replace("web-1.example.com:22", written)).resources["web-1"].address == meant


def rsa(bits: int) -> str:
    fields = (b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * (bits // 8))
    return "ssh-rsa " + b64encode(b"".join(len(each).to_bytes(4, "big") + each for each in fields)).decode()


@pytest.mark.parametrize("key", [KEY, ECDSA, rsa(2048), f"{KEY} root@web-1"])
def test_host_keys_that_are_taken(key: str) -> None:
    assert matrix(FILE.replace(KEY, key)).resources["web-1"].pins == (" ".join(key.split()[:2]),)


@pytest.mark.parametrize("key", [rsa(1024), ECDSA.replace("nistp256 ", "nistp384 "), KEY.replace("IC4W", "I")])
def test_host_keys_that_are_not_whole(key: str) -> None:
    assert "not a whole" in problems(FILE.replace(KEY, key))[0]


def test_ends_are_days_in_utc_or_exact_times() -> None:
    text = FILE.replace("2026-12-31", "2026-12-31T18:00:00+01:00")
    found = matrix(text).bindings[binding_id("boss", SubjectKind.PERSON, "per_ada")]
    assert found.ends == parse("2026-12-31T17:00:00Z")
    assert found.in_force(parse("2026-12-31T16:59:59Z"))
    assert not found.in_force(parse("2026-12-31T17:00:00Z"))


def test_a_mapping_may_be_empty_but_not_missing_its_value() -> None:
    assert matrix("version: 1\ngroups: {}\nbindings: []") == Matrix({}, {}, {}, {})
    hint = "Write `name: ...` lines below it, or {} where it is empty."
    assert problems("version: 1\ngroups:\n") == [
        f"access.yaml:2:8: The section of groups must be a mapping. {hint}",
    ]


@given(st.text(alphabet=st.sampled_from(FILE + "&*!|>\t%@`'\"\x85\u2028\ud800"), max_size=200))
def test_reading_is_total(text: str) -> None:
    check(read_access(text), text)


@given(st.integers(0, len(FILE)), st.integers(0, 40), st.text(' x-{}[]:\n"a', max_size=3))
def test_reading_a_damaged_file_is_total_and_places_are_in_the_file(begin: int, gone: int, put: str) -> None:
    text = FILE[:begin] + put + FILE[begin + gone :]
    check(read_access(text), text)


def check(read: AccessFile, text: str) -> None:
    lines = text.split("\n")
    assert (read.wanted is None) == bool(read.problems)
    for each in read.problems:
        assert 1 <= each.line <= len(lines) + 1
        assert 1 <= each.column <= max(map(len, lines)) + 2
        assert each.message
    assert isinstance(resolve(read, (ADA, MAX)), Matrix | InvalidFile)
