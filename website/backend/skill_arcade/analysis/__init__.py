"""Statistics of learning, for one person's scores and for groups; they need NumPy only."""
