"""Consent documents: what a player is told and asked before anything is recorded."""
