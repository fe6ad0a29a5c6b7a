"""The API over HTTP: the only thing the commands speak to."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from onepam.cli.home import Home, Session
from onepam.cli.show import REFUSED, SIGNED_OUT, UNAVAILABLE, USAGE, stop

if TYPE_CHECKING:
    import httpx2

SECONDS = 40.0
CONNECT_SECONDS = 5.0
"""A gateway that is not there is told of within this."""
LONG_SECONDS = 900.0
"""For what the gateway works on before it answers: evidence packs."""


def call(
    method: str,
    path: str,
    body: Any = None,
    params: Mapping[str, Any] | None = None,
    *,
    expected: Collection[str] = (),
) -> Any:
    """The JSON answer of `/api/v1` + `path`; ends the program with the right exit code when there is none. `expected`
    as in `ask`."""
    home = Home()
    session = signed_in(home)
    return ask(session.gateway, method, path, body, params, session.token, expected=expected)


def ask(
    gateway: str,
    method: str,
    path: str,
    body: Any = None,
    params: Mapping[str, Any] | None = None,
    token: str = "",
    *,
    expected: Collection[str] = (),
    seconds: float = SECONDS,
) -> Any:
    """As `call`, of a named gateway. Refusals with an `expected` code are an answer, too: `{"code": ...}`."""
    with answered(gateway, method, path, body, params, token, seconds, expected) as answer:
        answer.read()
        try:
            return answer.json()
        except ValueError:
            stop(UNAVAILABLE, f"{gateway} did not answer as a OnePAM gateway does.", "Check the address.")


@contextmanager
def answered(
    gateway: str,
    method: str,
    path: str,
    body: Any = None,
    params: Mapping[str, Any] | None = None,
    token: str = "",
    seconds: float = SECONDS,
    expected: Collection[str] = (),
) -> Iterator["httpx2.Response"]:
    """An answer that is a success, or a refusal with an `expected` code; of a success the body is not read yet."""
    import httpx2

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    known = {name: value for name, value in (params or {}).items() if value is not None}
    try:
        with (
            httpx2.Client(timeout=_patience(seconds), trust_env=not is_loopback(gateway)) as client,
            client.stream(method, f"{gateway}/api/v1{path}", json=body, params=known, headers=headers) as answer,
        ):
            if answer.status_code >= 300:
                answer.read()
                _refused(gateway, answer, expected)
            yield answer
    except httpx2.ConnectTimeout:
        stop(UNAVAILABLE, f"{gateway} cannot be reached.", "Is the gateway running, and its address right?")
    except httpx2.TimeoutException:
        stop(UNAVAILABLE, f"{gateway} did not answer in time.", "Try again soon.")
    except httpx2.HTTPError as error:
        stop(UNAVAILABLE, f"{gateway} cannot be reached: {error}", "Is the gateway running, and its address right?")


def _patience(seconds: float) -> "httpx2.Timeout":
    import httpx2

    return httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def check_alive(gateway: str) -> None:
    """Ends the program where no gateway answers, before anybody is asked to do something for it."""
    ask(gateway, "GET", "/me", expected=("token.missing",), seconds=CONNECT_SECONDS)


def signed_in(home: Home) -> Session:
    """The session that is kept, or the end of the program."""
    session = home.session()
    if session is None:
        stop(SIGNED_OUT, "You are not signed in.", "Run: onepam login")
    return session


def checked_gateway(text: str) -> str:
    """The gateway's address without a slash at its end. A token is never sent in clear but to this machine."""
    named = text.strip()
    address = (named if "://" in named else f"https://{named}").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        stop(USAGE, f"{text} is not the address of a gateway.", "Such as https://pam.example.com")
    if parts.scheme == "http" and not is_loopback(address):
        stop(USAGE, "Over plain http everybody on the way could read your token.", "Use https://")
    return address


def is_loopback(address: str) -> bool:
    """Whether this is this machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(gateway: str, answer: "httpx2.Response", expected: Collection[str]) -> None:
    try:
        said = answer.json()
        code, message, hint = str(said["code"]), str(said["message"]), str(said.get("hint", ""))
        details = [
            f"{each['file']}:{each['line']}:{each['column']}: {each['message']} {each['hint']}".rstrip()
            for each in said.get("problems", ())
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        stop(UNAVAILABLE, f"{gateway} did not answer as a OnePAM gateway does.", "Check the address.")
    if code in expected:
        return
    if answer.status_code == 401:
        stop(SIGNED_OUT, "Your sign-in has ended." if code == "token.missing" else message, "Run: onepam login", code)
    stop(UNAVAILABLE if answer.status_code >= 500 else REFUSED, message, hint, code, details)
