"""A process in which files are decoded, so that none of them can take the program with it."""
