"""Lockstep: the page runs the game by itself, and the server repeats and verifies each step (rules L1 to L7)."""
