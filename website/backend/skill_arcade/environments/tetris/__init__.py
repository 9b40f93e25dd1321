"""Falling blocks: the pieces, the rules, the picture, and the environment that they make."""
