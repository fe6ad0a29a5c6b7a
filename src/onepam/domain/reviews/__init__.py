"""Access reviews: at a set interval somebody responsible confirms or takes each access."""
