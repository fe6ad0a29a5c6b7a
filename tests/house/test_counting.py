"""Which branches count."""

from coverage import Coverage


def test_what_tests_of_other_floors_run_is_not_counted() -> None:
    """Under `make test`, which counts; `tests/conftest.py` stops it for all but the pure floors' own tests."""
    assert Coverage.current() is None
