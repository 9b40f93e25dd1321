"""HTTP and WebSocket endpoints: the only package that uses FastAPI."""
