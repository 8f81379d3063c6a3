"""What the layers and heads of the decoder did at a word."""
