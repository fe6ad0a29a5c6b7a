"""What a client is called, and its database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.sessions.clients import Client, read, told


@pytest.mark.parametrize(
    ("client", "text"),
    [
        (Client("psql", "orders"), "psql, database orders"),
        (Client("psql", 'a "b", c'), r'psql, database "a \"b\", c"'),
        (Client("", "orders"), "database orders"),
        (Client("psql"), "psql"),
        (Client(""), ""),
        (Client("OpenSSH_9.2"), "OpenSSH_9.2"),
    ],
)
def test_the_database_stands_behind_what_the_client_is(client: Client, text: str) -> None:
    assert told(client) == text
    assert read(text) == client


@pytest.mark.parametrize("name", ["psql, database orders", "database orders", 'x, database "a"'])
def test_no_client_says_its_database_by_its_name(name: str) -> None:
    assert read(told(Client(name))) == Client(f'client that says "{name}"')
    assert read(told(Client(name, "real"))) == Client(f'client that says "{name}"', "real")


@pytest.mark.parametrize("text", ['x, database "a', 'x, database "a\\q"', "x, database ", "x, database a b"])
def test_what_is_no_database_is_the_client(text: str) -> None:
    assert read(text) == Client(text)


ODD = st.text(alphabet=st.sampled_from(list('a ,"\\é')), max_size=12)


@given(st.builds("".join, st.lists(st.one_of(ODD, st.just(", database "), st.just("database ")), max_size=4)), ODD)
def test_whatever_both_are_called_they_are_told_apart(name: str, database: str) -> None:
    found = read(told(Client(name, database)))
    assert found.database == database
    assert found.name in (name, f'client that says "{name}"')
