"""Whose login token or certificate it is: what clients of databases come with, for a protocol's door."""

from onepam.app.ports import Reader
from onepam.boot.clock import wall_clock
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.login_tokens import INVALID
from onepam.gateway.entering import Proven, Unfit
from onepam.identity.tokens import LOGIN_TOKEN, is_token, token_digest
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.store.read.login_tokens import token_holder
from onepam.vault.authorities import Authorities
from onepam.vault.database_clients import NOT_OURS, judge, person_of


async def proven_by_token(
    reader: Reader, word: str, source: str, entry: EntryPoint = EntryPoint.POSTGRES_TOKEN
) -> Proven | Unfit | Refused:
    """Who holds this token that came by `entry`, where it is good and came from its own address; else one answer for
    all that is wrong, with whose it is where it came from elsewhere. The one door judges it again, in the command that
    opens. Raises `Unavailable`."""
    if not is_token(word, LOGIN_TOKEN):
        return INVALID
    found = await reader(token_holder, None, token_digest(Secret(word.encode("ascii"))).hex())
    if found is None:
        return INVALID
    proven = Proven(found.person, entry, sign_in=found.sign_in, token=found.token)
    return proven if found.source == source else Unfit(proven, INVALID)


def proven_by_certificate(authorities: Authorities, presented: bytes) -> Proven | Unfit | Refused:
    """Whom a certificate (DER) names, where it is good, else why not. Whether its sign-in stands, the one door asks."""
    now = wall_clock()
    claims = judge(presented, authorities.database_client(now).root, now)
    if isinstance(claims, Refused):
        person = person_of(presented) if claims.code not in NOT_OURS else None
        return Unfit(Proven(person, EntryPoint.POSTGRES_CERTIFICATE), claims) if person is not None else claims
    return Proven(claims.person, EntryPoint.POSTGRES_CERTIFICATE, sign_in=claims.sign_in)
