"""Notices to a channel of Slack or Teams, by its incoming webhook: facts and a link, nothing that decides.

The address is all that such a webhook asks for, so it is a secret and lies in a file. What is sent is text that neither
reads as its own marks: Slack's `plain_text` (Block Kit), Teams' `TextRun` (Adaptive Cards 1.2).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onepam.domain.telling.outbox import ALARMS, REQUESTS, Channel
from onepam.egress.fetch import Fetch
from onepam.egress.outbox.send import Later, Letter, later
from onepam.kernel.clock import Instant, utc
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

LONGEST_TEXT = 2_900
"""Characters; Slack takes 3,000 in one text, and Teams 28 KB in one card."""

LIMIT_BYTES = 64 * 1024
SEE = "See it in OnePAM"

_CHAT = re.compile(r"([a-z][a-z0-9-]{0,39}) (slack|teams) (alarms|requests|alarms,requests) (\S{1,500})", re.ASCII)
_ANSWER = re.compile(rb"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class Chat:
    """A channel by its name: whose it is, what it is told of, and the file of the webhook's address."""

    name: str
    channel: Channel
    subjects: tuple[str, ...]
    address_file: str

    @classmethod
    def parse(cls, text: str) -> "Chat":
        """`NAME slack|teams alarms|requests|alarms,requests FILE`. Raises `ValueError`."""
        found = _CHAT.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{text!r} is not NAME slack|teams {ALARMS}|{REQUESTS}|{ALARMS},{REQUESTS} FILE-OF-THE-ADDRESS"
            )
        return cls(found[1], Channel(found[2]), tuple(found[3].split(",")), found[4])


class ChatChannel:
    """One channel; `address` reads its file, so that a new one needs no restart."""

    def __init__(self, chat: Chat, address: Callable[[], Secret], fetch: Fetch) -> None:
        self._chat = chat
        self._address = address
        self._fetch = fetch

    async def send(self, letter: Letter, now: Instant) -> Refused | Later | None:
        """Codes: `chat.address`, `chat.status` (any but 2xx), and those of `Fetch`."""
        address = self._address().reveal()
        if not address.startswith(b"https://") or not address.isascii():
            return Refused("chat.address", "The file holds no address of a webhook: https://…")
        body = slack_body(letter) if self._chat.channel is Channel.SLACK else teams_body(letter)
        answer = await self._fetch.post(
            address.decode("ascii"),
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8"),
            content_type="application/json",
            limit_bytes=LIMIT_BYTES,
        )
        if isinstance(answer, Refused):
            return answer
        if 200 <= answer.status < 300 and b"delivery failed" not in answer.body:  # a connector of Teams fails with 200
            return None
        why = f" ({answer.body.decode('ascii')})" if _ANSWER.fullmatch(answer.body) else ""
        refused = Refused("chat.status", f"{self._chat.name} answered with status {answer.status}{why}.")
        return later(answer.status, answer.headers, refused)


def slack_body(letter: Letter) -> dict[str, Any]:
    """A message of Slack. `text` is what a notification shows, in which mentions and links are marks; the rest shows
    it as it is."""
    link = f"<{_escaped(letter.link).replace('|', '%7C')}|{SEE}>"
    return {
        "text": _escaped(_said(letter)),
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": _said(letter), "emoji": False}},
            {
                "type": "context",
                "elements": [
                    {"type": "mrkdwn", "text": link},
                    {"type": "plain_text", "text": _where(letter), "emoji": False},
                ],
            },
        ],
    }


def teams_body(letter: Letter) -> dict[str, Any]:
    """A card of Teams; its one action opens the link."""
    colour = {"color": "attention"} if letter.notice.newest.alarm else {}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "fallbackText": _where(letter),
        "body": [
            {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": _said(letter), **colour}]},
            {
                "type": "RichTextBlock",
                "inlines": [{"type": "TextRun", "text": _where(letter), "isSubtle": True, "size": "small"}],
            },
        ],
        "actions": [{"type": "Action.OpenUrl", "title": SEE, "url": letter.link}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _said(letter: Letter) -> str:
    sentence = letter.notice.sentence
    words = f"Alarm: {sentence}" if letter.notice.newest.alarm else sentence
    return words if len(words) <= LONGEST_TEXT else f"{words[: LONGEST_TEXT - 1]}…"


def _where(letter: Letter) -> str:
    return f"{utc(letter.notice.newest.at)}, entry {letter.notice.newest.index} of {letter.origin}"


def _escaped(text: str) -> str:
    """Slack's three marks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
