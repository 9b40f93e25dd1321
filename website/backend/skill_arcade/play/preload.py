"""What every game process needs, imported once in the fork server so that its memory is shared."""

import gc

import ale_py  # noqa: F401
import gymnasium  # noqa: F401
import numpy  # noqa: F401

import skill_arcade.play.runner  # noqa: F401

gc.collect()
gc.freeze()
