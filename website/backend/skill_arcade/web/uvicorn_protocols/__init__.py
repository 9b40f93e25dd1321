"""Uvicorn's protocols with limits. The only package that extends Uvicorn's protocol classes, which are private.

Uvicorn has no options for these limits (`h11_max_incomplete_event_size` only bounds the head, and only with the slower
h11). `compatibility.py` guards the version; `tests/web/test_uvicorn_contract.py` holds the contract.
"""
