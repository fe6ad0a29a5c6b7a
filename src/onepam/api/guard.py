"""Who may call a route: decided from the CLI token and the rights of its person as of now, before the handler runs."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from onepam.api.errors import ApiError
from onepam.api.services import ApiServices
from onepam.app.leaving.probe_access import record_probe
from onepam.domain.access.authority import Actor, ActorFacts, authorised, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.leaving.probing import ProbePath, Verdict, WouldOpen
from onepam.domain.signing_in.events import SignInKind
from onepam.gateway.probes import HEADER
from onepam.identity.tokens import is_token, token_digest
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.store.read.proofs_of_sign_in import acting

T = TypeVar("T")

TOKEN_PREFIX = "opc"  # noqa: S105 - how a CLI session's token begins
_BEARER = HTTPBearer(auto_error=False, scheme_name="cli", description="The token of a CLI session (onepam login)")
_MISSING = Refused("token.missing", "This needs the token of a CLI session that runs.", "Run: onepam login")


@dataclass(frozen=True, slots=True)
class Needs:
    """`sign_in`: a running CLI session; `rights`: and a role with one of these (empty: any person)."""

    sign_in: bool
    rights: frozenset[ConsoleRight] = frozenset()


NOBODY = Needs(sign_in=False)
"""Open to those who are not signed in: only what signs somebody in."""

SIGNED_IN = Needs(sign_in=True)
"""Any person; what they see and may do is decided per object."""


def right(*rights: ConsoleRight) -> Needs:
    """A person with one of these rights."""
    return Needs(sign_in=True, rights=frozenset(rights))


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request, with their rights as of now."""

    actor: Actor
    facts: ActorFacts

    def may(self, *rights: ConsoleRight) -> bool:
        """Whether a role of theirs carries one of these rights."""
        return any(self.facts.roles_with(each) for each in rights)


def services_of(request: Request) -> ApiServices:
    """The parts behind the routes."""
    return cast(ApiServices, request.app.state.services)


Services = Annotated[ApiServices, Depends(services_of)]


def source_of(request: Request) -> str:
    """The peer's address. No header is believed."""
    return request.client.host if request.client else ""


async def signed_in(
    request: Request, services: Services, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Caller:
    """The person behind the bearer token. Cookies are not looked at. A probe is answered here, by the same look-up, and
    reaches no handler."""
    if (ticket := request.headers.get(HEADER)) is not None:
        raise ProbeAnswered(await _probed(request, services, ticket))
    if bearer is None or not is_token(bearer.credentials, TOKEN_PREFIX):
        raise ApiError(_MISSING)
    digest = token_digest(Secret(bearer.credentials.encode("ascii"))).hex()
    found = await _behind(request, services, digest)
    if found is None:
        raise ApiError(_MISSING)
    return found


async def _behind(request: Request, services: ApiServices, digest: str) -> Caller | None:
    """Whose token has this digest."""
    found = await services.reader(acting, None, digest, source_of(request), SignInKind.CLI)
    return Caller(*found) if found is not None and present(found[1], services.clock()) is None else None


class ProbeAnswered(Exception):
    """A probe was answered, with None for a ticket that is not ours: nothing else happens to the request."""

    def __init__(self, verdict: Verdict | None) -> None:
        self.verdict = verdict


async def _probed(request: Request, services: ApiServices, ticket: str) -> Verdict | None:
    own = request.scope.get("server") or ("", 0)
    probe = services.probes.redeem(ticket, ProbePath.API, source_of(request), str(own[0]))
    if probe is None:
        return None
    verdict = WouldOpen() if await _behind(request, services, probe.sought) is not None else _MISSING
    await record_probe(services.ledger, probe, verdict, services.probes.node)
    return verdict


Who = Annotated[Caller, Depends(signed_in)]


def _of_several(refused: Refused, needs: Needs) -> Refused:
    """The refusal names each right that would do."""
    if refused.code != "right.missing":
        return refused
    rights = " or ".join(sorted(needs.rights))
    return replace(refused, message=f"This needs a role with the right to {rights}; yours have none.")


def guard(needs: Needs) -> list[Any]:
    """The dependencies that enforce `needs`."""

    async def with_a_right(caller: Who, services: Services) -> None:
        refusals = [authorised(caller.facts, each, services.clock()) for each in sorted(needs.rights)]
        if refusals[0] is not None and None not in refusals:
            raise ApiError(_of_several(refusals[0], needs))

    if not needs.sign_in:
        return []
    return [Depends(with_a_right if needs.rights else signed_in)]


async def as_of(
    services: Services,
    as_of: Annotated[str | None, Query(max_length=40, description="RFC 3339; the state as it was then")] = None,
) -> Instant | None:
    """The past instant that is asked about; None is now."""
    if as_of is None:
        return None
    at = _parsed("as_of", as_of)
    if at > services.clock():
        raise ApiError(
            Refused("input.as_of", "as_of lies ahead; nothing is known of the future.", "Give a time that has been."),
            400,
        )
    return at


def _parsed(name: str, text: str) -> Instant:
    try:
        return parse(text)
    except ValueError:
        refused = Refused(f"input.{name}", f"{name} is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused, 400) from None


AsOf = Annotated[Instant | None, Depends(as_of)]


def after(
    after: Annotated[str | None, Query(max_length=40, description="RFC 3339; only what was made later")] = None,
) -> Instant:
    """The time of the last row of the page before."""
    return Instant(0) if after is None else _parsed("after", after)


After = Annotated[Instant, Depends(after)]


def done(outcome: T | Refused) -> T:
    """The outcome, unless it is a refusal: that becomes the answer."""
    if isinstance(outcome, Refused):
        raise ApiError(outcome)
    return outcome
