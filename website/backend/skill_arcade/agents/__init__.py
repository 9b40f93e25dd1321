"""Agents: those that are there from the start, and those that somebody has added."""
