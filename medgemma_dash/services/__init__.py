"""Use cases: what the pages, the command line and the Python API ask for."""
