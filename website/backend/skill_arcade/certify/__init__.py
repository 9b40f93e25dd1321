"""Certification: re-runs recorded episodes and compares the results with the recordings."""
