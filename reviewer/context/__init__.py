"""What the rest of the repository says about a name, a file or a line: asked for, never pasted."""
