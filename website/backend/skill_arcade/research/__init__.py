"""Charts of recorded play for researchers: a selection of episodes, the SQL of each chart, and its answer."""
