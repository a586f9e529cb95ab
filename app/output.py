"""Where a result goes: standard output, or a file that is whole or not there at all."""

import contextlib
import os
import secrets
import stat
import sys
from pathlib import Path

from reviewer.errors import TellUser

STANDARD_OUTPUT = "-"

_HINT = "Give another file to --output, or - for standard output."


def check_output(target: str) -> None:
    """Raise TellUser now, before anything is spent, if a file cannot be written there."""
    if target == STANDARD_OUTPUT:
        return
    check_link(target, "--output")
    path = Path(target)
    folder = path.resolve().parent
    if path.is_dir():
        problem = f"--output names a folder: {target}"
    elif path.exists() and not path.is_file():  # a device, a pipe
        problem = "" if os.access(path, os.W_OK) else f"--output: {target} cannot be written"
    elif not folder.is_dir():
        problem = f"--output: there is no folder {folder}"
    elif not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        problem = f"--output: {target} cannot be written"
    else:
        problem = ""
    if problem:
        raise TellUser(problem, _HINT)


def check_link(target: str, option: str) -> None:
    """Raise TellUser if a symbolic link in a work tree would lead a file elsewhere.

    A change under review can bring `review.txt -> ~/.bashrc`, and text of its author's choice. A
    link outside every work tree was made by somebody of this machine, and is followed.
    """
    named = Path(os.path.abspath(target))  # noqa: PTH100 - `resolve` follows links
    top = next((folder for folder in named.parents if os.path.lexists(folder / ".git")), None)
    if top is not None and Path(target).resolve() != top.resolve() / named.relative_to(top):
        raise TellUser(
            f"{option}: {target} is behind a symbolic link in the work tree {top}",
            f"If you mean {Path(target).resolve()}, name that.",
        )


def deliver(text: str, target: str) -> None:
    """Write a result where the user wants it.

    If that fails, so that a paid review is not lost, the result goes to standard output, or at
    last to standard error, and TellUser is raised. A reader that went away is no error.
    """
    deliver_bytes(text.encode("utf-8", "backslashreplace"), target)


def deliver_bytes(raw: bytes, target: str) -> None:
    """Write a result that is no text, a patch, say, as `deliver` does."""
    try:
        if target == STANDARD_OUTPUT:
            _print(raw)
        else:
            _write(Path(target), raw)
    except OSError as error:
        where = "standard output" if target == STANDARD_OUTPUT else target
        instead = _save(raw, target)
        raise TellUser(
            f"The result could not be written to {where} ({error.strerror}){instead}", _HINT
        ) from error


def _save(raw: bytes, target: str) -> str:
    """Write a result that found no room to what is left, and say what that was."""
    if target != STANDARD_OUTPUT:
        with contextlib.suppress(OSError):
            _print(raw)
            return "; it went to standard output instead"
    with contextlib.suppress(OSError):
        sys.stderr.buffer.write(raw)
        sys.stderr.buffer.flush()
        return "; it stands above, on standard error"
    return ""


def _print(raw: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # `rlm review | head` got what it wanted. Python would complain again when it exits.
        _discard_stdout()
    except OSError:
        _discard_stdout()
        raise


def _discard_stdout() -> None:
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


def _write(path: Path, raw: bytes) -> None:
    """Replace a file in one step; a device or a pipe is written as it stands."""
    before = path.stat() if path.exists() else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        with path.open("wb") as device:
            device.write(raw)
        return
    path = path.resolve()  # a symbolic link stays one, and its target is replaced
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            part.chmod(stat.S_IMODE(before.st_mode))
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
