"""HTTP and socket: the only room that knows FastAPI."""
