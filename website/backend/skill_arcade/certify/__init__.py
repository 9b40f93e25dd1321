"""Run kept episodes again, and say whether they come out the same."""
