"""Tables of questions about radiographs, and the folders that the radiographs lie in."""
