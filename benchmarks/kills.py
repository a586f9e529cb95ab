"""Kill the whole server at every request that a review makes of GitHub, before it and after.

    python -m benchmarks.kills [--first N] [--last N]

Each time the server is started again, and what then stands on the pull request is looked at: one
review with its comment, one summary, one concluded check run. Exits 1 where it is anything else.
`make test` does a sample.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.app.kills import killed_at_request

PHASES = ("before", "after")


def main() -> int:
    """Print a line a kill, and count."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=1_000)
    options = parser.parse_args()
    right = kills = 0
    for number in range(options.first, options.last + 1):
        fired = False
        for phase in PHASES:
            with tempfile.TemporaryDirectory() as folder:
                began = time.monotonic()
                world, pull, fired = killed_at_request(Path(folder), number, phase)
                if not fired:
                    break
                kills += 1
                seen = world.hub.requests[number - 1]
                where = f"{number:3} {phase:6} {seen.method} {seen.path}"
                try:
                    world.assert_said_once(pull)
                except (AssertionError, ValueError) as error:
                    print(f"WRONG {where}: {error}", flush=True)
                else:
                    right += 1
                    print(f"once  {where} ({time.monotonic() - began:.1f} s)", flush=True)
        if not fired:
            break
    print(f"{right} of {kills} kills: everything said exactly once")
    return 0 if right == kills else 1


if __name__ == "__main__":
    sys.exit(main())
