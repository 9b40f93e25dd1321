"""One player's session in a game process: the game loop, the tick clock, input, frames to the client, and recording."""
