"""Recognition by hidden Markov models over a net: pronunciations, states, alignment, search."""
