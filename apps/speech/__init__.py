"""Speech: what is said, in words or in a text, and how."""
