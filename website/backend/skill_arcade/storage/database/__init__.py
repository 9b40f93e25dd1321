"""Engine, tables, queries and migrations."""
