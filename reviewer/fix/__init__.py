"""Closes findings of a review: each becomes a commit that a fresh node could not refute."""
