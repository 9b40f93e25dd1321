"""Live games: sessions and their game loop, game processes behind a fork server, reconnects, and lockstep."""
