"""Use cases of gateway sessions but their opening."""
