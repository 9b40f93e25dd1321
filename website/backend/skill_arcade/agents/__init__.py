"""Agents that are there from the start: scripted players, without weights."""
