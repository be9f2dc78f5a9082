"""Speech: what is said, in which word."""
