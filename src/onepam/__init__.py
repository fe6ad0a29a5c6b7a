"""OnePAM: privileged access management whose history can be verified offline."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

__version__ = "0.1.0"


class _Unaided:
    """Keeps asyncssh from the machine's own libraries.

    When it is imported, it looks for liboqs and libnettle by running ldconfig, gcc and ld: for algorithms that we do
    not speak, in libraries that no lock names. For the two modules that do so there are none.
    """

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Where Python asks for a module; None for all others, which are found as ever."""
        if name not in ("asyncssh.crypto.pq", "asyncssh.crypto.umac"):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _UnaidedLoader(name, spec.origin)
        return spec


class _UnaidedLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        import ctypes.util

        find, ctypes.util.find_library = ctypes.util.find_library, lambda name: None
        try:
            super().exec_module(module)
        finally:
            ctypes.util.find_library = find


sys.meta_path.insert(0, _Unaided)
