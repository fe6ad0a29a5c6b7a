"""What templates are given: one frozen record for each page, which handlers and samples make alike.

A field that its template does not read, and a name that it reads and nobody gives, fail a test.
"""

from typing import Any, ClassVar

Context = dict[str, Any]
"""A row or a part of a page, as the record that holds it describes."""


class PageContext:
    """What one template is given. Instants are microseconds (`kernel.clock`), durations too, sizes are bytes."""

    __slots__ = ()
    template: ClassVar[str]
