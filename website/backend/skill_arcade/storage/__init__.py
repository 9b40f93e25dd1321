"""Stores recordings: the object store and the database."""
