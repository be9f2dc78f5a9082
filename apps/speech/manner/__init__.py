"""How something is said: what is measured of a voice over a whole recording."""
