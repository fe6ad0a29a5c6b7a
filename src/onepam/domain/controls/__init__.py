"""Controls: what is asked of how access is governed, and the tests that ask it of everything there was."""
