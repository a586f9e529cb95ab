"""A long-lived `git cat-file`: the way to read thousands of objects without a process for each."""

import os
import select
import subprocess
import threading
import time

from reviewer.errors import GiveUp
from reviewer.git import GitRepo, Killed, once_more, stop
from reviewer.ports import FileTooLarge, MissingBlob, NoSuchFile

ANSWER_TIMEOUT_S = 30.0
"""For one object, from a disk that may be a network's."""

CHUNK = 1 << 16


class CatFile:
    """Reads objects by name. Thread-safe: one answer at a time. `close` ends the process."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._lock = threading.Lock()
        self._batch: _Batch | None = None

    def read(self, name: bytes, kind: str, max_bytes: int) -> bytes:
        """Return an object's bytes. Git tells the size first; of a larger object no more is read.

        Raise MissingBlob for a blob that is not in the store, NoSuchFile for any other object that
        is not, or is of another kind, FileTooLarge, and GiveUp if git dies twice in a row or takes
        more than ANSWER_TIMEOUT_S.
        """
        if b"\n" in name:
            raise ValueError("an object's name is one line")
        with self._lock:
            return self._asked(name, kind, max_bytes)

    @once_more
    def _asked(self, name: bytes, kind: str, max_bytes: int) -> bytes:
        try:
            return self._read(name, kind, max_bytes)
        except (NoSuchFile, MissingBlob, FileTooLarge):
            raise
        except BaseException:
            # Half an answer may be in the pipe, which the next question would get.
            self._end()
            raise

    def _read(self, name: bytes, kind: str, max_bytes: int) -> bytes:
        if self._batch is None:
            self._batch = _Batch(self._repo)
        found, size = self._batch.ask(name)
        if found == kind and size <= max_bytes:
            return self._batch.exactly(size + 1)[:-1]
        # What is not wanted comes all the same: a little is read over, much is cut off.
        if found and size <= CHUNK:
            self._batch.exactly(size + 1)
        elif found:
            self._end()
        if found == kind:
            raise FileTooLarge(f"{size} bytes, more than the {max_bytes} that are read.")
        shown = name.decode("ascii", "replace")
        if not found and kind == "blob":
            raise MissingBlob(f"{shown} is not in this repository's object store.")
        what = f"no {kind}" if found else "not in this repository's object store"
        raise NoSuchFile(f"{shown} is {what}.")

    def close(self) -> None:
        """End the process; the next read starts a new one."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._batch is not None:
            self._batch.close()
        self._batch = None


class _Batch:
    """The process: a question is a line, an answer a line and the object."""

    def __init__(self, repo: GitRepo) -> None:
        self._process = repo.start("cat-file", "--batch", stdin=subprocess.PIPE)
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("started with pipes")
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        self._ready = select.poll()
        self._ready.register(self._out, select.POLLIN)
        self._buffer = b""
        self._deadline = 0.0

    def ask(self, name: bytes) -> tuple[str, int]:
        """Return the kind and size of an object; ("", 0) if there is none."""
        self._deadline = time.monotonic() + ANSWER_TIMEOUT_S
        try:
            os.write(self._in, name + b"\n")  # shorter than PIPE_BUF: whole or not at all
        except BrokenPipeError as error:
            raise Killed("git cat-file has died.") from error
        while (end := self._buffer.find(b"\n")) < 0:
            self._buffer += self._some()
        answer, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        words = answer.split(b" ")
        if len(words) == 3 and words[2].isdigit():
            return words[1].decode("ascii"), int(words[2])
        return "", 0

    def exactly(self, size: int) -> bytes:
        """Return the next `size` bytes of the answer."""
        pieces = [self._buffer]
        missing = size - len(self._buffer)
        while missing > 0:
            pieces.append(self._some())
            missing -= len(pieces[-1])
        data = b"".join(pieces)
        self._buffer = data[size:]
        return data[:size]

    def _some(self) -> bytes:
        left = self._deadline - time.monotonic()
        if left <= 0 or not self._ready.poll(left * 1000):
            raise GiveUp(f"git cat-file took longer than {ANSWER_TIMEOUT_S:g} s.")
        data = os.read(self._out, CHUNK)
        if not data:
            raise Killed("git cat-file has died.")
        return data

    def close(self) -> None:
        with self._process:  # closes the pipes
            stop(self._process)
