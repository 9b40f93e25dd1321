"""Game processes: the fork server that starts them, the pool that assigns games to them, and their main loop."""
