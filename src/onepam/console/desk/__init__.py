"""Where somebody begins: home, finding."""
