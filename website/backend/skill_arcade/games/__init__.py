"""The catalogue of games: one manifest per game."""
