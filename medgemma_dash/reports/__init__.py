"""What is said and drawn of a result, the same for pages, command line and notebook."""
