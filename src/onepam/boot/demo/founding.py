"""Founding an installation: its first people, its first role matrix, and the links by which they enrol.

Everything here works only until somebody has signed in; that it happened, and what, is in the ledger.
"""

import secrets
from dataclasses import dataclass

from onepam.app.matrix.apply_access import apply_access
from onepam.app.people.add_person import add_person
from onepam.app.ports import Ledger, Reader
from onepam.app.signing_in.enrol import bootstrap_enrolment
from onepam.domain.matrix.file import InvalidFile, read_access, resolve
from onepam.domain.matrix.matrix import Someone
from onepam.domain.people.adding import Attributes, normalised_email
from onepam.domain.people.events import PersonKind
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel import limits
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id
from onepam.kernel.text import plain_text
from onepam.store.read.proofs_of_sign_in import account_by_email

FIRST_MATRIX = """\
version: 1

groups:
  administrators: {{members: [{emails}]}}

roles:
  administrator:
    purpose: Sets OnePAM up and keeps it healthy
    owner: {first}
    console: [administer, monitor, audit]

bindings:
  - {{role: administrator, group: administrators, because: founded this installation}}
"""
"""The matrix of an installation that begins without a file: its administrators, and nothing else."""


class CannotFound(Fault):
    """The installation cannot be founded like this; the message says why, and nothing is half done beyond it."""


@dataclass(frozen=True, slots=True)
class Founder:
    """One of the first people."""

    name: str
    email: str


def judge(founders: tuple[Founder, ...], text: str, file: str) -> None:
    """Reads all that a founding is given before anything of it is done. Raises `CannotFound` with every error."""
    problems = [str(each) for each in read_access(text, file).problems]
    for founder in founders:
        email = normalised_email(founder.email)
        name = plain_text(founder.name, limits.MAX_NAME_CHARACTERS, what="name")
        problems += [f"{founder.email}: {each.message}" for each in (email, name) if isinstance(each, Refused)]
    if problems:
        raise CannotFound("\n".join(problems))


class Founding:
    """The steps, over a ledger that is open; each may be repeated."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader

    async def judge(self, founders: tuple[Founder, ...], text: str, file: str) -> None:
        """Whether the first matrix names only people who are here, or are about to be. Raises `CannotFound`."""
        read = read_access(text, file)
        about_to_be = {normalised_email(founder.email) for founder in founders}
        here = [
            Someone(email, email, True, None)
            for email in {mention.email for mention in read.mentions}
            if email in about_to_be or await self._reader(account_by_email, None, email) is not None
        ]
        found = resolve(read, tuple(here))
        if isinstance(found, InvalidFile):
            raise CannotFound("\n".join(str(problem) for problem in found.problems))

    async def people(self, founders: tuple[Founder, ...], because: str) -> None:
        """Adds those who are not there yet. Raises `CannotFound`."""
        for founder in founders:
            if await self._reader(account_by_email, None, founder.email) is not None:
                continue
            attributes = Attributes(name=founder.name, email=founder.email)
            person = new_id("per", secrets.token_bytes)
            refused = await add_person(self._ledger, None, person, PersonKind.EMPLOYEE, attributes, because)
            if refused is not None:
                raise CannotFound(f"{founder.email}: {refused.message}")

    async def matrix(self, text: str, file: str) -> None:
        """Puts the first `access.yaml` in force. Raises `CannotFound` with every error in the file."""
        change = new_id("chg", secrets.token_bytes)
        outcome = await apply_access(self._ledger, None, text, change, None, file=file)
        if isinstance(outcome, InvalidFile):
            raise CannotFound("\n".join(str(problem) for problem in outcome.problems))
        if isinstance(outcome, Refused):
            raise CannotFound(f"{outcome.message} {outcome.hint}".strip())

    async def link(self, email: str, console_url: str) -> str | None:
        """An enrolment link for somebody without factors; None for whoever needs none. A link is a secret."""
        account = await self._reader(account_by_email, None, email)
        if account is None or account.factors:
            return None
        token = new_token("enr", secrets.token_bytes)
        enrolment = new_id("enr", secrets.token_bytes)
        digest = token_digest(token).hex()
        answer = await bootstrap_enrolment(self._ledger, account.person, enrolment, digest)
        return None if isinstance(answer, Refused) else f"{console_url}/enrol/{token.reveal().decode('ascii')}"
