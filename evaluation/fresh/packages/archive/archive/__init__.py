"""What a town archive keeps, and who has borrowed it."""
