"""The composition root: configuration in, running platform out. The one room that sees every floor."""
