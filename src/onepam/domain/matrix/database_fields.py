"""The fields of `access.yaml` that are a database's: what it is known by, and the guardrails of a permission."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from textwrap import wrap

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import MAX_SESSION
from onepam.domain.matrix.fields import MAX_KEY_BYTES, choices, record, shown, text_of
from onepam.domain.matrix.parse import Findings, Node, Scalar
from onepam.kernel.clock import HOUR, MINUTE, SECOND

MAX_ROWS = 1_000_000_000

_FINGERPRINT = re.compile(r"sha256:(?:[0-9a-f]{64}|[0-9A-F]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})", re.ASCII)
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
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
    given = record(node, node.spot, "set of guardrails", ("statements",), ("rows", "timeout"), findings)
    if "statements" not in given:
        return None
    statements = choices(given["statements"], "class of statement", StatementClass, findings)
    rows = _rows(given["rows"], findings) if "rows" in given else None
    timeout = _bound(given["timeout"], findings) if "timeout" in given else None
    return Guardrails(statements, rows, timeout)


def _rows(node: Node, findings: Findings) -> int | None:
    text = node.text if isinstance(node, Scalar) and node.plain else ""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text, re.ASCII) or int(text) > MAX_ROWS:
        findings.add(node.spot, "The most rows are a number.", f"From 1 to {MAX_ROWS}, without quotes or separators.")
        return None
    return int(text)


def _bound(node: Node, findings: Findings) -> int | None:
    """`30s`, `5m`, `1h`: microseconds."""
    text = node.text if isinstance(node, Scalar) else ""
    match = _BOUND.fullmatch(text)
    units = (("hours", HOUR), ("minutes", MINUTE), ("seconds", SECOND))
    amount = sum(int(match[unit] or 0) * size for unit, size in units) if match else 0
    if not SECOND <= amount <= MAX_SESSION:
        findings.add(node.spot, f"{shown(text)} is no time that a statement may take.", "Such as 30s or 5m; 1s to 12h.")
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
