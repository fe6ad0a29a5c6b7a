"""Where a page leads on or back to: places of ours alone."""

import pytest

from onepam.console.frame.visit import following


@pytest.mark.parametrize("path", ["/", "/sessions?q=web-1", "/approvals#req_1"])
def test_a_path_of_our_own_is_followed(path: str) -> None:
    assert following(path, "/else") == path


@pytest.mark.parametrize(
    "path", ["", "sessions", "https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nb", "/" + "a" * 2_000]
)
def test_any_other_is_not(path: str) -> None:
    assert following(path, "/else") == "/else"
    assert following(path) == "/"
