"""The company of the tests, founded and led as the rules ask: what its tests lay down by hand is lawful, too.

For packs whose line *lawful* says yes. Whoever signs in shows a code; whatever changes the roles is a change of ada's.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from onepam.app.people.add_person import add_person
from onepam.domain.access.events import BindingEnded
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind, FactorUsed
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.batches import Author
from tests.company import HOLDS, RESOURCES, ROLES, Company, Seed, binding, record, resource_set, role_set
from tests.ledger.lawful.story import fields_of


class LawfulCompany(Company):
    """Every method is the company's own; see there."""

    def __init__(self, path: Path, author: Author | None = None) -> None:
        super().__init__(path, author)
        self._changes = 0
        self._codes: dict[str, int] = {}

    @classmethod
    async def create(cls, folder: Path, author: Author | None = None) -> Self:
        company = cls(folder / "ledger.sqlite", author)
        await asyncio.gather(*(company._found(person) for person in HOLDS))
        await company.change(
            None,
            *(role_set(role, *gives) for role, gives in ROLES.items()),
            *(resource_set(name, dict(labels), keys) for name, (labels, keys) in RESOURCES.items()),
            *(binding(person, role) for person, roles in HOLDS.items() for role in roles),
        )
        for person in HOLDS:
            await company.enrol(person)
        for person in HOLDS:
            await company.sign_in(person)
        return company

    async def change(self, by: str | None, *objects: object) -> None:
        """A change of the roles, which ada had proposed where somebody applies it; its objects name it and them."""
        self._changes += 1
        change = f"chg_{self._changes}"
        proposed = ChangeProposed(change, "d0", "d1", by is not None, by and "ada", "changes", "text")
        first: tuple[object, ...] = (proposed,)
        if by is not None:
            await record(self.ledger, proposed)
            await self.sign_in(by)
            first = (ChangeApproved(change, "d1", by),)
        applied = ChangeApplied(change, "d0", "d1", by, bootstrap=by is None)
        await record(self.ledger, *first, applied, *(_named(each, change, by) for each in objects))

    async def enrol(self, person: str) -> None:
        """A password and a code, by a link of the host (before the first sign-in) or of ada's."""
        link, by = f"enr_{person}", "ada" if self._codes else None
        opened = EnrolmentOpened(link, person, Instant(self.clock.now + DAY), "founded", by)
        await record(self.ledger, opened)
        factors = (
            FactorEnrolled(f"fac_{person}_{kind.value}", person, kind, "", None, person)
            for kind in (FactorKind.PASSWORD, FactorKind.TOTP)
        )
        makers = () if by is None else (by,)
        await record(self.ledger, EnrolmentUsed(link, person, makers), *factors)

    async def sign_in(self, person: str, lasts: int = 10 * HOUR) -> None:
        self._codes[person] = self._codes.get(person, 0) + 1
        used, opened = FactorUsed(f"fac_{person}_totp", person, self._codes[person]), self.signed_in(person)

        def decide(facts: None, now: Instant) -> Decided[None]:
            return Decided((used, replace(opened, mfa_at=now, expires=Instant(now + lasts))), None)

        done = await self.ledger.commit(Seed(), decide)
        assert not isinstance(done, Refused)

    async def join(self, person: str, *roles: str) -> None:
        known = Attributes(f"{person.title()} Example", f"{person}@example.com")
        added = await add_person(self.ledger, self.actor("ada"), person, PersonKind.EMPLOYEE, known, "hired")
        assert added is None, added
        await self.enrol(person)
        if roles:
            await self.change("bob", *(binding(person, role) for role in roles))
        await self.sign_in(person)

    async def bind(self, person: str, role: str, ends: Instant | None = None) -> None:
        await self.change("bob", binding(person, role, ends))

    async def unbind(self, person: str, role: str) -> None:
        await self.change("bob", BindingEnded(f"bnd_{person}_{role}", "left the team", "", None))


def _named(each: Any, change: str, by: str | None) -> object:
    """What a change does, with its name and whose it is."""
    fields = fields_of(each)
    return type(each)(
        **{**fields, **{name: said for name, said in {"change": change, "by": by}.items() if name in fields}}
    )
