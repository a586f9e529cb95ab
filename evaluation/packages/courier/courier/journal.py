"""A line for each attempt, in a file."""

import json
from pathlib import Path
from typing import TextIO


class Journal:
    """Appends to a file that is opened on first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def write(self, **values: object) -> None:
        line = json.dumps(values, sort_keys=True)
        file = self._opened()
        file.write(line + "\n")
        file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> TextIO:
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        return self._file
