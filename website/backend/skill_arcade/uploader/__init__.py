"""Sealed segments to the object store, then to Postgres."""
