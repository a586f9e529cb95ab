"""Changes how a program is built, not what it does: an instruction becomes commits."""
