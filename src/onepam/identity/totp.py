"""Time-based one-time passwords: RFC 6238 with HMAC-SHA-1, six digits, 30 seconds, as all authenticator apps do."""

import hmac
import io
import re
from base64 import b32encode

import pyotp
import segno

from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret

STEP_SECONDS = 30
WINDOW = 1
"""Steps accepted before and after the current one: a phone's clock may be half a minute off."""

_SECRET_BYTES = 20  # RFC 4226 section 4, R6: 160 bits
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_secret(random: RandomBytes) -> Secret:
    """A fresh 160-bit seed. Seal it in the vault; it never stands in the ledger."""
    return Secret(random(_SECRET_BYTES))


def typed_secret(secret: Secret) -> str:
    """The seed for an app without a camera: base32 in groups of four."""
    text = b32encode(secret.reveal()).decode("ascii")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def otpauth_uri(secret: Secret, account: str, issuer: str) -> str:
    """The `otpauth://totp/...` URI that the QR code carries. As secret as the seed."""
    return _totp(secret).provisioning_uri(name=account, issuer_name=issuer)


def qr_svg(text: str) -> str:
    """An inline `<svg>` of the QR code: black on its own white ground, no style, script, id or outer reference.

    It is sized by the page (`viewBox` only) and fits a strict Content-Security-Policy. Raises `ValueError` for a text
    beyond a QR code's 2,331 bytes at this error correction (M, 15 %).
    """
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        svgclass=None,
        lineclass=None,
        dark="#000",
        light="#fff",
        border=4,
        nl=False,
    )
    return out.getvalue().decode("utf-8")


def match(secret: Secret, code: str, at: Instant, last_step: int | None) -> int | None:
    """The step a code belongs to, or None; store it as the person's new `last_step`: a step is used once.

    Takes the same time whichever step matches or none. Of two steps with one code the later is taken, so that the same
    digits cannot be shown again.
    """
    code = code[:20].replace(" ", "")
    typed = code if _CODE.fullmatch(code) else "      "
    totp = _totp(secret)
    now = at // SECOND // STEP_SECONDS
    found: int | None = None
    for step in range(max(0, now - WINDOW), now + WINDOW + 1):
        equal = hmac.compare_digest(totp.generate_otp(step), typed)
        if equal and (last_step is None or step > last_step):
            found = step
    return found


def _totp(secret: Secret) -> pyotp.TOTP:
    return pyotp.TOTP(b32encode(secret.reveal()).decode("ascii"), interval=STEP_SECONDS)
