"""Plain data shared by every layer: no torch, no Streamlit, no file access."""
