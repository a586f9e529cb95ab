"""Scans: the bytes of a file under their SHA-256."""

import hashlib
import os
import tempfile
from pathlib import Path


class Scans:
    """A folder of scans. What lies under a digest never changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, data: bytes) -> str:
        """Keep some bytes and return their digest."""
        digest = hashlib.sha256(data).hexdigest()
        target = self._folder / digest
        if not target.exists():
            self._write(target, data)
        return digest

    def read(self, digest: str) -> bytes:
        """Return what lies under a digest; FileNotFoundError if nothing does."""
        return (self._folder / digest).read_bytes()

    def _write(self, target: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
