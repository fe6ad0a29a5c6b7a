"""How much of the console a reader sees, and facts as the templates take them: chains, proofs, resources.

A link that would be refused is not made: it stays words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from onepam.app.ports import LedgerHealth, Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.places import SEES_ALL, Place
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import happened
from onepam.kernel.clock import Instant
from onepam.store.read.estate import Site, sites
from onepam.store.read.explain import Link
from onepam.store.read.moments import Moment

_NOWHERE = Site("", "ssh", {}, "", False, "")


@dataclass(frozen=True, slots=True)
class View:
    """The reader, their side bar, and whether they see what is everybody's."""

    person: str
    shown: tuple[Place, ...]
    everybody: bool

    @classmethod
    def of(cls, visit: Visit) -> "View":
        """The view of the one who is signed in."""
        me = visit.me
        return cls(
            person=me.actor.person,
            shown=visit.shown(),
            everybody=me.has(*SEES_ALL.rights),
        )

    @property
    def sections(self) -> frozenset[str]:
        """The paths of their side bar."""
        return frozenset(place.path for place in self.shown)

    def sees(self, person: str | None) -> bool:
        """Whether what is this person's may be shown."""
        return self.everybody or person == self.person

    def link(self, path: str) -> str | None:
        """The path, or None where the reader would be refused there."""
        section = "/" + path.split("/")[1].split("?")[0].split("#")[0]
        allowed = section in self.sections or section == "/requests" or path == f"/people/{self.person}"
        return path if allowed else None

    def chain(self, links: Iterable[Link]) -> list[Context]:
        """A chain (parts/ui.html)."""
        return [self._link(each) for each in links]

    def proof(self, index: int, leaf: bytes, health: LedgerHealth) -> Context:
        """The proof of one entry (parts/ui.html); `leaf` is the hash of what the page shows of it."""
        signed = index < health.checkpoint_size
        published = signed and health.includes(index, leaf)
        witnessed = published and index < health.witnessed_size
        return {
            "entry": index,
            "entry_hash": leaf.hex(),
            "checkpoint_size": health.checkpoint_size if published else None,
            "checkpoint_at": health.checkpoint_at if published else None,
            "altered": signed and not published,
            "witness": health.witness or None,
            "witness_at": health.witnessed_at if witnessed else None,
            "download": self.link(f"/ledger/proof/{index}") or "",
        }

    def proof_of(self, told: Sequence[Moment], health: LedgerHealth) -> Context:
        """The proof of what some entries made: of the newest one, unless another was altered."""
        proofs = [self.proof(each.index, each.leaf, health) for each in told]
        return next((each for each in proofs if each["altered"]), proofs[-1])

    def history(self, told: Iterable[Moment], called: Mapping[str, str], health: LedgerHealth) -> list[Context]:
        """What happened, in words, each with its proof."""
        return [
            {
                "at": each.time,
                "words": happened(each.event, called),
                "proof": self.proof(each.index, each.leaf, health),
            }
            for each in told
        ]

    def _link(self, link: Link) -> Context:
        words = link.words if link.words is not None else "erased"
        title, detail, path = words, "", None
        match link.kind:
            case "role":
                title, detail, path = link.reference, words, role_path(link.reference)
            case "group":
                title = link.reference
            case "request":
                title, detail, path = link.reference, words, f"/requests/{link.reference}"
            case "approval":
                title, detail, path = link.by_name, words, f"/people/{link.by}"
            case _:
                pass
        href = self.link(path) if path else None
        return {"kind": link.kind, "title": title, "detail": detail, "href": href, "at": link.at}


def role_path(role: str) -> str:
    """The page of a role."""
    return f"/roles/{quote(role)}"


def resource(site: Site) -> Context:
    """A resource as lists show it."""
    return {"id": site.resource, "name": site.resource, "kind": site.kind, "labels": dict(site.labels)}


def resources(db: Snapshot, at: Instant, names: Iterable[str]) -> dict[str, Context]:
    """Resources by name, as lists show them."""
    wanted = set(names)
    found = sites(db, at, wanted)
    return {name: {**resource(found.get(name, _NOWHERE)), "id": name, "name": name} for name in wanted}
