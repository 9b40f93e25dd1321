"""Studies on this server: admission, places, stages, trials, and what the page is told."""
