"""The environments of our own. `import skill_arcade.environments` makes them known to Gymnasium."""

import gymnasium

BUILTIN_ENVIRONMENTS = {
    "SkillArcade/Levels-v0": "skill_arcade.environments.discretized_actions:DiscretizedActionEnv",
    "SkillArcade/TowerOfHanoi-v0": "skill_arcade.environments.hanoi:TowerOfHanoiEnv",
    "SkillArcade/Tetris-v0": "skill_arcade.environments.tetris.env:TetrisEnv",
}


def register() -> None:
    """Register every environment of ours, once. Gymnasium 1.x no longer reads a package's entry points."""
    for env_id, entry_point in BUILTIN_ENVIRONMENTS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(id=env_id, entry_point=entry_point)
