"""Transitions of old episodes in Parquet objects: written, read back, shown to queries, and erased."""
