"""The server's side of running games: sessions by player, reconnects and takeovers, and limits on new games."""
