"""What `walk_recipes` does where a recipe of CONTRIBUTING.md is followed: a replaced disk of recordings is said."""

from dataclasses import dataclass

DOMAIN, APP, STORE = "src/onepam/domain/host", "src/onepam/app/host", "src/onepam/store"
LAWFUL = "src/onepam/ledger/lawful"
API, CONSOLE = "src/onepam/api", "src/onepam/console"


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that is put after another one (`instead` of it), or at the end of a file, which may be `new`."""

    room: str
    name: str
    text: str
    after: str = ""
    instead: bool = False
    new: bool = False


EVENT = (
    Edit(
        DOMAIN,
        "disk.py",
        '''

@event("disk.replaced", klass="system", control="LOG-01", words="The recordings' disk of {node} was replaced")
@dataclass(frozen=True, slots=True)
class DiskReplaced:
    """The recordings' disk of a gateway process was replaced."""

    node: str


def replace_disk(facts: DiskFacts, node: str, now: Instant) -> Decided[None] | Refused:
    """The event, where the old disk was running out."""
    if facts.stage is DiskStage.ENOUGH:
        return Refused("disk.enough", "This disk has enough space.", "Nothing is to be done.")
    return Decided((DiskReplaced(node),), None)
''',
    ),
    Edit(DOMAIN, "disk.py", "\nfrom onepam.kernel.errors import Refused", "from onepam.kernel.clock import Instant"),
    Edit(
        f"{STORE}/project",
        "disk.py",
        """

@projects(events.DiskReplaced)
def disk_replaced(db: Db, place: Place, event: events.DiskReplaced) -> None:
    DISK.end(db, place.time, node=event.node)
""",
    ),
    Edit(
        LAWFUL,
        "system.py",
        '\n    "disk.replaced": "saying that the disk was replaced",',
        '"disk.recovered": "saying that the disk has space again",',
    ),
    Edit(
        "tests/domain/host",
        "test_disk.py",
        """

@pytest.mark.parametrize("known", DiskStage)
def test_a_disk_is_replaced_where_it_runs_out(known: DiskStage) -> None:
    outcome = replace_disk(DiskFacts(known), "nod_1", Instant(1))
    if known is DiskStage.ENOUGH:
        assert isinstance(outcome, Refused)
    else:
        assert outcome == Decided((DiskReplaced("nod_1"),), None)
""",
    ),
    Edit("tests/domain/host", "test_disk.py", "DiskRecovered, DiskReplaced, DiskStage, replace_disk, report_disk",
         "DiskRecovered, DiskStage, report_disk", instead=True),
    Edit("tests/domain/host", "test_disk.py",
         "\nfrom onepam.domain.history.commit import Decided\nfrom onepam.kernel.errors import Refused",
         "from onepam.kernel.clock import Instant"),
)  # fmt: skip

FIELD = (
    Edit(DOMAIN, "disk.py", "class DiskReplaced1:", "class DiskReplaced:", instead=True),
    Edit(DOMAIN, "disk.py", '''

def _of_no_known_size(old: DiskReplaced1) -> "DiskReplaced":
    return DiskReplaced(old.node, None)


@event("disk.replaced", version=2, upcast=_of_no_known_size, klass="system", control="LOG-01", words="{node}: new disk")
@dataclass(frozen=True, slots=True)
class DiskReplaced:
    """The recordings' disk of a gateway process was replaced, by one of `size` bytes; None where it was not told."""

    node: str
    size: int | None
''', '''
class DiskReplaced1:
    """The recordings' disk of a gateway process was replaced."""

    node: str
'''),
    Edit(DOMAIN, "disk.py", "replace_disk(facts: DiskFacts, node: str, size: int, now",
         "replace_disk(facts: DiskFacts, node: str, now", instead=True),
    Edit(DOMAIN, "disk.py", "DiskReplaced(node, size)", "DiskReplaced(node)", instead=True),
    Edit(f"{STORE}/project", "disk.py", """    if event.size is not None:
        DISK.put(db, place.time, node=event.node, stage=events.DiskStage.ENOUGH, free=event.size, total=event.size)
""", "    DISK.end(db, place.time, node=event.node)\n"),
    Edit(LAWFUL, "system.py", """
system_rules.told("disk.replaced", "saying that the disk was replaced", Authority.NODE, version=2)""", """
    system_rules.told(_kind, _right, Authority.NODE)"""),
    Edit("tests/domain/host", "test_disk.py", '"nod_1", 8, Instant(1))', '"nod_1", Instant(1))', instead=True),
    Edit("tests/domain/host", "test_disk.py", 'DiskReplaced("nod_1", 8)', 'DiskReplaced("nod_1")', instead=True),
    Edit("tests/domain/host", "test_disk.py", """

def test_a_disk_that_was_replaced_before_sizes_were_told_has_none() -> None:
    assert join("disk.replaced", 1, {"node": "nod_1"}, None) == DiskReplaced("nod_1", None)
"""),
    Edit("tests/domain/host", "test_disk.py", "\nfrom onepam.domain.history.event import join",
         "\nfrom onepam.domain.history.commit import Decided"),
)  # fmt: skip

USE_CASE = (
    Edit(
        DOMAIN,
        "disk.py",
        '''

@dataclass(frozen=True, slots=True)
class ReplaceFacts:
    """Who says it, and what the ledger says of the disk."""

    actor: ActorFacts
    disk: DiskFacts


def say_replaced(facts: ReplaceFacts, node: str, size: int, now: Instant) -> Decided[None] | Refused:
    """The event, by an administrator."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    return replace_disk(facts.disk, node, size, now)
''',
    ),
    Edit(
        DOMAIN,
        "disk.py",
        """from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.history.commit import Decided""",
        "from onepam.domain.history.commit import Decided",
        instead=True,
    ),
    Edit(
        "tests/domain/host",
        "test_disk.py",
        """

def test_an_administrator_says_so() -> None:
    nobody = ActorFacts("per_1", True, None, None, None, ())
    refused = say_replaced(ReplaceFacts(nobody, DiskFacts(DiskStage.LOW)), "nod_1", 8, Instant(1))
    assert isinstance(refused, Refused)
    assert refused.code == "sign_in.ended"
""",
    ),
    Edit(
        "tests/domain/host",
        "test_disk.py",
        "from onepam.domain.access.authority import ActorFacts\nfrom onepam.domain.history.commit import Decided",
        "from onepam.domain.history.commit import Decided",
        instead=True,
    ),
    Edit("tests/domain/host", "test_disk.py", "DiskStage, ReplaceFacts, replace_disk, report_disk, say_replaced",
         "DiskStage, replace_disk, report_disk", instead=True),
    Edit(
        APP,
        "replace_disk.py",
        '''
"""An administrator says that the recordings' disk of a gateway process was replaced."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.host.disk import ReplaceFacts, say_replaced
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ReplaceDiskQuery:
    """Who says it, and the disk of `node`."""

    facts: ClassVar[type[ReplaceFacts]] = ReplaceFacts
    actor: Actor
    node: str


async def replace_disk(ledger: Ledger, actor: Actor, node: str, size: int) -> Refused | None:
    """Records it, or says why not."""
    outcome = await ledger.commit(
        ReplaceDiskQuery(actor, node), lambda facts, now: say_replaced(facts, node, size, now)
    )
    return outcome if isinstance(outcome, Refused) else None
''',
        new=True,
    ),
    Edit(
        f"{STORE}/facts",
        "disk.py",
        """

@loads(ReplaceDiskQuery)
def replaced(db: Snapshot, query: ReplaceDiskQuery, at: Instant) -> ReplaceFacts:
    return ReplaceFacts(actor_facts(db, query.actor, at), disk(db, DiskQuery(query.node), at))
""",
    ),
    Edit(
        f"{STORE}/facts",
        "disk.py",
        """from onepam.app.host.replace_disk import ReplaceDiskQuery
from onepam.domain.host.disk import DiskFacts, DiskStage, ReplaceFacts
from onepam.store.facts.holdings import actor_facts""",
        "from onepam.domain.host.disk import DiskFacts, DiskStage",
        instead=True,
    ),
    Edit(
        f"{API}/routes",
        "disks.py",
        '''
"""The disks that hold recordings."""

from onepam.api.guard import Services, Who, done, right
from onepam.api.models import Body, Done, Id
from onepam.api.routes.route import Route
from onepam.app.host.replace_disk import replace_disk
from onepam.domain.access.model import ConsoleRight


class Size(Body):
    """How large the new disk is, in bytes."""

    size: int


async def replaced(node: Id, body: Size, caller: Who, services: Services) -> Done:
    """Say that the recordings' disk of a gateway process was replaced."""
    done(await replace_disk(services.ledger, caller.actor, node, body.size))
    return Done()


ROUTES = (Route("POST", "/disks/{node}/replaced", right(ConsoleRight.ADMINISTER), replaced),)
''',
        new=True,
    ),
    Edit(API, "app.py", "    disks,\n", "    confirmations,\n"),
    Edit(API, "app.py", "    *disks.ROUTES,\n", "    *confirmations.ROUTES,\n"),
    Edit(
        "tests/api",
        "test_who_may.py",
        """    ("POST", "/disks/{node}/replaced"): Call(409, lambda people: ({"node": "nod_1"}, {"size": 8})),
""",
        '''    ("GET", "/second-factors"): Call(),
''',
    ),
    Edit(
        "tests/api",
        "test_disks.py",
        """
from onepam.domain.host.disk import DiskLow, DiskStage
from tests.api.office import Office


def test_a_disk_that_runs_out_is_replaced(office: Office) -> None:
    with office.client(office.join("administrator")) as client:
        enough = client.post("/disks/nod_1/replaced", json={"size": 8})
        assert enough.json()["code"] == "disk.enough"
        office.record(DiskLow("nod_1", DiskStage.LOW, 1, 8))
        assert client.post("/disks/nod_1/replaced", json={"size": 8}).json() == {"done": True}
""",
        new=True,
    ),
)  # fmt: skip

PAGE = (
    Edit(
        f"{STORE}/read",
        "disks.py",
        '''
"""The disks that hold recordings, as pages show them."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.host.disk import DiskStage
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class DiskRow:
    """The disk of `node`: `free` of `total` bytes."""

    node: str
    stage: DiskStage
    free: int
    total: int


def disks(db: Snapshot, at: Instant) -> tuple[DiskRow, ...]:
    """All that ever ran low."""
    found = rows(db, f"SELECT node, stage, free, total FROM disk WHERE {AT} ORDER BY node", {"at": at})
    return tuple(DiskRow(each["node"], DiskStage(each["stage"]), each["free"], each["total"]) for each in found)
''',
        new=True,
    ),
    Edit(
        f"{CONSOLE}/history",
        "disks.py",
        '''
"""Disks: where do recordings run out of space?"""

from starlette.responses import Response

from onepam.console.history.disks_page import DisksPage
from onepam.console.frame.places import SEES_ALL, Place, Shown
from onepam.console.frame.visit import Visit
from onepam.store.read.disks import disks


async def page(visit: Visit) -> Response:
    """Every disk that ran low."""
    found = await visit.services.reader(disks, visit.at)
    return visit.page(DisksPage([{"node": each.node, "stage": each.stage.value} for each in found]))


PLACES = (Place("GET", "/disks", SEES_ALL, page, Shown("Disks", "alert-circle", "Proof")),)
''',
        new=True,
    ),
    Edit(
        f"{CONSOLE}/history",
        "disks_page.py",
        '''
"""Disks: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class DisksPage(PageContext):
    """Disks: where do recordings run out of space?

    `disks`: list of {node, stage}
    """

    template: ClassVar = "disks.html"

    disks: list[Context]
''',
        new=True,
    ),
    Edit(CONSOLE, "app.py", "import checkpoint, disks, ledger", "import checkpoint, ledger", instead=True),
    Edit(CONSOLE, "app.py", "    *disks.PLACES,\n", "    *checkpoint.PLACES,\n"),
    Edit(
        f"{CONSOLE}/history",
        "disks.html",
        """
{# Given: disks_page.DisksPage #}
{% extends "base.html" %}
{% from "parts/ui.html" import header, card, empty with context %}
{% block title %}Disks{% endblock %}
{% block content %}
{{ header("Disks", "Where recordings run out of space.") }}
{% call card("Disks", "those that ever ran low") %}
{% if disks %}<ul class="plain-list">
  {% for one in disks %}<li class="row-plain">{{ one.node }}: {{ one.stage }}</li>{% endfor %}
</ul>{% else %}{{ empty("alert-circle", "None", "No disk ever ran low.") }}{% endif %}
{% endcall %}
{% endblock %}
""",
        new=True,
    ),
    Edit(
        "tests/console/samples",
        "pages.py",
        """    "disks": (shell("/disks"), DisksPage([{"node": "nod_1", "stage": "low"}])),
    "disks-empty": (shell("/disks"), DisksPage([])),
""",
        '''    "notices-empty": (shell("/notices"), NO_NOTICES),
''',
    ),
    Edit("tests/console/samples", "pages.py", "from onepam.console.history.disks_page import DisksPage\n",
         "from onepam.console.frame.rendering import Shell\n"),
    Edit("tests/console", "test_routes.py", '    "GET /disks": OVERSEERS,\n', '    "GET /notices": OVERSEERS,\n'),
)  # fmt: skip
