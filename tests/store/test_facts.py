"""Each command's question has a loader: one without would be found by the first person who gives the command."""

import importlib
import pkgutil

import onepam.app
from onepam.store.engine import facts as registry
from onepam.store.facts import load


def test_every_query_of_the_use_cases_has_a_loader() -> None:
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(onepam.app.__path__, "onepam.app.")]
    queries = {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and "facts" in vars(each)
    }
    assert len(queries) > 30
    assert sorted(each.__name__ for each in queries - registry._loaders.keys()) == []
    assert load is registry.load, "the registry of the room that imports every loader"
