"""Delivers events to the addresses that customers registered."""
