"""The stand-alone verifier. `verify.py` is one file that runs without the rest of OnePAM and shares no code with it."""
