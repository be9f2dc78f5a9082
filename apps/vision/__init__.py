"""Vision: what is in a picture."""
