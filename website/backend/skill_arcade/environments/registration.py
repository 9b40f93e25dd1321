"""Registers our own environments. Importing `skill_arcade.environments` does it."""

import gymnasium

BUILTIN_ENVIRONMENTS = {
    "SkillArcade/Buttons-v0": "skill_arcade.environments.button_actions:ButtonActionsEnv",
    "SkillArcade/Levels-v0": "skill_arcade.environments.discretized_actions:DiscretizedActionEnv",
    "SkillArcade/TowerOfHanoi-v0": "skill_arcade.environments.hanoi:TowerOfHanoiEnv",
    "SkillArcade/Tetris-v0": "skill_arcade.environments.tetris.env:TetrisEnv",
}


def register() -> None:
    """Register all of them, once. Gymnasium 1.x does not read entry points of packages."""
    for env_id, entry_point in BUILTIN_ENVIRONMENTS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(id=env_id, entry_point=entry_point)
