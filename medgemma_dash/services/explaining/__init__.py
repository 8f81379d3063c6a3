"""From a question to an answer, and from a word of it to its explanation."""
