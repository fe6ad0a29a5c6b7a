"""The ledger's pure half: entries, the Merkle tree, proofs, tiles and checkpoints. Knows no file, clock or database."""
