"""A logged message is one line of JSON, whatever it holds."""

import json
import logging
import sys

from onepam.boot.log_lines import JsonLines


def test_a_message_with_an_error_stays_one_line() -> None:
    try:
        raise ValueError("of two\nlines")
    except ValueError:
        record = logging.LogRecord("onepam.test", logging.ERROR, "", 0, "%s ended\n%s", ("it", "…"), sys.exc_info())
    line = JsonLines().format(record)
    assert line.isascii()
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("error", "onepam.test", "it ended\n…")
    assert told["trace"].startswith("Traceback")
    assert told["trace"].endswith("ValueError: of two\nlines")
    assert told["time"].endswith("+00:00")
