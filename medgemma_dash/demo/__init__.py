"""Synthetic radiographs with known lesions, and the small model that is trained on them."""
