"""The one error that people are to read."""


class UserFacingError(Exception):
    """Something is missing or in the way; the message is a sentence that says what to do."""
