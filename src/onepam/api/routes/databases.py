"""Databases: login tokens and certificates, and the secrets by which the gateway signs in at them."""

from base64 import b64encode
from typing import Annotated

from pydantic import StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, MaybeMoment, Moment, Name
from onepam.api.routes.route import Route
from onepam.app.sessions.issue_token import issue_token
from onepam.app.sessions.target_secrets import give_up_secret, prove_secret, remove_secret, store_secret
from onepam.app.signing_in.sign_in import record_certificate
from onepam.domain.access.model import ConsoleRight, ResourceKind
from onepam.domain.sessions.target_secrets import MAX_SECRET_BYTES, Kept, SecretStatus, about
from onepam.domain.signing_in.events import CertificateIssued
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read.target_secrets import next_version, target_secrets

ADMINISTERS = right(ConsoleRight.ADMINISTER)

Value = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SECRET_BYTES)]

_NOWHERE = Refused("postgres.nowhere", "This gateway does not listen for clients of databases.")

TRIED = ("target.refusing",)
"""Refusals that are about the secret: after any other the target may still take it."""


class LoginIn(Body):
    """A login on a resource."""

    resource: Id
    login: Name


class SecretIn(Body):
    """The secret of a login: a password, or a certificate with its key (PEM)."""

    resource: Id
    login: Name
    value: Value


class LoginToken(Answer):
    """A login token, shown once. It is used as the password of `user`, first before `expires`, from this address.
    `kind` is what the resource speaks, and `root` as in a `DatabaseCertificate`."""

    token: str
    kind: ResourceKind
    user: str
    host: str
    port: int
    root: str
    expires: Moment


class DatabaseKeyIn(Body):
    """The public key to certify, of P-256 and as PEM."""

    public_key: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class DatabaseCertificate(Answer):
    """A person's certificate for databases (PEM). It ends with the CLI session. `root` is what the gateway is known by
    (PEM), for `sslrootcert`; empty where it shows a certificate of its operator's own."""

    certificate: str
    root: str
    host: str
    port: int
    expires: Moment


class SecretOut(Answer):
    """A version of a secret that is not retired; never the value. `used` is when a session was last given it."""

    secret: str
    version: int
    resource: str
    login: str
    status: SecretStatus
    set_by: str
    set_at: Moment
    proven: MaybeMoment
    used: MaybeMoment


class SecretKept(Answer):
    """The version that was stored. `proven`: the target took it, and it is in use; otherwise it waits, and `why`."""

    secret: str
    version: int
    proven: bool
    why: str


async def login_token(body: LoginIn, caller: Who, services: Services) -> LoginToken:
    """Get a login token for a database: what its client gives in the place of a password."""
    secret = new_token(LOGIN_TOKEN, services.random)
    name, digest = new_id("tok", services.random), token_digest(secret).hex()
    issued = done(await issue_token(services.ledger, caller.actor, name, body.resource, body.login, digest))
    ports = {ResourceKind.POSTGRES: services.postgres_port, ResourceKind.MYSQL: services.mysql_port}
    return LoginToken(
        token=secret.reveal().decode("ascii"),
        kind=issued.kind,
        user=f"{body.login}@{body.resource}",
        host=services.gateway_name,
        port=ports.get(issued.kind, 0),
        root=services.database_root().decode("ascii"),
        expires=issued.expires,
    )


async def certificate(body: DatabaseKeyIn, caller: Who, services: Services) -> DatabaseCertificate:
    """Certify a key for the rest of the CLI session: what a database's client shows in the place of a password."""
    if not services.postgres_port:
        raise ApiError(_NOWHERE)
    ends, actor, now = caller.facts.signed_in_until, caller.actor, services.wall()
    assert ends is not None  # the guard demands a session that runs
    lasts = max(SECOND, ends - services.clock())
    authority = services.authorities.database_client(now)
    made = done(authority.issue(body.public_key, actor.session, actor.person, now, lasts))
    issued = CertificateIssued(actor.session, actor.person, made.serial, ends, made.fingerprint)
    done(await record_certificate(services.ledger, actor, issued))
    return DatabaseCertificate(
        certificate=made.certificate,
        root=services.database_root().decode("ascii"),
        host=services.gateway_name,
        port=services.postgres_port,
        expires=ends,
    )


async def secrets(services: Services, at: AsOf) -> list[SecretOut]:
    """The secrets of targets, without their values."""
    return [SecretOut.model_validate(each) for each in await services.reader(target_secrets, at)]


async def set_secret(body: SecretIn, caller: Who, services: Services) -> SecretKept:
    """Set the secret of a login. It is tried at the target: what it takes is in use, what it refuses is retired."""
    secret, where = Secret(body.value.encode("utf-8")), (body.resource, body.login)
    kept = await services.reader(next_version, None, *where) or Kept(new_id("sec", services.random), 1)
    sealed = b64encode(services.envelope.seal(secret, about(kept, *where))).decode("ascii")
    done(await store_secret(services.ledger, caller.actor, kept, *where, sealed))
    refused = await services.try_secret(body.resource, body.login, secret)
    if refused is None:
        if (changed := await prove_secret(services.ledger, kept)) is not None:
            raise ApiError(changed)
    elif refused.code in TRIED:
        if (changed := await give_up_secret(services.ledger, kept, refused.code)) is not None:
            raise ApiError(changed)
        words = "The target did not take it; what was in use before still is."
        raise ApiError(Refused("secret.refused", words, f"Why: {refused.message}"))
    why = "" if refused is None else refused.message
    return SecretKept(secret=kept.secret, version=kept.version, proven=refused is None, why=why)


async def remove(body: LoginIn, caller: Who, services: Services) -> Done:
    """Retire all versions of the secret of a login: no session opens as it any more."""
    if (refused := await remove_secret(services.ledger, caller.actor, body.resource, body.login)) is not None:
        raise ApiError(refused)
    return Done()


ROUTES = (
    Route("POST", "/login-tokens", SIGNED_IN, login_token, 201),
    Route("POST", "/cli/database-certificate", SIGNED_IN, certificate),
    Route("GET", "/secrets", ADMINISTERS, secrets),
    Route("POST", "/secrets", ADMINISTERS, set_secret, 201),
    Route("POST", "/secrets/remove", ADMINISTERS, remove),
)
