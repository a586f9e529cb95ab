"""The review engine: it knows code and a model, but no GitHub, no queue and no token."""
