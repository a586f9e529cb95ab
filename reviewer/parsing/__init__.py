"""What reads the syntax of hostile files: all of it runs in worker processes, behind limits."""
