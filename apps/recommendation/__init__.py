"""Recommendation: what somebody will like, and how much."""
