"""Getting back in when nobody can any more."""
