"""Rows of what is known of a person, as numbers that a net reads."""
