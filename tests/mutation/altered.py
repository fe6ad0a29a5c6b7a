"""A plugin of pytest: one file of the product is imported as `scripts/mutate.py` altered it, unaltered on disk."""

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

FILE, TEXT = os.environ["ONEPAM_MUTANT_FILE"], os.environ["ONEPAM_MUTANT_TEXT"]
NAME = ".".join(Path(FILE).with_suffix("").parts[Path(FILE).parts.index("onepam") :])


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        return compile(TEXT, FILE, "exec")


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, _Loader(fullname, FILE)) if fullname == NAME else None


sys.meta_path.insert(0, _Finder())
