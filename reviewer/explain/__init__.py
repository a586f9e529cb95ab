"""Answers questions about a change, and about what was said of it."""
