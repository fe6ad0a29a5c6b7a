"""Signing in a command line whose machine has no browser: `onepam login --device` (RFC 8628, with rules of our own)."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import NOBODY, TOKEN_PREFIX, Services, done, source_of
from onepam.api.models import Answer, Body, Done
from onepam.api.routes.cli import SshKey, Token, certified, ed25519
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.signing_in.devices import open_device_session
from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.devices import GONE, LIFETIME, DeviceOpening
from onepam.identity import devices
from onepam.identity.devices import INTERVAL, Waiting
from onepam.identity.ssh_keys import parse_public_key
from onepam.identity.ssh_signatures import MAX_CHARACTERS, signed_by
from onepam.identity.tokens import is_token, new_token, token_digest
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.kernel.text import plain_text
from onepam.store.read.names import name
from onepam.store.read.proofs_of_sign_in import key_holder

NAMESPACE = "onepam-login-device"
"""What the signatures of `KeysIn` are made for, and no others."""
MOST_KEYS = 4

DeviceCode = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DeviceIn(Body):
    """Which machine and account asks, for its person to recognise in the browser."""

    client: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class DeviceOut(Answer):
    """What the terminal shows (`address` and `code`), and what it keeps to itself (`device_code`).

    `expires_in` and `interval` are seconds. A key signs the line `onepam login --device GATEWAY DEVICE`.
    """

    device_code: str
    device: str
    code: str
    address: str
    expires_in: int
    interval: int
    gateway: str


class SignatureIn(Body):
    """A key (one line of a .pub file) and its signature of the line, by `ssh-keygen -Y sign -n onepam-login-device`."""

    public_key: SshKey
    signature: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]


class KeysIn(Body):
    """The keys that the terminal holds; the first that somebody has registered says whose terminal it is."""

    device_code: DeviceCode
    keys: Annotated[list[SignatureIn], Field(min_length=1, max_length=MOST_KEYS)]


class TakeIn(Body):
    """The terminal asks for its session; `public_key` is the fresh key to certify (one line)."""

    device_code: DeviceCode
    public_key: SshKey


async def ask(request: Request, body: DeviceIn, services: Services) -> DeviceOut:
    """Begin: a code that the person types at an address, in a browser anywhere."""
    source = source_of(request)
    client = done(plain_text(body.client, 100, what="machine's name"))
    shown = done(
        services.devices.ask(source, client, services.clock(), vouches=vouches_for(source, services.console_url))
    )
    return DeviceOut(
        device_code=shown.secret.reveal().decode("ascii"),
        device=shown.device,
        code=shown.code,
        address=f"{services.console_url}/cli/device/{shown.device}",
        expires_in=LIFETIME // SECOND,
        interval=INTERVAL // SECOND,
        gateway=services.console_url,
    )


async def show_keys(request: Request, body: KeysIn, services: Services) -> Done:
    """Show that the terminal holds keys. The answer does not tell whether anybody has registered one of them."""
    waiting = _waiting(request, services, body.device_code)
    message = signed(services.console_url, waiting.device).encode("ascii")
    known = ""
    for each in body.keys:
        key = done(parse_public_key(each.public_key))
        if not signed_by(key, each.signature, message, NAMESPACE):
            raise ApiError(Refused("ssh_key.signature", "A signature is not of that key, or not for this sign-in."))
        holder = await services.reader(key_holder, None, key.fingerprint)
        known = known or (holder.factor if holder is not None else "")
    if not services.devices.show_key(waiting, known):
        raise ApiError(GONE)
    return Done()


async def take(request: Request, body: TakeIn, services: Services) -> Token:
    """Take the session once the person has typed the code. Before: `device.pending`; too soon: `device.slow_down`."""
    key = ed25519(body.public_key)
    waiting = _waiting(request, services, body.device_code)
    allowed = done(services.devices.poll(waiting, services.clock()))
    services.devices.forget(waiting)
    secret, source = new_token(TOKEN_PREFIX, services.random), source_of(request)
    session = waiting.asked.session
    expires = done(
        await open_device_session(services.ledger, allowed, DeviceOpening(session, token_digest(secret).hex(), source))
    )
    return Token(
        token=secret.reveal().decode("ascii"),
        session=session,
        person=allowed.person,
        name=await services.reader(name, None, allowed.person),
        expires=expires,
        ssh=await certified(services, Actor(allowed.person, session, source), key, expires),
    )


def signed(gateway: str, device: str) -> str:
    """What a key signs: for this gateway and this terminal, and nothing else."""
    return f"onepam login --device {gateway} {device}"


def _waiting(request: Request, services: ApiServices, code: str) -> Waiting:
    found = None
    if is_token(code, devices.TOKEN_PREFIX):
        found = services.devices.of(Secret(code.encode("ascii")), source_of(request), services.clock())
    if found is None:
        raise ApiError(GONE)
    return found


def vouches_for(source: str, console_url: str) -> bool:
    """Whether an address says where somebody is: loopback does not where browsers come from elsewhere, for then it is
    that of a proxy, and everybody's."""
    host = urlsplit(console_url).hostname or ""
    return not _loopback(source) or host == "localhost" or _loopback(host)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


ROUTES = (
    Route("POST", "/cli/device", NOBODY, ask),
    Route("POST", "/cli/device/keys", NOBODY, show_keys),
    Route("POST", "/cli/device/token", NOBODY, take),
)
