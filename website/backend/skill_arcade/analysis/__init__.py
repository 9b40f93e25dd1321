"""Statistics of learning, of groups, of agreement and of preferences; they need NumPy only."""
