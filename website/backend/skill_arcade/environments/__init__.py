"""The Gymnasium side: making, stepping and showing an environment."""
