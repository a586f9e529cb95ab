import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reviewer.context.sketches import Segment, Sketches
from reviewer.context.store import MAX_SEGMENTS, VERSION, Store
from reviewer.languages import Language

SHA = b"a" * 20
KEY = (SHA, Language.PYTHON)


def segment(*shas: bytes) -> Segment:
    return Segment.of(
        shas, [np.array([1, 2 + number], dtype=np.uint32) for number in range(len(shas))]
    )


def number(at: int) -> bytes:
    return b"%020d" % at


def test_what_is_kept_is_there_for_the_next(tmp_path: Path) -> None:
    first = Store(tmp_path / "sub" / "context.db")
    first.add_segment(segment(SHA, b"b" * 20))
    first.add_extractions({KEY: (b"packed", ""), (SHA, Language.GO): (b"", "too slow")})
    first.close()
    second = Store(tmp_path / "sub" / "context.db")
    assert Sketches(second.segments()).having([1, 3]) == {1: {SHA, b"b" * 20}, 3: {b"b" * 20}}
    assert second.extractions([KEY, (SHA, Language.GO), (b"c" * 20, Language.GO)]) == {
        KEY: (b"packed", ""),
        (SHA, Language.GO): (b"", "too slow"),
    }


def test_without_a_file_it_lasts_for_the_run() -> None:
    store = Store(None)
    store.add_extractions({KEY: (b"packed", "")})
    assert store.extractions([KEY]) == {KEY: (b"packed", "")}
    store.close()
    assert store.extractions([KEY]) == {}
    store.add_extractions({KEY: (b"packed", "")})  # and no error


def test_another_version_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "context.db"
    store = Store(path)
    store.add_extractions({KEY: (b"packed", "")})
    store.close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={VERSION + 1}")
    assert Store(path).extractions([KEY]) == {}


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "no table", "a folder"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "context.db"
    if damage == "a folder":
        path.mkdir()
    else:
        store = Store(path)
        store.add_extractions({(number(at), Language.GO): (b"x" * 2000, "") for at in range(200)})
        store.close()
        data = path.read_bytes()
        assert len(data) > 100_000
        if damage == "garbage":
            path.write_bytes(b"nothing of the kind" * 5000)
        elif damage == "cut":
            path.write_bytes(data[: len(data) // 2])
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            with sqlite3.connect(path) as db:
                db.execute("DROP TABLE extraction")
    store = Store(path)
    store.extractions([(number(at), Language.GO) for at in range(200)])
    store.add_extractions({KEY: (b"packed", "")})
    store.add_extractions({KEY: (b"packed", "")})
    assert store.extractions([KEY]) == {KEY: (b"packed", "")}


def test_a_changed_byte_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "context.db"
    store = Store(path)
    store.add_extractions({KEY: (b"packed" * 20, "")})
    store.add_segment(segment(SHA))
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE extraction SET packed = ?", (b"forged" * 20,))
        db.execute("UPDATE segment SET numbers = ?", (np.array([1, 9], dtype=np.uint32).tobytes(),))
    assert Store(path).extractions([KEY]) == {}
    assert Store(path).segments() == []


def test_a_file_that_cannot_be_made_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "context.db")
    store.add_extractions({KEY: (b"packed", "")})
    assert store.extractions([KEY]) == {KEY: (b"packed", "")}


def test_many_small_segments_are_joined(tmp_path: Path) -> None:
    store = Store(tmp_path / "context.db")
    for at in range(MAX_SEGMENTS + 3):
        store.add_segment(segment(number(at), number(at + 1)))
    joined = store.segments()
    assert len(joined) == 1
    assert list(joined[0].shas) == [number(at) for at in range(MAX_SEGMENTS + 4)]
    assert [each.names for each in store.segments()] == [joined[0].names]
    assert Sketches(joined).having([1])[1] == set(joined[0].shas)


def test_it_stays_below_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "context.db"
    store = Store(path, max_bytes=400_000)
    for at in range(100):
        store.add_extractions({(number(at), Language.GO): (b"x" * 20_000, "")})
    kept = store.extractions([(number(at), Language.GO) for at in range(100)])
    assert (number(99), Language.GO) in kept
    assert len(kept) < 25
    store.close()
    assert path.stat().st_size < 800_000


_WRITER = """
import sys
from pathlib import Path
from reviewer.context.store import Store
from reviewer.languages import Language
store = Store(Path(sys.argv[1]))
for at in range(60):
    store.add_extractions({(b"%s%017d" % (sys.argv[2].encode(), at), Language.GO): (b"x" * 500, "")})
    store.extractions([(b"%s%017d" % (sys.argv[2].encode(), at), Language.GO)])
"""


def test_several_processes_use_one_file(tmp_path: Path) -> None:
    path = tmp_path / "context.db"
    names = ["aaa", "bbb", "ccc", "ddd"]
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in names]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    keys = [(b"%s%017d" % (name.encode(), at), Language.GO) for name in names for at in range(60)]
    assert len(Store(path).extractions(keys)) == len(keys)
