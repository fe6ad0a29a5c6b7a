"""What the program says of its own work: one line of JSON for each message, a traceback within it.

Log messages name ids, counts and codes. They carry no request, no header and no address that was asked for: there
tokens, codes and links stand.
"""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """A record as an object: `time` (UTC), `level`, `logger`, `message`, and `trace` where there was an error."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told)


def say_lines() -> None:
    """All that is logged goes to standard error: as text where somebody watches a terminal, else as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(text if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
    for name in ("asyncssh", "httpx2", "httpcore2"):  # they tell of peers, addresses and requests
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of each malformed request
