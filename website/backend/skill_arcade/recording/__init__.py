"""What happened, on this disk: journal, segments."""
