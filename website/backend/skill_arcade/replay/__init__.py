"""Replays of episodes: clips of frames, captions, preview pictures and the vocabulary of notes."""
