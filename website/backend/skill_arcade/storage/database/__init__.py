"""Postgres: engine, tables, queries and migrations."""
