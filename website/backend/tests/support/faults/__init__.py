"""Faults of a running arcade, for tests and benchmarks."""
