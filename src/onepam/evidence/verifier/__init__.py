"""The stand-alone verifier, in parts that share no code with the product.

`scripts/verifier.py` makes `verify.py` of them: one file that runs without the rest of OnePAM.
"""
