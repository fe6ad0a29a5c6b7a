"""Which doors are pressed by a crowd."""

from onepam.domain.host import doors as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

PRESSED_DOOR = state(
    StateTable(
        "pressed_door",
        ("node", "door"),
        {
            "node": "TEXT NOT NULL",
            "door": "TEXT NOT NULL",
            "since": "INTEGER NOT NULL",
            "turned_away": "INTEGER NOT NULL",
            "networks": "INTEGER NOT NULL",
        },
    )
)


@projects(events.DoorPressed)
def door_pressed(db: Db, place: Place, event: events.DoorPressed) -> None:
    PRESSED_DOOR.put(
        db,
        place.time,
        node=event.node,
        door=event.door.value,
        since=place.time,
        turned_away=event.turned_away,
        networks=event.networks,
    )


@projects(events.DoorCalm)
def door_calm(db: Db, place: Place, event: events.DoorCalm) -> None:
    PRESSED_DOOR.end(db, place.time, node=event.node, door=event.door.value)
