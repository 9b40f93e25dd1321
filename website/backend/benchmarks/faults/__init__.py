"""Cause faults in a running arcade at random times, and count lost steps."""
