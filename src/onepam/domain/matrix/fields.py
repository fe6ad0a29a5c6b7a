"""The fields of `access.yaml`, one reader each: a value, or None and a finding that says what would be right."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TypeVar

from onepam.domain.access.mfa_rule import MAX_AGE
from onepam.domain.access.model import MfaRule
from onepam.domain.matrix.parse import Entries, Findings, Items, Node, Scalar, Spot
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, instant
from onepam.kernel.limits import MAX_TEXT_CHARACTERS

C = TypeVar("C", bound=StrEnum)

MAX_NAME = 63
MAX_LIST = 64
MAX_KEY_BYTES = 4_096

SHORTEST = 5 * MINUTE
"""Shortest time that a permission may name (microseconds)."""

NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*", re.ASCII)
VALUE = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9._+\\$-]*(?:@[A-Za-z0-9][A-Za-z0-9.-]*)?", re.ASCII)
"""An account's name, as `deploy`, `bob@corp.example`, `CORP\\bob` or `host$`."""

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?", re.ASCII)
"""The name of an environment variable, or the beginning of one and a star."""

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.(?!\Z)|\Z))+", re.ASCII)
_ADDRESS = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})", re.ASCII)
_DURATION = re.compile(r"(?:(?P<days>[0-9]{1,2})d)?(?:(?P<hours>[0-9]{1,3})h)?(?:(?P<minutes>[0-9]{1,4})m)?", re.ASCII)
_TAGS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "nothing", "timestamp": "a date"}
_CURVES = {"ecdsa-sha2-nistp256": 65, "ecdsa-sha2-nistp384": 97, "ecdsa-sha2-nistp521": 133}


def shown(text: str) -> str:
    """A piece of the file as a message quotes it."""
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def meant(text: str, options: Iterable[str], findings: Findings) -> str:
    """A hint: the nearest of the options, else what they are. None once `findings` is full: nobody would see it."""
    known = [] if findings.full else sorted(options)
    if near := get_close_matches(text.lower(), known, 1):
        return f"Did you mean `{near[0]}`?"
    more = f" ... ({len(known)} in all)" if len(known) > 8 else ""
    return f"There is {', '.join(known[:8])}{more}." if known else "There is none yet."


def _a(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def text_of(node: Node, what: str, findings: Findings, longest: int = MAX_TEXT_CHARACTERS) -> str | None:
    """Text of 1 to `longest` characters. What YAML would read as another type must stand in quotes."""
    if not isinstance(node, Scalar):
        findings.add(
            node.spot, f"{_a(what).capitalize()} is text, not a {'list' if isinstance(node, Items) else 'mapping'}."
        )
        return None
    text = " ".join(node.text.split())
    if not text:
        findings.add(node.spot, f"The {what} is empty.", "Write it, or remove the line.")
    elif node.tag != "str":
        findings.add(
            node.spot,
            f"YAML reads {shown(text)} as {_TAGS.get(node.tag, node.tag)}, where {_a(what)} is text.",
            f'Write it in quotes: "{text}"' if len(text) <= 60 else "Write it in quotes.",
        )
    elif len(text) > longest:
        findings.add(node.spot, f"The {what} has {len(text)} characters.", f"At most {longest}.")
    else:
        return text
    return None


def word(node: Node, what: str, findings: Findings, pattern: re.Pattern[str] = NAME) -> str | None:
    """A name: a bounded word, lower case but for logins."""
    text = text_of(node, what, findings, MAX_NAME)
    if text is None or pattern.fullmatch(text):
        return text
    lower = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")
    hint = f"Did you mean `{lower}`?" if pattern.fullmatch(lower) else "Use a-z, 0-9 and single - _ . between them."
    findings.add(node.spot, f"{shown(text)} is not {_a(what)}.", hint)
    return None


def entries(node: Node, what: str, findings: Findings) -> tuple[tuple[Scalar, Node], ...]:
    """The entries of a mapping; none, and a finding, where it is something else."""
    if isinstance(node, Entries):
        return node.entries
    findings.add(
        node.spot, f"The {what} must be a mapping.", "Write `name: ...` lines below it, or {} where it is empty."
    )
    return ()


def record(
    node: Node, spot: Spot, what: str, required: tuple[str, ...], optional: tuple[str, ...], findings: Findings
) -> dict[str, Node]:
    """The fields of a mapping by name. Unknown and missing ones are findings; the missing are reported at `spot`."""
    found = {}
    given = entries(node, what, findings)
    for key, value in given:
        if key.text in required or key.text in optional:
            found[key.text] = value
        else:
            findings.add(
                key.spot,
                f"{_a(what).capitalize()} has no {shown(key.text)}.",
                meant(key.text, (*required, *optional), findings),
            )
    if isinstance(node, Entries):
        for name in required:
            if name not in found:
                findings.add(spot, f"This {what} has no `{name}`.", f"Add a line: {name}: ...")
    return found


def items(node: Node, what: str, findings: Findings, most: int = MAX_LIST) -> tuple[Node, ...]:
    """The items of a list of at most `most`."""
    if not isinstance(node, Items):
        hint = f"Write it in brackets: [{node.text}]" if isinstance(node, Scalar) and len(node.text) <= 60 else ""
        findings.add(node.spot, f"The {what} must be a list.", hint)
        return ()
    if len(node.items) > most:
        findings.add(node.spot, f"The list of {what} has {len(node.items)} items.", f"At most {most}.")
        return ()
    return node.items


def words(
    node: Node, what: str, findings: Findings, pattern: re.Pattern[str] = NAME, most: int = MAX_LIST
) -> tuple[tuple[str, Spot], ...]:
    """Distinct names with their places, in the file's order."""
    found: dict[str, Spot] = {}
    for each in items(node, f"{what}s", findings, most):
        name = word(each, what, findings, pattern)
        if name in found:
            findings.add(each.spot, f"{shown(name)} stands here twice.", "Keep one of them.")
        elif name is not None:
            found[name] = each.spot
    return tuple(found.items())


def choices(node: Node, what: str, kind: type[C], findings: Findings, of: tuple[C, ...] = ()) -> tuple[C, ...]:
    """At least one of an enumeration's values, or of those `of` it, in its own order."""
    chosen, known = set(), of or tuple(kind)
    listed = items(node, f"{what}s", findings)
    if not listed and isinstance(node, Items):
        findings.add(node.spot, f"The list of {what}s is empty.", f"Choose of: {', '.join(known)}.")
    for each in listed:
        one = choice(each, what, kind, findings, known)
        if one is not None and one in chosen:
            findings.add(each.spot, f"{shown(one.value)} stands here twice.", "Keep one of them.")
        elif one is not None:
            chosen.add(one)
    return tuple(each for each in known if each in chosen)


def choice(node: Node, what: str, kind: type[C], findings: Findings, of: tuple[C, ...] = ()) -> C | None:
    """One of an enumeration's values, or of those `of` it."""
    known = of or tuple(kind)
    text = text_of(node, what, findings)
    if text is None:
        return None
    for each in known:
        if each.value == text:
            return each
    findings.add(node.spot, f"{shown(text)} is not {_a(what)}.", meant(text, known, findings))
    return None


def email(node: Node, what: str, findings: Findings) -> str | None:
    """An e-mail address, in lower case."""
    text = text_of(node, what, findings)
    if text is None or _EMAIL.fullmatch(text):
        return text and text.lower()
    findings.add(node.spot, f"{shown(text)} is not an e-mail address.", "People are named by e-mail: ada@example.com")
    return None


def flag(node: Node, what: str, findings: Findings) -> bool | None:
    """`true` or `false`, and no other spelling."""
    if isinstance(node, Scalar) and node.plain and node.text in ("true", "false"):
        return node.text == "true"
    findings.add(node.spot, f"{what} is either true or false.", "Write true or false, without quotes.")
    return None


def duration(node: Node, findings: Findings, longest: int) -> int | None:
    """`30m`, `4h`, `1h30m`, `2d`: microseconds, from `SHORTEST` to `longest`."""
    text = text_of(node, "duration", findings) if not _is_number(node) else None
    match = _DURATION.fullmatch(text or "")
    if match is None or not any(match.groups()):
        if text is not None or _is_number(node):
            findings.add(node.spot, "A duration is a number with a unit.", "Such as 30m, 4h, 1h30m or 2d.")
        return None
    amount = sum(int(match[unit] or 0) * size for unit, size in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)))
    if not SHORTEST <= amount <= longest:
        most = f"{longest // DAY}d" if longest % DAY == 0 else f"{longest // HOUR}h"
        findings.add(node.spot, f"{shown(match[0])} is out of range here.", f"From 5m to {most}.")
        return None
    return amount


def ends(node: Node, findings: Findings) -> Instant | None:
    """The end of a day in UTC (`2026-12-31`: all of that day), or of an exact time with its zone."""
    text = node.text.strip() if isinstance(node, Scalar) else ""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            midnight = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time.min, UTC)
            return _within(instant(midnight))
        return _within(instant(datetime.fromisoformat(text)))
    except (ValueError, OverflowError):
        hint = "Such as 2026-12-31 (all of that day, UTC) or 2026-12-31T18:00:00+01:00."
        findings.add(node.spot, f"{shown(text)} is not a date between 2000 and 2199.", hint)
        return None


def address(node: Node, findings: Findings, port: int | None = None) -> tuple[str, int] | None:
    """`host:port` or `[IPv6]:port`; without a port where `port` is what it is then."""
    text = text_of(node, "address", findings)
    if text is None:
        return None
    match = _ADDRESS.fullmatch(text) or (_ADDRESS.fullmatch(f"{text}:{port}") if port else None)
    host = match and (_six(match["six"]) if match["six"] else _host(match["host"]))
    if not match or not host or not 1 <= int(match["port"]) <= 65535:
        findings.add(node.spot, f"{shown(text)} is not an address.", "Write host:port, such as web-1.example.com:22.")
        return None
    return host, int(match["port"])


def host_key(node: Node, findings: Findings) -> str | None:
    """An OpenSSH public host key, `type base64` without its comment (RFC 4253 section 6.6, RFC 5656, RFC 8709)."""
    text = text_of(node, "host key", findings, MAX_KEY_BYTES)
    if text is None:
        return None
    parts = text.split()
    if len(parts) > 1 and (parts[0].startswith(("[", "@")) or _key_type(parts[1])):
        problem = "This is a line of known_hosts."
    elif not _key_type(parts[0]):
        problem = f"{shown(parts[0])} is not a type of host key that is accepted."
    elif len(parts) < 2 or not _key_shape(parts[0], parts[1]):
        problem = f"This is not a whole {parts[0]} key."
    else:
        return f"{parts[0]} {parts[1]}"
    hint = "Write the key alone, as in /etc/ssh/ssh_host_ed25519_key.pub: ssh-ed25519 AAAA..."
    findings.add(node.spot, problem, hint)
    return None


def labels(node: Node, what: str, findings: Findings) -> Mapping[str, str]:
    """Label keys and values; at least one."""
    found = {}
    listed = entries(node, what, findings)
    if not listed and isinstance(node, Entries):
        findings.add(
            node.spot, f"The {what} is empty, so it would select nothing.", "Write labels, such as {env: prod}."
        )
    if len(listed) > MAX_LIST:
        findings.add(node.spot, f"The {what} has {len(listed)} labels.", f"At most {MAX_LIST}.")
        return {}
    for key, value in listed:
        name, content = word(key, "label", findings), word(value, "label's value", findings, VALUE)
        if name is not None and content is not None:
            found[name] = content
    return found


def mfa_rule(node: Node, findings: Findings) -> MfaRule | None:
    """What a resource asks of the second factor; None where that is what holds anyway."""
    given = record(
        node, node.spot, "rule of the second factor", (), ("max_age", "phishing_resistant", "fresh"), findings
    )
    if isinstance(node, Entries) and not node.entries:
        findings.add(node.spot, "This rule of the second factor asks for nothing.", "Write what it asks, or remove it.")
    oldest = duration(given["max_age"], findings, MAX_AGE) if "max_age" in given else None
    asked = {
        name: flag(given[name], name, findings) or False for name in ("phishing_resistant", "fresh") if name in given
    }
    rule = MfaRule(None if oldest == MAX_AGE else oldest, **asked)
    return None if rule == MfaRule() else rule


def _is_number(node: Node) -> bool:
    return isinstance(node, Scalar) and node.tag in ("int", "float")


def _within(at: Instant) -> Instant:
    if not 946_684_800_000_000 <= at <= 7_258_118_400_000_000:  # 2000 to 2200
        raise ValueError("outside of what calendars of contracts hold")
    return at


def _six(text: str) -> str | None:
    try:
        return str(IPv6Address(text)) if "%" not in text else None
    except AddressValueError:
        return None


def _host(text: str) -> str | None:
    if re.fullmatch(r"[0-9.]+", text):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            return None
    return text.lower() if _HOST.fullmatch(text) else None


def _key_type(text: str) -> bool:
    return text in ("ssh-ed25519", "ssh-rsa") or text in _CURVES


def _key_shape(kind: str, text: str) -> bool:
    try:
        fields = _wire_fields(b64decode(text, validate=True))
    except (NotBase64, ValueError):
        return False
    if not fields or fields[0] != kind.encode("ascii"):
        return False
    if kind == "ssh-ed25519":
        return len(fields) == 2 and len(fields[1]) == 32
    if kind == "ssh-rsa":
        return len(fields) == 3 and 1 <= len(fields[1]) <= 8 and 256 <= len(fields[2].lstrip(b"\0")) <= 2048
    curve = kind.rpartition("-")[2].encode("ascii")
    return len(fields) == 3 and fields[1] == curve and len(fields[2]) == _CURVES[kind] and fields[2][0] == 4


def _wire_fields(data: bytes) -> list[bytes]:
    """The length-prefixed strings of RFC 4251 section 5. Raises `ValueError` where the lengths do not add up."""
    fields = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError("cut short")
        fields.append(data[4 : 4 + size])
        data = data[4 + size :]
    return fields
