"""The console's pages, by whom they serve: signing in, the everyday ones, the records."""
