"""Leaving: everything that ends with a person, what probes it, what holds it back."""
