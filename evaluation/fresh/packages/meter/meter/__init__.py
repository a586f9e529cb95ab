"""Readings of electricity meters, and what is made of them."""
