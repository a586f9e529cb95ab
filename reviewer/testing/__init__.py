"""Writes tests for what a change does and no test covers; a fresh node has tried to refute each."""
