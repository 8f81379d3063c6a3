"""Home: what the program is, and which radiograph to open."""
