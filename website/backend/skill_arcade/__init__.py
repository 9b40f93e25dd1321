"""Skill Arcade: people play Gymnasium environments in a browser, and all of it is kept, exactly."""

__version__ = "0.1.0"
