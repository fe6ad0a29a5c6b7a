"""Signing the command line in, its certificates, and who one is."""

from typing import Annotated

from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity
from fastapi import Request
from pydantic import StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import NOBODY, SIGNED_IN, TOKEN_PREFIX, Services, Who, done, source_of
from onepam.api.models import Answer, Body, Done, Moment
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.signing_in.sign_in import open_cli_session, record_certificate, sign_out
from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.events import CertificateIssued
from onepam.identity.cli_codes import open_code
from onepam.identity.ssh_keys import PublicKey, parse_public_key
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.store.read.names import name

SshKey = Annotated[str, StringConstraints(min_length=1, max_length=1024)]

_ED25519 = Refused(
    "ssh_key.type", "The command line's key is an Ed25519 key.", "onepam login makes one: ~/.config/onepam/id_ed25519"
)


class CodeIn(Body):
    """The code from the browser, the PKCE verifier it was asked for with, and the key to certify (one line)."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    verifier: Annotated[str, StringConstraints(min_length=43, max_length=128)]
    redirect: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    public_key: SshKey


class KeyIn(Body):
    """The key to certify, one line of a .pub file."""

    public_key: SshKey


class Gateway(Answer):
    """Where an SSH client connects to, and the known_hosts line by which it knows the gateway."""

    host: str
    port: int
    known_hosts: str


class Certificate(Answer):
    """A person's SSH certificate (one line for `id_ed25519-cert.pub`). It ends with the CLI session."""

    certificate: str
    expires: Moment
    gateway: Gateway


class Token(Answer):
    """A CLI session. The token is shown once and kept only as a digest."""

    token: str
    session: str
    person: str
    name: str
    expires: Moment
    ssh: Certificate


class Held(Answer):
    """A role in force, and how it is held."""

    role: str
    group: str
    binding: str
    ends: Moment | None


class Me(Answer):
    """The person behind the token."""

    person: str
    name: str
    session: str
    expires: Moment
    mfa_at: Moment
    rights: list[str]
    roles: list[Held]


async def token(request: Request, body: CodeIn, services: Services) -> Token:
    """Open a CLI session with the code from the browser."""
    key = ed25519(body.public_key)
    code = done(open_code(services.envelope, body.code, body.verifier, body.redirect, services.clock()))
    secret, source = new_token(TOKEN_PREFIX, services.random), source_of(request)
    expires = await open_cli_session(
        services.ledger, Actor(code.person, code.parent, source), code.session, token_digest(secret).hex(), source
    )
    if isinstance(expires, Refused):
        raise ApiError(expires, 401)
    actor = Actor(code.person, code.session, source)
    return Token(
        token=secret.reveal().decode("ascii"),
        session=code.session,
        person=code.person,
        name=await services.reader(name, None, code.person),
        expires=expires,
        ssh=await certified(services, actor, key, expires),
    )


async def certificate(body: KeyIn, caller: Who, services: Services) -> Certificate:
    """Certify a key for the rest of the CLI session."""
    assert caller.facts.signed_in_until is not None  # the guard demands a session that runs
    return await certified(services, caller.actor, ed25519(body.public_key), caller.facts.signed_in_until)


async def leave(caller: Who, services: Services) -> Done:
    """End the CLI session; its certificates are worth nothing from now on."""
    done(await sign_out(services.ledger, caller.actor))
    return Done()


async def me(caller: Who, services: Services) -> Me:
    """Who the token belongs to, and with which rights."""
    facts = caller.facts
    assert facts.signed_in_until is not None
    assert facts.mfa_at is not None  # the guard demands both
    return Me(
        person=facts.person,
        name=await services.reader(name, None, facts.person),
        session=caller.actor.session,
        expires=facts.signed_in_until,
        mfa_at=facts.mfa_at,
        rights=sorted({each.value for held in facts.roles for each in held.console}),
        roles=[Held.model_validate(each) for each in facts.roles],
    )


async def certified(services: ApiServices, actor: Actor, key: PublicKey, ends: Instant) -> Certificate:
    """The certificate, once that it was issued is in the ledger."""
    lasts = max(SECOND, ends - services.clock())
    line = done(services.authorities.person.issue(key.line, actor.session, actor.person, services.wall(), lasts))
    identity = load_ssh_public_identity(line.encode("ascii"))
    assert isinstance(identity, SSHCertificate)  # we have just made it
    done(
        await record_certificate(
            services.ledger,
            actor,
            CertificateIssued(actor.session, actor.person, identity.serial, ends, key.fingerprint),
        )
    )
    gateway = Gateway(host=services.gateway_name, port=services.ssh_port, known_hosts=services.host_key_line)
    return Certificate(certificate=line, expires=ends, gateway=gateway)


def ed25519(line: str) -> PublicKey:
    """A key that the command line made for this sign-in."""
    key = done(parse_public_key(line))
    if key.algorithm != "ssh-ed25519":
        raise ApiError(_ED25519)
    return key


ROUTES = (
    Route("POST", "/cli/token", NOBODY, token),
    Route("POST", "/cli/certificate", SIGNED_IN, certificate),
    Route("POST", "/sign-out", SIGNED_IN, leave),
    Route("GET", "/me", SIGNED_IN, me),
)
