"""Going to an identity provider: what its template is given."""

from dataclasses import dataclass
from typing import Any, ClassVar

from onepam.console.frame.page import PageContext


@dataclass(frozen=True, slots=True)
class AtProviderPage(PageContext):
    """Going to an identity provider; the page goes on by itself.

    `called`: what the provider is called
    `fields`: list of (name, value): posted there; empty where the address is all
    `address`: where the browser goes
    """

    template: ClassVar = "at_provider.html"

    called: str
    says: str
    fields: list[Any]
    address: str
