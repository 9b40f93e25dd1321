"""Attack a running arcade, and measure the effect on other players."""
