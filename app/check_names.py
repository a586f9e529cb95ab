"""Names that people see on GitHub and that come back to us in events."""

REVIEW_LABEL = "rlm-review"
"""Whoever puts this label on a pull request asks for a review."""

AGAIN, FULL, FIX = "again", "full", "fix"
"""The buttons under a check run: identifiers, of at most 20 characters."""
