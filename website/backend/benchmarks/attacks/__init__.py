"""Attack a running arcade, and measure what the other players notice."""
