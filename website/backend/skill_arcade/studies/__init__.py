"""Studies: an experiment in one file, its stages, conditions, questionnaires and recruiters."""
