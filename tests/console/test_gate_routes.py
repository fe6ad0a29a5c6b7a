"""Every route of console and API that takes a secret: what can be guessed goes through the gate, and for everything
else it stands here why there is nothing to guess.

What a route takes is read from its handler and whatever the handler calls: the verdicts of `onepam.identity` that it
asks for, and the names of what it reads. A new route that takes a secret, and a new verdict, fail until they are here.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from onepam.api.app import ROUTES
from onepam.console.app import PLACES
from onepam.console.frame.gate import through_gate
from tests.console.test_gate import WAYS

VERDICTS = {
    "passwords.verify_password", "totp.match", "recovery.match", "passkeys.verify_authentication",
    "passkeys.verify_registration", "cli_codes.open_code", "tokens.code_digest", "tokens.is_token", "tokens.same",
    "response.check", "logout.read_logout_form", "logout.read_logout_query",
}  # fmt: skip
"""What of `onepam.identity` judges something that a visitor shows."""

ASKED = {"openid": {"finish", "logout_notice"}}
"""Verdicts of what stands in the services, by their attribute."""

NO_VERDICTS = {
    "passwords.check", "passwords.hash_password", "totp.new_secret", "totp.qr_svg", "totp.otpauth_uri",
    "totp.typed_secret", "recovery.new_codes", "passkeys.new_challenge", "passkeys.authentication_options",
    "passkeys.registration_options", "passkeys.presented", "cli_codes.issue_code", "cli_codes.is_redirect",
    "tokens.new_token", "tokens.token_digest", "tokens.is_pkce_challenge", "ssh_keys.parse_public_key",
    "ssh_keys.fingerprint", "stored.codes_text", "stored.passkey_text", "stored.sealed_seed", "stored.open_seed",
    "stored.read_passkey", "stored.read_codes",
}  # fmt: skip
"""They make, format or unseal, and tell nobody anything about what was shown."""

ROOMS = ("passwords", "totp", "recovery", "recovery_key", "passkeys", "cli_codes", "tokens", "ssh_keys", "stored")
"""The rooms of `onepam.identity` of which every function is in one of the two sets; a provider's rooms have settings
and addresses beside their verdicts."""

SECRET = re.compile(
    r"password|passphrase|(?:^|_)code$|credential|secret|^token$|assertion|^SAML|logout_token|verifier|^key$"
)

GATED = {
    "POST /sign-in": "password",
    "POST /sign-in/totp": "app",
    "POST /sign-in/recovery": "recovery code",
    "POST /step-up/totp": "step-up",
}
"""What can be guessed, with its way in `test_gate.WAYS`, where it is tried until it is locked."""

_SIGNED = "signed by a key that the visitor does not have: nothing to guess"
_OWN = "of a factor that was made a moment ago in this browser: nobody is signed in by it"
_LINK = "under a link of 256 random bits"
_SET = "an administrator sets it; it proves nothing"
_NAME = "it names what is decided about, and is no secret"
_PUBLIC = "the public half of a key"
_MADE = "makes a secret for whoever is signed in, and takes none"

FREE = {
    "POST /sign-in/passkey/verify": _SIGNED,
    "POST /step-up/passkey/verify": _SIGNED,
    "POST /factors/passkey/verify": _SIGNED,
    "POST /enrol/{token}/passkey/verify": _SIGNED,
    "GET /sign-in/return/{provider}": _SIGNED,
    "POST /sign-in/return/{provider}": _SIGNED,
    "POST /sign-in/return/{provider}/finish": _SIGNED,
    "POST /sign-in/backchannel/{provider}": _SIGNED,
    "GET /sign-in/logout/{provider}": _SIGNED,
    "POST /sign-in/logout/{provider}": _SIGNED,
    "POST /factors/totp": _OWN,
    "POST /enrol/{token}/totp": _OWN,
    "GET /enrol/{token}": _LINK,
    "POST /enrol/{token}/password": _LINK,
    "POST /enrol/{token}/totp/start": _LINK,
    "POST /enrol/{token}/passkey/options": _LINK,
    "POST /enrol/{token}/codes": _LINK,
    "POST /sign-in/passkey/options": "asks for a challenge, and shows nothing",
    "POST /factors/keys": _PUBLIC,
    "POST /people/{person}/keys": _PUBLIC,
    "POST /providers": _SET,
    "POST /signals": _SET,
    "POST /roster/source": _SET,
    "POST /api/roster/source": _SET,
    "POST /api/roster/source/plan": _SET,
    "POST /provisioning/tokens/{token}/end": _NAME,
    "POST /confirm/{token}/refuse": _NAME,
    "POST /confirm/{token}": "one guess: a wrong code ends the terminal's attempt",
    "POST /cli/device/{device}": "one guess: a wrong code ends the terminal's attempt",
    "POST /api/cli/device": "asks for a code, and shows nothing",
    "POST /api/cli/device/keys": _SIGNED,
    "POST /api/cli/device/token": "under a secret of 256 bits",
    "POST /api/login-tokens": _MADE,
    "POST /databases/token": _MADE,
    "POST /api/secrets": _SET,
    "POST /api/cli/token": "a value that the gateway sealed, with the verifier of 256 bits",
}


def functions(handler: Callable[..., Any]) -> Iterator[FunctionType]:
    """The handler and whatever of our front doors it calls."""
    seen: set[int] = set()
    waiting: list[Any] = [handler]
    while waiting:
        one = inspect.unwrap(waiting.pop())
        if not isinstance(one, FunctionType) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        named = set(_names(one.__code__))
        for name in named:
            found = one.__globals__.get(name)
            if isinstance(found, type) and found.__module__.startswith(("onepam.console", "onepam.api")):
                waiting += [each for key, each in vars(found).items() if key in named or key == "__init__"]
            elif getattr(found, "__module__", "").startswith(("onepam.console", "onepam.api")):
                waiting.append(found)
        waiting += (
            [each for key, each in vars(_own_class(one)).items() if key in named] if "." in one.__qualname__ else []
        )


def judged(handler: Callable[..., Any]) -> set[str]:
    """What of `onepam.identity` it reaches."""
    found: set[str] = set()
    for one in functions(handler):
        named = set(_names(one.__code__))
        for name in named:
            used = one.__globals__.get(name)
            if isinstance(used, FunctionType) and used.__module__.startswith("onepam.identity"):
                found.add(f"{used.__module__.rpartition('.')[2]}.{used.__name__}")
            elif isinstance(used, ModuleType) and used.__name__.startswith("onepam.identity"):
                room = used.__name__.rpartition(".")[2]
                found |= {f"{room}.{each}" for each in named if isinstance(getattr(used, each, None), FunctionType)}
        for service, verdicts in ASKED.items():
            if service in named:
                found |= {f"{service}.{each}" for each in verdicts & named}
    return found


def read(handler: Callable[..., Any]) -> set[str]:
    """The names of fields that it reads and that sound like a secret."""
    found: set[str] = set()
    for one in functions(handler):
        found |= {each for each in _texts(one.__code__) if SECRET.search(each) and " " not in each and "/" not in each}
    for kind in inspect.get_annotations(handler, eval_str=True).values():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {each for each in kind.model_fields if SECRET.search(each)}
    return found


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _texts(code: CodeType) -> Iterator[str]:
    for each in code.co_consts:
        if isinstance(each, str):
            yield each
        elif isinstance(each, CodeType):
            yield from _texts(each)


def _own_class(method: FunctionType) -> type:
    found = method.__globals__.get(method.__qualname__.partition(".")[0])
    return found if isinstance(found, type) else object


def is_verdict(name: str) -> bool:
    service, _, verdict = name.partition(".")
    return name in VERDICTS or verdict in ASKED.get(service, ())


HANDLERS: dict[str, Callable[..., Any]] = {
    **{f"{each.method} {each.path}": each.handler for each in PLACES},
    **{f"{each.method} /api{each.path}": each.handler for each in ROUTES},
}
TAKING = {
    route for route, handler in HANDLERS.items()
    if any(map(is_verdict, judged(handler))) or (not route.startswith("GET ") and read(handler))
}  # fmt: skip


def test_every_route_that_takes_a_secret_stands_here() -> None:
    assert TAKING - GATED.keys() - FREE.keys() == set()
    assert (GATED.keys() | FREE.keys()) - TAKING == set(), "they take none any more"
    assert not GATED.keys() & FREE.keys()


@pytest.mark.parametrize("route", GATED)
def test_what_can_be_guessed_goes_through_the_gate(route: str) -> None:
    assert through_gate in set(functions(HANDLERS[route]))


def test_what_can_be_guessed_is_tried_until_it_is_locked() -> None:
    assert set(GATED.values()) == WAYS.keys()


def test_whatever_can_be_guessed_is_judged_behind_the_gate_alone() -> None:
    """The three that a few thousand tries would find, and where nobody is signed in by them."""
    guessed = {"passwords.verify_password", "totp.match", "recovery.match"}
    reaching = {route for route, handler in HANDLERS.items() if judged(handler) & guessed}
    assert reaching == GATED.keys() | {route for route, why in FREE.items() if why == _OWN}


def test_a_new_verdict_is_named() -> None:
    used = {each for handler in HANDLERS.values() for each in judged(handler) if each.partition(".")[0] in ROOMS}
    assert used - VERDICTS - NO_VERDICTS == set()
