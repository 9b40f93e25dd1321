"""Leaderboards and the daily challenge: which episodes rank, under which name, and where."""
