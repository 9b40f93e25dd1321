"""The parts of the deployment scripts that are written in Python: JSON, HTTP, the smoke test and the cost tables.

The package uses the standard library only, because it runs where credentials are and no package is installed there.
"""
