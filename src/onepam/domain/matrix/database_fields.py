"""The fields of `access.yaml` that are a database's: what it is known by, what of its data is masked and kept, and the
guardrails of a permission."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from textwrap import wrap

from onepam.domain.access.guardrails import ASKABLE, PLAIN, Guardrails, StatementClass, asking
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import MAX_SESSION, ResourceKind
from onepam.domain.access.patterns import BadPattern, Patterns
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.matrix.fields import (
    LOGIN,
    MAX_KEY_BYTES,
    MAX_LIST,
    choices,
    entries,
    items,
    meant,
    record,
    shown,
    text_of,
    word,
)
from onepam.domain.matrix.parse import Findings, Node, Scalar
from onepam.kernel.clock import HOUR, MINUTE, SECOND

MAX_ROWS = 1_000_000_000
MAX_BYTES = 1 << 40
SHORTEST_WAIT = 10 * SECOND
MAX_PATTERNS = 16
MAX_KEPT_ROWS = 1_000
MAX_KEPT_BYTES = 256 * 1024
"""Of one result the most that may be recorded."""

_BOUNDS = ("ask_first", "wait", "rows", "bytes", "timeout")
"""The fields of guardrails that may be missing."""

_DATABASES = (ResourceKind.POSTGRES, ResourceKind.MYSQL)

_FINGERPRINT = re.compile(r"sha256:(?:[0-9a-f]{64}|[0-9A-F]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})", re.ASCII)
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_COLUMN = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_$]{0,62}\.){0,2}[A-Za-z_][A-Za-z0-9_$]{0,62}", re.ASCII)
_SIZE = re.compile(r"([1-9][0-9]{0,5})KiB", re.ASCII)
_BYTES = re.compile(r"([1-9][0-9]{0,9})([KMG]iB)", re.ASCII)
_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}
_BOUND = re.compile(r"(?:(?P<hours>[0-9]{1,2})h)?(?:(?P<minutes>[0-9]{1,3})m)?(?:(?P<seconds>[0-9]{1,5})s)?", re.ASCII)


def certificate(node: Node, findings: Findings) -> str | None:
    """What a server is known by: `sha256:` and the digest of its certificate (DER), or a CA's certificate as PEM."""
    text = text_of(node, "certificate", findings, MAX_KEY_BYTES)
    if text is None:
        return None
    if _FINGERPRINT.fullmatch(text):
        return "sha256:" + text.partition(":")[2].replace(":", "").lower()
    if text.startswith(_BEGIN):
        inner = "".join(text.removeprefix(_BEGIN).removesuffix(_END).split())
        if text.endswith(_END) and _is_der(inner):
            return "\n".join((_BEGIN, *wrap(inner, 64), _END, ""))
        problem = "This is not one whole certificate."
    else:
        problem = f"{shown(text)} is no certificate."
    hint = f"Write sha256: and its 64 hexadecimal digits, or a CA's certificate from {_BEGIN} to {_END}."
    findings.add(node.spot, problem, hint)
    return None


def guardrails(node: Node, findings: Findings) -> Guardrails | None:
    """What of a database's statements a permission lets through."""
    given = record(node, node.spot, "set of guardrails", ("statements",), _BOUNDS, findings)
    if "statements" not in given:
        return None
    statements = choices(given["statements"], "class of statement", StatementClass, findings, PLAIN)
    if "ask_first" in given:
        first = choices(given["ask_first"], "asking class of statement", StatementClass, findings, ASKABLE)
        if both := [each.value for each in first if each in statements]:
            hint = "Keep it in ask_first if somebody else has to say yes, else in statements."
            findings.add(given["ask_first"].spot, f"{', '.join(both)} also stands in statements.", hint)
        statements = (*statements, *(asking(each) for each in first))
    elif "wait" in given:
        hint = "Remove it, or name classes of statements in ask_first."
        findings.add(given["wait"].spot, "Nothing asks first here, so nothing waits.", hint)
    return Guardrails(
        statements,
        rows=_rows(given["rows"], findings) if "rows" in given else None,
        timeout=_time(given["timeout"], "take", SECOND, findings) if "timeout" in given else None,
        bytes=_bytes(given["bytes"], findings) if "bytes" in given else None,
        wait=_time(given["wait"], "wait for a yes", SHORTEST_WAIT, findings) if "wait" in given else None,
    )


def data(kind: ResourceKind, given: Mapping[str, Node], findings: Findings) -> tuple[Mask | None, Results | None]:
    """What of a resource's data is masked, and how much of its results is recorded."""
    if kind not in _DATABASES:
        for name in ("mask", "results"):
            if name in given:
                findings.add(given[name].spot, f"A resource of kind {kind} has no `{name}`.", "Remove it.")
        return None, None
    return (
        _mask(given["mask"], findings) if "mask" in given else None,
        _results(given["results"], findings) if "results" in given else None,
    )


def session_users(
    kind: ResourceKind, given: Mapping[str, Node], logins: tuple[str, ...], findings: Findings
) -> SessionUsers | None:
    """For which of the logins a user is made for each session, as a member of which role, and by which account."""
    if "session_users" not in given:
        return None
    node = given["session_users"]
    if kind not in _DATABASES:
        findings.add(node.spot, f"A resource of kind {kind} has no `session_users`.", "Remove it.")
        return None
    inner = record(node, node.spot, "set of session users", ("made_by", "member_of"), (), findings)
    made_by = word(inner["made_by"], "account", findings, LOGIN) if "made_by" in inner else None
    if made_by in logins:
        hint = "Take it out of `logins`: it may make users, so nobody comes as it."
        findings.add(inner["made_by"].spot, f"{shown(made_by)} is a login, too.", hint)
    member_of = _member_of(inner["member_of"], logins, findings) if "member_of" in inner else {}
    return SessionUsers(made_by, member_of) if made_by is not None and member_of else None


def _member_of(node: Node, logins: tuple[str, ...], findings: Findings) -> dict[str, str]:
    found: dict[str, str] = {}
    listed = entries(node, "set of logins with their roles", findings)
    if not listed or len(listed) > MAX_LIST:
        findings.add(node.spot, "No login is named here, or too many.", f"Name 1 to {MAX_LIST}: {{app_read: readers}}.")
        return found
    for key, value in listed:
        role = word(value, "role of the server", findings, LOGIN)
        if key.text not in logins:
            findings.add(key.spot, f"There is no login {shown(key.text)} here.", meant(key.text, logins, findings))
        elif role is not None:
            found[key.text] = role
    return dict(sorted(found.items()))


def _mask(node: Node, findings: Findings) -> Mask | None:
    given = record(node, node.spot, "mask", (), ("columns", "patterns"), findings)
    columns = _columns(given["columns"], findings) if "columns" in given else ()
    patterns = _patterns(given["patterns"], findings) if "patterns" in given else ()
    if not columns and not patterns:
        findings.add(node.spot, "This mask masks nothing.", "Add `columns`, `patterns`, or both.")
        return None
    return Mask(tuple(sorted(columns)), tuple(sorted(patterns)))


def _columns(node: Node, findings: Findings) -> set[str]:
    found = set()
    for each in items(node, "columns", findings):
        text = text_of(each, "column", findings)
        if text is not None and not _COLUMN.fullmatch(text):
            findings.add(
                each.spot, f"{shown(text)} is no column.", "Write column, table.column or schema.table.column."
            )
        elif text is not None:
            found.add(text.lower())
    return found


def _patterns(node: Node, findings: Findings) -> set[str]:
    found = set()
    for each in items(node, "patterns", findings, MAX_PATTERNS):
        text = each.text if isinstance(each, Scalar) else None
        try:
            if text is None or Patterns.of((text,)).found(""):
                findings.add(each.spot, "This pattern is in every text.", "Write one that is in what is to be masked.")
            else:
                found.add(text)
        except BadPattern as why:
            findings.add(each.spot, f"{shown(text or '')} is no pattern: {why}.", "Such as '\\b\\d{16}\\b'.")
    try:
        Patterns.of(found)
    except BadPattern as why:
        findings.add(node.spot, f"These patterns are too many: {why}.", "Leave some out.")
    return found


def _results(node: Node, findings: Findings) -> Results | None:
    given = record(node, node.spot, "rule of results", ("rows", "bytes"), (), findings)
    if "rows" not in given or "bytes" not in given:
        return None
    rows, size = _rows(given["rows"], findings, MAX_KEPT_ROWS), given["bytes"]
    match = _SIZE.fullmatch(size.text) if isinstance(size, Scalar) else None
    kept = 1024 * int(match[1]) if match else 0
    if not 1024 <= kept <= MAX_KEPT_BYTES:
        findings.add(size.spot, "The most bytes that are kept are a size.", "Such as 64KiB; 1KiB to 256KiB.")
        return None
    return None if rows is None else Results(rows, kept)


def _rows(node: Node, findings: Findings, most: int = MAX_ROWS) -> int | None:
    text = node.text if isinstance(node, Scalar) and node.plain else ""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text, re.ASCII) or int(text) > most:
        findings.add(node.spot, "The most rows are a number.", f"From 1 to {most}, without quotes or separators.")
        return None
    return int(text)


def _bytes(node: Node, findings: Findings) -> int | None:
    """`10MiB`: bytes."""
    text = node.text if isinstance(node, Scalar) else ""
    match = _BYTES.fullmatch(text)
    most = int(match[1]) << _UNITS[match[2]] if match else 0
    if not 0 < most <= MAX_BYTES:
        problem = f"{shown(text)} is no size that a result may have."
        findings.add(node.spot, problem, "Such as 500KiB or 10MiB; 1KiB to 1024GiB.")
        return None
    return most


def _time(node: Node, what: str, least: int, findings: Findings) -> int | None:
    """`30s`, `5m`, `1h`: microseconds. `what`: for what a statement has so long."""
    text = node.text if isinstance(node, Scalar) else ""
    match = _BOUND.fullmatch(text)
    units = (("hours", HOUR), ("minutes", MINUTE), ("seconds", SECOND))
    amount = sum(int(match[unit] or 0) * size for unit, size in units) if match else 0
    if not least <= amount <= MAX_SESSION:
        hint = f"Such as 30s or 5m; {least // SECOND}s to 12h."
        findings.add(node.spot, f"{shown(text)} is no time that a statement may {what}.", hint)
        return None
    return amount


def _is_der(text: str) -> bool:
    """Whether it is one whole ASN.1 sequence: that its content is a certificate, the first dial finds out."""
    try:
        data = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return False
    if len(data) < 128 or data[0] != 0x30 or data[1] not in (0x81, 0x82):
        return False
    width = data[1] & 0x7F
    return len(data) == 2 + width + int.from_bytes(data[2 : 2 + width], "big")
