"""Methods and maps measured where the truth is known."""
