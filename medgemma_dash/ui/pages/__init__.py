"""The pages, a folder each; they never import each other."""
