"""Names of objects on their way into a file: what git reads as one a line, and nothing else."""

import re
import tempfile
from collections.abc import Iterable
from typing import IO

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def listed(names: Iterable[str]) -> IO[bytes]:
    """Return a temporary file with full object names, one a line; ValueError for anything else."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    for name in names:
        if not _SHA.fullmatch(name):
            file.close()
            raise ValueError(f"not a full object name: {name[:100]!r}")
        file.write(name.encode() + b"\n")
    file.seek(0)
    return file
