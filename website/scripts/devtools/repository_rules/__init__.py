"""Lint of the repository as a whole: rules about names, documents, file layout and lock files that no linter knows.

`python website/scripts/lint-repository` runs it, and `website/test` runs that as the check `repository`. Each module
here holds rules about one subject. A rule is a function that takes a `Repository` and yields `Finding` objects.
"""
