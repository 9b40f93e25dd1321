"""What `website/play`, `website/test` and `website/backend/lock` do.

Python's standard library only: it runs before any package is there.
"""
