"""Notices by webhook: a POST, signed as Standard Webhooks demands (standardwebhooks.com, specification 1.0).

`webhook-id` is the notice's, the same for every attempt; `webhook-timestamp` the attempt's; the signature is
HMAC-SHA256 over id, timestamp and body.
"""

import hmac
import json
import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from onepam.egress.fetch import Fetch
from onepam.egress.outbox.send import Later, Letter, later
from onepam.kernel.clock import SECOND, Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

PREFIX = b"whsec_"
SECRET_BYTES = range(24, 65)
LIMIT_BYTES = 64 * 1024

_WEBHOOK = re.compile(r"([a-z][a-z0-9-]{0,39}) (https?://\S{1,500}) (\S{1,500})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver by its name: where we post, and the file of the secret that signs."""

    name: str
    url: str
    secret_file: str

    @classmethod
    def parse(cls, text: str) -> "Webhook":
        """`NAME https://… FILE`. Raises `ValueError`."""
        found = _WEBHOOK.fullmatch(text)
        if found is None or not urlsplit(found[2]).hostname:
            raise ValueError(f"{text!r} is not NAME https://ADDRESS FILE-OF-THE-SECRET")
        return cls(found[1], found[2], found[3])

    @property
    def port(self) -> int:
        """The port that is connected to."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


class WebhookChannel:
    """One receiver; `secret` reads its file, so that a new one needs no restart."""

    def __init__(self, webhook: Webhook, secret: Callable[[], Secret], fetch: Fetch) -> None:
        self._webhook = webhook
        self._secret = secret
        self._fetch = fetch

    async def send(self, letter: Letter, now: Instant) -> Refused | Later | None:
        """Codes: `webhook.secret`, `webhook.status` (any but 2xx), and those of `Fetch`."""
        key = key_of(self._secret())
        if isinstance(key, Refused):
            return key
        body = body_of(letter)
        identity, seconds = letter.notice.id, str(now // SECOND)
        answer = await self._fetch.post(
            self._webhook.url,
            content=body,
            content_type="application/json",
            headers={
                "webhook-id": identity,
                "webhook-timestamp": seconds,
                "webhook-signature": signature(key, identity, seconds, body),
            },
            limit_bytes=LIMIT_BYTES,
        )
        if isinstance(answer, Refused):
            return answer
        if 200 <= answer.status < 300:
            return None
        refused = Refused("webhook.status", f"{self._webhook.name} answered with status {answer.status}.")
        return later(answer.status, answer.headers, refused)


def body_of(letter: Letter) -> bytes:
    """The JSON of a notice: the same for every attempt."""
    notice = letter.notice
    data = {
        "notice": notice.id,
        "sentence": notice.sentence,
        "alarm": notice.newest.alarm,
        "count": notice.count,
        "first_entry": notice.first,
        "last_entry": notice.newest.index,
        "origin": letter.origin,
        "link": letter.link,
        **({"text": notice.newest.text} if notice.newest.text else {}),
    }
    event = {"type": notice.newest.kind, "timestamp": iso(notice.newest.at), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def signature(key: bytes, identity: str, seconds: str, body: bytes) -> str:
    """`v1,` and the base64 of the HMAC."""
    signed = f"{identity}.{seconds}.".encode("ascii") + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")


def key_of(secret: Secret) -> bytes | Refused:
    """The key within `whsec_…`."""
    text = secret.reveal().strip()
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except BadBase64:
        key = b""
    if not text.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        return Refused("webhook.secret", "The file holds no secret: whsec_ and the base64 of 24 to 64 random bytes.")
    return key
