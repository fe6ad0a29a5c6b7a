"""Doubles of Slack's and Teams' incoming webhooks, as strict as their documentation: what it does not allow is refused.

Slack: docs.slack.dev, "Sending messages using incoming webhooks", Block Kit's reference of blocks and text objects.
Teams: learn.microsoft.com, "Post a workflow when a webhook request is received", adaptivecards.io, schema 1.2.
"""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MARKS = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
CARD = "application/vnd.microsoft.card.adaptive"
MOST_BYTES = 28 * 1024


@dataclass
class Channel:
    """A channel of a chat. `answers` are given first, one a request: status, headers, body."""

    kind: str
    path: str
    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: int = 0

    def take(self, path: str, content_type: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The answer to a post."""
        self.asked += 1
        if self.answers:
            return self.answers.pop(0)
        if path != self.path:
            return 404, {}, b"no_service"
        if content_type != "application/json":
            return 400, {}, b"invalid_payload"
        found = json.loads(body)
        wrong = slack_finds(found) if self.kind == "slack" else teams_finds(found, len(body))
        if wrong:
            return 400, {}, wrong.encode()
        self.taken.append(found)
        return (200, {}, b"ok") if self.kind == "slack" else (202, {}, b"")

    def shown(self, number: int) -> list[str]:
        """What a reader sees of a message, line by line."""
        message = self.taken[number]
        return slack_shows(message) if self.kind == "slack" else teams_shows(message)


def slack_finds(message: dict[str, Any]) -> str:
    """What Slack refuses it for; "" for nothing."""
    if not set(message) <= {"text", "blocks", "unfurl_links", "unfurl_media", "thread_ts", "attachments"}:
        return "invalid_payload"
    if not message.get("text") or len(message["text"]) > 40_000:
        return "no_text"
    for block in message["blocks"]:
        texts = block["elements"] if block["type"] == "context" else [block["text"]]
        if block["type"] not in ("section", "context") or not 1 <= len(texts) <= 10:
            return "invalid_blocks"
        if any(map(_text_is_wrong, texts)):
            return "invalid_blocks"
    return ""


def slack_shows(message: dict[str, Any]) -> list[str]:
    """Text as it is; of marks what they make: a link with its words, or a mention (`@…`)."""
    texts = [
        each for block in message["blocks"] for each in (block["elements"] if "elements" in block else [block["text"]])
    ]
    return [each["text"] if each["type"] == "plain_text" else read_marks(each["text"]) for each in texts]


def _text_is_wrong(text: dict[str, Any]) -> bool:
    fields = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
    return not set(text) <= fields.get(text["type"], set()) or not 1 <= len(text["text"]) <= 3000


def read_marks(text: str) -> str:
    """Slack's marks of `mrkdwn`, and of a message's `text`."""

    def shown(mark: re.Match[str]) -> str:
        what, words = mark[1], mark[2]
        return f"@{what[1:]}" if what[:1] in "!@#" else f"{words or what} -> {what}"

    return MARKS.sub(shown, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def teams_finds(message: dict[str, Any], size: int) -> str:
    """What Teams refuses it for; "" for nothing."""
    if size > MOST_BYTES or set(message) != {"type", "attachments"} or message["type"] != "message":
        return "bad request"
    for each in message["attachments"]:
        card = each["content"]
        if each["contentType"] != CARD or card["type"] != "AdaptiveCard" or card["version"] != "1.2":
            return "bad attachment"
        for block in card["body"]:
            known = {"type", "text", "color", "isSubtle", "size"}
            if block["type"] != "RichTextBlock" or not all(set(run) <= known for run in block["inlines"]):
                return "bad card"
        if not all(set(each) == {"type", "title", "url"} for each in card["actions"]):
            return "bad action"
    return ""


def teams_shows(message: dict[str, Any]) -> list[str]:
    """A `TextRun` knows no marks; an action is a button."""
    card = message["attachments"][0]["content"]
    return [
        *("".join(run["text"] for run in block["inlines"]) for block in card["body"]),
        *(f"[{each['type']} {each['title']} -> {each['url']}]" for each in card["actions"]),
    ]


@contextmanager
def chat_server(channel: Channel, tls: tuple[Path, Path], port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = channel.take(self.path, self.headers["Content-Type"], body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*tls)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
