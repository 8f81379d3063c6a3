"""What stands around every page: entry, header, navigation."""
