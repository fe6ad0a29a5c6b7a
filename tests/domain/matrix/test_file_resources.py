"""Logins as directories have them, and the environment of a resource."""

import pytest

from tests.domain.matrix.test_file import FILE, matrix, problems


def test_the_environment_that_a_resource_lets_through() -> None:
    def read(line: str) -> tuple[str, ...]:
        return (
            matrix(FILE.replace("    logins: [root, app]\n", f"    logins: [root, app]\n{line}"))
            .resources["web-1"]
            .environment
        )

    assert read("") == ("LANG", "LC_*")
    assert read("    environment: [TZ, LC_*]\n") == ("LC_*", "TZ")
    assert read("    environment: []\n") == ()


@pytest.mark.parametrize("login", ["bob@corp.example", "CORP\\Bob", "Bob.B", "host$", "a+b"])
def test_logins_as_directories_have_them(login: str) -> None:
    assert matrix(FILE.replace("[root, app]", f"[root, '{login}']")).resources["web-1"].logins == tuple(
        sorted(("root", login))
    )


@pytest.mark.parametrize("login", ["@corp", "bob@", "a@b@c", "-root", "a b"])
def test_what_is_no_login(login: str) -> None:
    (problem,) = problems(FILE.replace("[root, app]", f"[root, app, '{login}']"))
    assert f"`{login}` is not a login." in problem


@pytest.mark.parametrize("variable", ["A-B", "*", "A*B", "1A"])
def test_what_is_no_environment_variable(variable: str) -> None:
    file = FILE.replace("    logins: [root, app]\n", f"    logins: [root, app]\n    environment: ['{variable}']\n")
    (problem,) = problems(file)
    assert f"`{variable}` is not an environment variable." in problem
