"""The user interface: session state, panels and small components. No torch here."""
