"""A voice: frames of speech from words, and sound from frames."""
