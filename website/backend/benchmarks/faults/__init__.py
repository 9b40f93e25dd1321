"""Break a running arcade at random moments, and count what is lost."""
