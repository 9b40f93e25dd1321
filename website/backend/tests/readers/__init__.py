"""Loads exports with the libraries that they are for, and compares every value with the source.

`python -m tests.readers` writes `website/docs/exports.md`. A reader runs as `python -m readers.read_NAME` in the folder
`tests`, in an environment with its library and without this package, so it imports only `compare` and its library.
"""
