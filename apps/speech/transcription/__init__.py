"""Transcripts: their units, the nets that score them by frames, and the search for the likeliest."""
