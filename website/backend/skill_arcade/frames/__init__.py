"""Pictures to bytes and back, exactly."""
