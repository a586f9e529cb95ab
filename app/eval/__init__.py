"""`rlm eval`: our own review over cases whose defects are known, and what it was worth."""
