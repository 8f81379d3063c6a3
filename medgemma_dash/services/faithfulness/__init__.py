"""Maps tested on the model itself."""
