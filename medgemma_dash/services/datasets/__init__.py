"""Reading what others annotated or asked."""
