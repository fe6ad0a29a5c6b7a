"""What a session's client says of itself, in one text: what it is, and at a database's door which database it wants.

The database stands last, so that no name of a client passes for one: `psql, database orders`.
"""

import json
import re
from typing import Final, NamedTuple

_DATABASE: Final = re.compile(
    r'(?:(?P<client>.*), )?database (?:(?P<plain>[\w.$-]+)|(?P<quoted>"(?:[^"\\]|\\.)+"))', re.DOTALL
)
_PLAIN: Final = re.compile(r"[\w.$-]+")


class Client(NamedTuple):
    """What it says it is, "" where it says nothing, and the database that its session began in, "" where it named none
    or there are none."""

    name: str
    database: str = ""


def told(client: Client) -> str:
    """As one text, which `read` reads as this again."""
    name = client.name
    if read(name).database:
        name = f'client that says "{name}"'
    if not client.database:
        return name
    database = client.database
    if not _PLAIN.fullmatch(database):
        database = json.dumps(database, ensure_ascii=False)
    return ", ".join(filter(None, (name, f"database {database}")))


def read(text: str) -> Client:
    """What one text tells."""
    found = _DATABASE.fullmatch(text)
    if found is None:
        return Client(text)
    if found["plain"] is not None:
        return Client(found["client"] or "", found["plain"])
    try:
        database = json.loads(found["quoted"])
    except ValueError:
        return Client(text)
    return Client(found["client"] or "", database)
