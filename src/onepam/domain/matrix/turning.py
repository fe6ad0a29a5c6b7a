"""Turning what nobody uses off, in the text of `access.yaml`: a prepared file, which an administrator looks at, plans
and applies as any other. What cannot be edited safely is left as it is, and named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from onepam.domain.access.model import ConsoleRight, Mode
from onepam.domain.matrix.editing import RoleEdit, edited
from onepam.domain.matrix.file import read_access
from onepam.domain.matrix.matrix import Matrix
from onepam.domain.matrix.parse import Mark, Piece, marks
from onepam.domain.matrix.use import Proposal
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Prepared:
    """The text with what could be `done` in it, and what is `left` to be done by hand."""

    text: str
    done: tuple[Proposal, ...]
    left: tuple[Proposal, ...]


def prepared(text: str, wanted: Iterable[Proposal], addresses: dict[str, str]) -> Prepared:
    """Carries the proposals out in the text. `addresses` has people's e-mail by their identifiers."""
    done, left = [], []
    for each in wanted:
        made = on_request(text, each.role, each.permission) if each.permission else _without(text, each, addresses)
        if made is None:
            left.append(each)
        else:
            text = made
            done.append(each)
    return Prepared(text, tuple(done), tuple(left))


def on_request(text: str, role: str, permission: str) -> str | None:
    """The text with a standing permission turned into one on request, which all roles approve that approve anything;
    None where there is no such role, or the text is of a shape that this does not know."""
    before = read_access(text).wanted
    wanted = before and _wanted(before, role, permission)
    spots = _spots(text, role, permission) if wanted is not None else {}
    if wanted is None or "mode" not in spots:
        return None
    (approvers,) = {each.approvers for each in wanted.roles[role].permissions if each.name == permission}
    mode, line = spots["mode"], ""
    if "approvers" not in spots:
        begin = text.rfind("\n", 0, mode.begin) + 1
        rest = text[begin : mode.begin]
        block = rest.strip() == "mode:"
        named = f"approvers: [{', '.join(approvers)}]"
        line = f"\n{rest[: len(rest) - len(rest.lstrip())]}{named}" if block else f", {named}"
    made = f"{text[: mode.begin]}{Mode.REQUEST.value}{line}{text[mode.end :]}"
    return made if read_access(made).wanted == wanted else None


def _without(text: str, proposal: Proposal, addresses: dict[str, str]) -> str | None:
    email = addresses.get(proposal.person, "")
    made = edited(text, RoleEdit(email, proposal.role, gives=False)) if email else text
    return None if isinstance(made, Refused) or made == text else made


def _wanted(matrix: Matrix, role: str, permission: str) -> Matrix | None:
    """The matrix that is meant; None where nobody could approve it."""
    approve = tuple(sorted(each.role for each in matrix.roles.values() if ConsoleRight.APPROVE in each.console))
    old = matrix.roles.get(role)
    if old is None or not approve or old.permission(permission) is None:
        return None
    changed = tuple(
        replace(each, mode=Mode.REQUEST, approvers=each.approvers or approve) if each.name == permission else each
        for each in old.permissions
    )
    return replace(matrix, roles={**matrix.roles, role: replace(old, permissions=changed)})


def _spots(text: str, role: str, permission: str) -> dict[str, Mark]:
    """Where the fields of the permission have their values, of those that are words or begin lists."""
    path, found = ("roles", role, "permissions", permission), dict[str, Mark]()
    for keys, mark in _values(text):
        if keys[:-1] == path:
            found[keys[-1]] = mark
    return found


def _values(text: str) -> Iterator[tuple[tuple[str, ...], Mark]]:
    """Each value of a mapping with the keys that lead to it."""
    open_: list[tuple[str, bool]] = []  # the key under which a list or mapping stands, and whether it is a mapping
    key: str | None = None
    for mark in marks(text):
        if mark.piece is Piece.END:
            open_.pop()
            key = None
            continue
        in_mapping = bool(open_) and open_[-1][1]
        if in_mapping and key is None:
            key = mark.text
            continue
        if in_mapping and key is not None:
            yield (*(name for name, _ in open_[1:]), key), mark
        if mark.piece is not Piece.WORD:
            open_.append((key or "", mark.piece is Piece.MAPPING))
        key = None
