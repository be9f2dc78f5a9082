"""The applications: one folder a domain, one file a problem."""
