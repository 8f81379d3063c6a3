"""How the map of one token is made, step by step, and how it is made wrong."""
