"""Pictures that get labels: what the problems of several domains share."""
