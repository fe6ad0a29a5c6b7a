"""The browser's part of a sign-in, played by hand over HTTP, and settings for the test provider."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from onepam.identity.oidc.settings import OidcSettings, parse
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.secret import Secret
from tests.oidc_provider.provider import OidcProvider

CONSOLE = "https://pam.example.com"
PROVIDER = "pro_test"
REDIRECT_URI = f"{CONSOLE}/sign-in/return/{PROVIDER}"


def now() -> Instant:
    return Instant(int(time.time() * SECOND))


def settings_for(provider: OidcProvider, **fields: Any) -> OidcSettings:
    secret = Secret(fields.pop("secret", provider.client_secret).encode())
    mapping = {"issuer": provider.issuer, "client_id": provider.client_id, **fields}
    found = parse(PROVIDER, CONSOLE, mapping, secret)
    assert isinstance(found, OidcSettings), found
    return found


@contextmanager
def logout_receiver() -> Iterator[tuple[str, list[str]]]:
    """The address of a back-channel logout endpoint, and the tokens it was sent. It believes them all."""
    tokens: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            tokens.extend(form["logout_token"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/backchannel", tokens
        finally:
            server.shutdown()
            thread.join()


class Browser:
    """Keeps cookies, follows redirects as far as they stay at the provider."""

    def __init__(self) -> None:
        self.client = httpx2.AsyncClient(trust_env=False, timeout=30, limits=httpx2.Limits(max_keepalive_connections=0))

    async def goes_to(self, url: str, form: dict[str, str] | None = None) -> httpx2.Response | str:
        """The page that comes at last, or the address outside the provider that it is sent to."""
        provider = urlsplit(url).netloc
        for _ in range(10):
            answer = await (self.client.get(url) if form is None else self.client.post(url, data=form))
            if not answer.is_redirect:
                return answer
            url, form = urljoin(url, answer.headers["location"]), None
            if urlsplit(url).netloc != provider:
                return url
        raise AssertionError("redirected without end")

    async def signs_in(self, url: str, login: str, action: str = "sign-in") -> str:
        """The query string that the browser brings back to us."""
        page = await self.goes_to(url)
        if isinstance(page, httpx2.Response):
            assert 'name="login"' in page.text, page.text
            page = await self.goes_to(str(page.url), {"login": login, "action": action})
        assert isinstance(page, str), page.text
        return urlsplit(page).query

    async def signs_out(self, url: str) -> str:
        """The address to which the provider sends the browser after its page was confirmed."""
        page = await self.goes_to(url)
        assert isinstance(page, httpx2.Response), page
        fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)}
        action = re.search(r'action="([^"]+)"', page.text)
        assert action is not None, page.text
        sent = await self.goes_to(unescape(action[1]), fields)
        assert isinstance(sent, str), sent.text
        return sent
