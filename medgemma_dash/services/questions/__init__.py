"""A table of questions, each put to the model, and what the answers are worth together."""
