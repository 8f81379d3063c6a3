"""What an answer becomes when parts of its image are removed, or alone are kept."""
