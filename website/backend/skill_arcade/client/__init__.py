"""Play on a running arcade from Python, as a Gymnasium environment. It needs gymnasium, numpy and websockets only.

from skill_arcade.client import ArcadeEnv
env = ArcadeEnv("http://localhost:8080", "breakout", name="my-agent")
picture, info = env.reset(seed=1)
picture, reward, terminated, truncated, info = env.step(env.action_space.sample())
env.close()
"""

from skill_arcade.client.env import ArcadeEnv, ConnectionClosed
from skill_arcade.client.lockstep import EpisodeRefused, LockstepUnavailable

__all__ = ["ArcadeEnv", "ConnectionClosed", "EpisodeRefused", "LockstepUnavailable"]
