"""Who computes, when, and for whom."""
