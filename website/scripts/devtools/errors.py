"""The error that a command reports to its user."""


class UserFacingError(Exception):
    """Something is missing or wrong. The message says what failed, why, and what to do; it is shown as it is."""
