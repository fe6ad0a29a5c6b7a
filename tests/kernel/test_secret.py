import pytest

from onepam.kernel.secret import Secret


@pytest.mark.claim(
    "never shows itself in a log line or a traceback",
    altered="its repr showed the bytes",
)
def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(b"hunter2")
    assert secret.reveal() == b"hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {secret!s} {secret:>20} {[secret]}"


def test_a_secret_compares_but_is_no_key() -> None:
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != b"a"
    with pytest.raises(TypeError):
        hash(Secret(b"a"))
