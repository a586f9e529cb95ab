"""Everything that talks to GitHub, a database, a queue, a browser or a terminal."""
