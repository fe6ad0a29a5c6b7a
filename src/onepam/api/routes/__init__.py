"""The routes, by what they are about; each with who may call it."""
