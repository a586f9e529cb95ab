"""The run pages: what a run was given, looked up, cost and found, for those who may read it.

A person logs in at GitHub. Each view asks GitHub, with that person's token, whether the repository
may be read, and what may not be is not told apart from what is not there.
"""
