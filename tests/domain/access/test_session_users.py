"""Logins for whose sessions users are made, and what was declared before there were any."""

from onepam.domain.access.earlier import ResourceSet2
from onepam.domain.access.events import ResourceSet
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import ResourceKind
from onepam.domain.access.session_users import Making, SessionUsers, making
from onepam.domain.history.event import newest

USERS = SessionUsers("owner", {"app": "readers"})


def test_a_login_is_an_account_unless_a_role_is_named_for_it() -> None:
    assert making(USERS, "app") == Making("owner", "readers")
    assert making(USERS, "owner") is None
    assert making(None, "app") is None


def test_what_was_declared_before_there_were_session_users_makes_none() -> None:
    old = ResourceSet2(
        "db", ResourceKind.POSTGRES, {"a": "b"}, "ada", ("app",), ("p",), 5432, "chg_1", "ada", None,
        mask=Mask(("x",)), results=Results(1, 2),
    )  # fmt: skip
    read = newest(old)
    assert isinstance(read, ResourceSet)
    assert read.session_users is None
    assert {name: getattr(read, name) for name in old.__slots__} == {name: getattr(old, name) for name in old.__slots__}
