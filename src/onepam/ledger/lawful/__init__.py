"""Whether a history was lawful: did it give every right that was used, at that instant, to whoever used it?

Rules of its own, independent of the deciders: nothing of `domain` is imported, bodies are read as they are stored, and
the payloads, which may be erased, not at all. `judging.py` folds the entries once, from the first to the newest.

All but `rows.py` is joined into the stand-alone verifier as it stands (`scripts/verifier.py`): so it rests on the
standard library and `kernel.instant` alone, reads on Python 3.9, and no two modules define one name.
"""
