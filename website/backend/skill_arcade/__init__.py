"""Skill Arcade: people play Gymnasium environments in a browser, and every frame, action and time is
recorded exactly.
"""

__version__ = "0.1.0"
