"""Deterministic checks of a change: no model, no network, nothing of the repository executed."""
