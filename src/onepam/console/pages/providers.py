"""Identity providers: how each fares, connecting one, deciding on what is proposed, declaring, removing."""

from onepam.console.pages.provider_test import test_returned

__all__ = ["test_returned"]
