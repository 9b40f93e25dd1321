"""Developer tools: the commands behind `website/play`, `website/test` and `website/backend/lock`.

This package uses Python's standard library only, because it runs before any package is installed. The exception is
`repository_rules`, which runs in the back end's virtual environment.
"""
