"""What an event is: a frozen record with a kind, a version and a class; some of its fields are private.

Private fields (names, addresses, reasons, digests of tokens, sealed secrets) never stand in the ledger's body. They
travel in the *payload*, and the body carries only `"payload"`: the hex SHA-256 of salt || payload. Erasing the payload
leaves the entry and its proof whole.

    @event("person.added", klass="person", control="IDN-01", words="{by} added {person}")
    @dataclass(frozen=True, slots=True)
    class PersonAdded:
        person: str
        by: str | None
        name: str | None = private()

A private field must allow None: that is what a fold sees once the payload has been erased.

A kind that must change gets a new version: a record of its own, and a pure *upcast* from the version before it. Both
older records and upcasts stay for ever, in the room of the kind; whoever reads entries sees the newest version only.

    def _added(old: PersonAdded1) -> "PersonAdded":
        return PersonAdded(old.person, old.name, language="en")

    @event("person.added", klass="person", version=2, upcast=_added, ...)
    @dataclass(frozen=True, slots=True)
    class PersonAdded: ...
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from onepam.domain.history.text import body_writer, record_writer
from onepam.domain.history.words import Say, Words, plainly
from onepam.domain.history.words import words as parse_words
from onepam.kernel.canonical import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one version of a class of events is named in the ledger, and how its records become JSON and back.

    The body of a kind without private fields is `write_open(record)`. Else it is `write_body(record, digest)`, with the
    digest of the payload, which is `write_payload(record)`. `upcast` makes a record from one of the version before;
    None for the first. `controls` are ids of the control catalogue, with spaces between.
    """

    name: str
    version: int
    klass: str
    words: Words
    controls: str
    alarm: bool
    record: type
    open_fields: tuple[str, ...]
    private_fields: tuple[str, ...]
    decoders: Mapping[str, Callable[[Any], Any]]
    write_open: Callable[[Any], str]
    write_body: Callable[[Any, str], str]
    write_payload: Callable[[Any], str]
    upcast: Callable[[Any], Any] | None


class UnknownKind(ValueError):
    """The ledger holds an event kind or version that this release does not know."""


class Registry:
    """The kinds by record, by name and version, and the newest version of each name."""

    def __init__(self) -> None:
        self.by_record: dict[type, Kind] = {}
        self.by_name: dict[tuple[str, int], Kind] = {}
        self.newest: dict[str, Kind] = {}

    def add(self, kind: Kind) -> None:
        """Takes one version more. Raises `ValueError` for a version that is taken, or does not follow the last one."""
        what, before = f"event kind {kind.name} v{kind.version}", self.newest.get(kind.name)
        if (kind.name, kind.version) in self.by_name:
            raise ValueError(f"{what} is registered twice")
        if kind.version != (before.version + 1 if before else 1):
            raise ValueError(f"{what} does not follow the version before it")
        if (before is None) != (kind.upcast is None):
            raise ValueError(f"{what}: an upcast is due from version 2 on, and only there")
        if before is not None and before.klass != kind.klass:
            raise ValueError(f"{what}: its entries are counted in the class {before.klass}")
        self.by_record[kind.record] = self.by_name[(kind.name, kind.version)] = self.newest[kind.name] = kind


_registry = Registry()


def private() -> Any:
    """A dataclass field that belongs to the erasable payload; None where it was erased."""
    return field(default=None, metadata={"private": True})


def event(
    name: str,
    *,
    klass: str,
    control: str,
    words: str,
    version: int = 1,
    alarm: bool = False,
    upcast: Callable[[Any], Any] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Registers a frozen dataclass as the event `name`. Raises `ValueError` when it does not fit what is registered.

    `words`: the sentence that people read of it (`domain/history/words.py`). `control`: what it is evidence for, as ids
    of the control catalogue with spaces between.
    `alarm`: people are told of it without looking; `domain/telling/notices.py` says who. `upcast`: from version 2 on,
    the pure function from a record of the version before, whose private fields may all be None, to one of this.
    """

    def register(record: type[T]) -> type[T]:
        hints = get_type_hints(record)
        all_fields = fields(cast(Any, record))
        open_fields = tuple(f.name for f in all_fields if not f.metadata.get("private"))
        private_fields = tuple(f.name for f in all_fields if f.metadata.get("private"))
        kind = Kind(
            name=name,
            version=version,
            klass=klass,
            words=parse_words(words, hints, private_fields),
            controls=control,
            alarm=alarm,
            record=record,
            open_fields=open_fields,
            private_fields=private_fields,
            decoders={f.name: decoder(hints[f.name]) for f in all_fields},
            write_open=record_writer(open_fields),
            write_body=body_writer(open_fields),
            write_payload=record_writer(private_fields),
            upcast=upcast,
        )
        _registry.add(kind)
        return record

    return register


def kind_of(record: object) -> Kind:
    """The kind of an event, of whatever version. Raises `UnknownKind` for anything that is not a registered event."""
    try:
        return _registry.by_record[type(record)]
    except KeyError:
        raise UnknownKind(f"{type(record).__name__} is not a registered event") from None


def kind_to_write(record: object) -> Kind:
    """The kind of an event that is about to be appended. Raises `UnknownKind` as `kind_of`, and `ValueError` for a
    record of an older version: only the newest is written."""
    kind = kind_of(record)
    if _registry.newest[kind.name] is not kind:
        raise ValueError(f"{kind.name} v{kind.version} is only read: v{_registry.newest[kind.name].version} is written")
    return kind


def sentence(record: object, say: Say = plainly) -> str:
    """What an event says to people, in one sentence without a full stop. Raises `UnknownKind` as `kind_of`."""
    return kind_of(record).words.sentence(record, say)


def name_of(record: type) -> str:
    """The name of an event's class. Raises `UnknownKind` for anything that is not a registered event."""
    try:
        return _registry.by_record[record].name
    except KeyError:
        raise UnknownKind(f"{record.__name__} is not a registered event") from None


def kinds() -> tuple[Kind, ...]:
    """The newest version of every kind, by name: the table that tests and docs walk."""
    return tuple(_registry.newest[name] for name in sorted(_registry.newest))


def every_version() -> tuple[Kind, ...]:
    """All versions of all kinds, by name and version."""
    return tuple(_registry.by_name[key] for key in sorted(_registry.by_name))


def is_known(name: str, version: int) -> bool:
    """Whether this release reads entries of a kind and version."""
    return (name, version) in _registry.by_name


def is_older(name: str, version: int) -> bool:
    """Whether this release writes a newer version of the kind."""
    return name in _registry.newest and version < _registry.newest[name].version


def kind_named(name: str, version: int) -> Kind:
    """The kind of that name and version. Raises `UnknownKind`."""
    try:
        return _registry.by_name[(name, version)]
    except KeyError:
        last = _registry.newest.get(name)
        reads = f"reads it up to v{last.version}" if last else "knows no such kind"
        raise UnknownKind(f"event kind {name} v{version}: this release {reads}") from None


def as_stored(name: str, version: int, body: Mapping[str, Any], payload: Mapping[str, Any] | None) -> Any:
    """The record of a stored body and payload in its own version; private fields are None where `payload` is (erased).

    Raises `UnknownKind`, or `ValueError` when the fields do not fit the kind.
    """
    kind = kind_named(name, version)
    values = {key: kind.decoders[key](body[key]) for key in kind.open_fields}
    if payload is not None:
        values.update((key, kind.decoders[key](payload.get(key))) for key in kind.private_fields)
    return kind.record(**values)


def newest(record: Any) -> Any:
    """The event of a record of any version, by its upcasts. Raises `ValueError` when one gives another record."""
    kind = _registry.by_record[type(record)]
    while kind is not _registry.newest[kind.name]:
        kind = _registry.by_name[(kind.name, kind.version + 1)]
        record = cast(Callable[[Any], Any], kind.upcast)(record)
        if type(record) is not kind.record:
            raise ValueError(f"the upcast to {kind.name} v{kind.version} gives {type(record).__name__}")
    return record


def join(name: str, version: int, body: Mapping[str, Any], payload: Mapping[str, Any] | None) -> Any:
    """The event of a stored body and payload, in the newest version of its kind. Raises as `as_stored` and `newest`."""
    return newest(as_stored(name, version, body, payload))


def plain(value: Any) -> Json:
    """A value of the domain as plain JSON: dataclasses become objects, tuples lists, enumerations their text."""
    kind = type(value)
    if kind is str or kind is int or value is None or kind is bool:
        return cast(Json, value)
    if kind is tuple or kind is list:
        return [plain(item) for item in value]
    convert = _converters.get(kind)
    if convert is None:
        convert = _converters[kind] = _converter(kind)
    return convert(value)


_converters: dict[type, Callable[[Any], Json]] = {}
"""How the values of a type become plain JSON: looked into once for each type."""


def _converter(kind: type) -> Callable[[Any], Json]:
    if issubclass(kind, Mapping):
        return lambda value: {key: plain(item) for key, item in value.items()}
    if issubclass(kind, StrEnum):
        return {member: member.value for member in kind}.__getitem__
    if is_dataclass(kind):
        names = tuple(f.name for f in fields(kind))
        return lambda value: {name: plain(getattr(value, name)) for name in names}
    raise TypeError(f"{kind.__name__} cannot stand in an event")


def decoder(hint: Any) -> Callable[[Any], Any]:
    """A function from plain JSON to a value of the annotated type; it raises `ValueError` for what does not fit."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _optional(hint)
    if origin is tuple:
        item = decoder(get_args(hint)[0])
        return lambda value: tuple([item(each) for each in _expect(list, value)])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        item = decoder(get_args(hint)[1])
        return lambda value: {key: item(each) for key, each in _expect(dict, value).items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member(hint)
    base = getattr(hint, "__supertype__", hint)
    if base in (str, int, bool):
        return partial(_expect, base)
    raise TypeError(f"{hint!r} cannot be the type of an event's field")


def _optional(hint: Any) -> Callable[[Any], Any]:
    inner = [each for each in get_args(hint) if each is not NoneType]
    if len(inner) != 1:
        raise TypeError(f"{hint!r}: only one type or None can be read back")
    decode = decoder(inner[0])
    return lambda value: None if value is None else decode(value)


def _member(hint: type[StrEnum]) -> Callable[[Any], Any]:
    members = {member.value: member for member in hint}

    def decode(value: Any) -> StrEnum:
        found = members.get(_expect(str, value))
        return hint(value) if found is None else found  # which raises, with a message that names the enumeration

    return decode


def _record(hint: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(hint)
    decoders = {f.name: decoder(hints[f.name]) for f in fields(hint)}
    needed = {f.name for f in fields(hint) if f.default is MISSING}

    def decode(value: Any) -> Any:
        given = _expect(dict, value)
        if not given.keys() <= decoders.keys():
            raise ValueError(f"{hint.__name__} has no field {sorted(given.keys() - decoders.keys())}")
        if not needed <= given.keys():
            raise ValueError(f"{hint.__name__} lacks {sorted(needed - given.keys())}")
        return hint(**{name: decoders[name](item) for name, item in given.items()})

    return decode


def _expect(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
