"""What crosses the socket. Imports nothing of ours."""
