"""Attacks on a running arcade, for tests and benchmarks."""
