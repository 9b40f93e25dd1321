"""One live game: session, clock, runner, roster."""
