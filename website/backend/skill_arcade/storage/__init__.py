"""Object store and database."""
