"""What a session holds and what every page shares of it."""
