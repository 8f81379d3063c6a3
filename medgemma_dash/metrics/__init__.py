"""What a map is worth, measured: where it points, and how sure the figure is."""
