"""Skill Arcade: people play Gymnasium environments in a browser, and everything is recorded exactly."""

__version__ = "0.1.0"
