"""What code in the sandbox tries in order to get out, and never does.

Each attempt is made with a secret in the host's environment, one in a file, one in an object of the
host's, and a server on loopback that counts who calls. None may be seen or called; the turn ends in
good time with words for the model, no exception reaches the host, and the same session and another
one work afterwards.
"""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reviewer.rlm.sandbox import LIMITS, PRINT_CHARS, Printed, Sandbox

SECRET = "canary-5f1c9e"
BOUND_S = 8.0
"""A second of computing, a worker started anew, and two busy cores."""

FILES = {
    "open": "print(open('{file}').read())",
    "open for writing": "open('{folder}/made', 'w').write('x')",
    "pathlib": "from pathlib import Path\nprint(Path('{file}').read_text())",
    "os.listdir": "import os\nprint(os.listdir('{folder}'))",
    "os.open": "import os\nprint(os.read(os.open('{file}', 0), 100))",
    "io": "import io\nprint(io.open('{file}').read())",
    "io.FileIO": "import io\nprint(io.FileIO('{file}').read())",
    "glob": "import glob\nprint(glob.glob('{folder}/*'))",
    "shutil": "import shutil\nshutil.copy('{file}', '{folder}/copy')",
    "importlib": "import importlib\nimportlib.import_module('os').listdir('{folder}')",
    "loader": "print(__loader__.get_data('{file}'))",
    "spec": "print(__spec__, __file__)",
    "a path through the host": "print(await read('../../../..{file}'))",
    "a path with a null": "print(await read('{file}\\0'))",
    "linecache": "import linecache\nprint(linecache.getlines('{file}'))",
    "exec of a file": "exec(open('{file}').read())",
    "compile": "exec(compile('import os', 'x', 'exec'))",
    "tempfile": "import tempfile\nprint(tempfile.mkdtemp())",
    "sqlite": "import sqlite3\nsqlite3.connect('{folder}/db')",
}
ENVIRONMENT = {
    "os.environ": "import os\nprint(os.environ)",
    "os.getenv": "import os\nprint(os.getenv('RLM_CANARY'))",
    "posix": "import posix\nprint(posix.environ)",
    "sys": "import sys\nprint(sys.argv, sys.modules)",
    "proc": "print(open('/proc/self/environ').read())",
    "platform": "import platform\nprint(platform.node())",
    "builtins": "import builtins\nprint(builtins.__dict__)",
    "__builtins__": "print(__builtins__)",
}
NETWORK = {
    "socket": "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
    "urllib": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}/')",
    "http.client": "import http.client\nhttp.client.HTTPConnection('127.0.0.1', {port}).connect()",
    "asyncio": "import asyncio\nawait asyncio.open_connection('127.0.0.1', {port})",
    "a name": "import socket\nsocket.gethostbyname('canary.example.org')",
    "requests": "import requests\nrequests.get('http://127.0.0.1:{port}/')",
    "ssl": "import ssl\nprint(ssl.get_server_certificate(('127.0.0.1', {port})))",
}
PROCESSES = {
    "subprocess": "import subprocess\nprint(subprocess.check_output(['cat', '{file}']))",
    "os.system": "import os\nos.system('cat {file}')",
    "os.fork": "import os\nos.fork()",
    "os.kill": "import os\nos.kill(os.getppid(), 9)",
    "multiprocessing": "import multiprocessing\nmultiprocessing.Process().start()",
    "threading": "import threading\nthreading.Thread(target=print).start()",
    "signal": "import signal\nsignal.raise_signal(9)",
    "ctypes": "import ctypes\nctypes.CDLL(None).system(b'id')",
    "exit": "exit(3)",
    "sys.exit": "import sys\nsys.exit(3)",
    "SystemExit": "raise SystemExit(3)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
}
SESSIONS = {
    "a variable of another": "print(theirs)",
    "globals": "print(globals()['theirs'])",
    "locals": "print(locals())",
    "vars": "print(vars())",
    "the host's own name": "print(_host('theirs'))",
    "the host with a forged call": 'print(await _host(\'["read", ["{file}"], {{}}]\'))',
    "another function's name": "print(await _sent('submit', [], {{}}))",
    "wrappers replaced": "read = print\n_sent = print\n_json = None\nprint(theirs)",
}
OBJECTS = {
    "subclasses": "print(().__class__.__mro__[1].__subclasses__())",
    "base": "print(''.__class__.__base__.__subclasses__())",
    "globals of a host function": "print(read.__globals__)",
    "wrapped host function": "print(read.__wrapped__)",
    "closure": "print(read.__closure__[0].cell_contents)",
    "code": "print(read.__code__.co_consts)",
    "self of a builtin": "print(print.__self__)",
    "module of a builtin": "print(len.__module__, len.__self__.__dict__)",
    "getattr": "print(getattr(read, '__glo' + 'bals__'))",
    "format": "print('{{0.__class__.__mro__}}'.format(read))",
    "format of globals": "print('{{0.__globals__}}'.format(read))",
    "traceback": "try:\n    await read('raise')\nexcept Exception as e:\n"
    "    print(e.__traceback__.tb_frame.f_globals)",
    "context": "try:\n    await read('raise')\nexcept Exception as e:\n    print(e.__context__.held)",
    "arguments of an error": "try:\n    await read('raise')\nexcept Exception as e:\n"
    "    print([getattr(a, 'held') for a in e.args])",
    "frames": "import sys\nprint(sys._getframe(1).f_locals)",
    "inspect": "import inspect\nprint(inspect.stack())",
    "gc": "import gc\nprint(gc.get_objects())",
    "a generator's frame": "print((x for x in [1]).gi_frame.f_back.f_globals)",
    "a coroutine's frame": "print(read('x').cr_frame.f_globals)",
    "type": "T = type('T', (), {{'__del__': print}})\nprint(T.__mro__)",
    "setattr": "setattr(read, 'waits', True)\nprint(read.__dict__)",
    "a keyword self": "print(await read('x', self=1))",
    "pickle": "import pickle\npickle.loads(b'cos\\nsystem\\n(S\"id\"\\ntR.')",
    "a code object": "import marshal\nmarshal.loads(b'')",
}
DOUBLED = "x = ()\nfor _ in range(60):\n    x = (x, x)\n"
"""A kilobyte in the sandbox; whoever rebuilds it as a key outside of it never comes back."""

ODD_CALLS = {
    "huge number": "await read(10 ** 20_000)",
    "not a number": "await read(float('nan'))",
    "deep list": "x = []\nfor _ in range(100_000):\n    x = [x]\nawait read(x)",
    "a list that holds itself": "x = []\nx.append(x)\nawait read(x)",
    "a long text": "await read('x' * 10_000_000)",
    "lone surrogates": "print(await read('\\ud800'))",
    "bytes": "await read(b'x')",
    "a function": "await read(read)",
    "many keywords": "await read(**{{str(i): i for i in range(100_000)}})",
    "a key that takes years to hash": DOUBLED + "await read({{x: 1}})",
    "an element that takes years to hash": DOUBLED + "await read([{{x}}])",
    "the host with such a key": DOUBLED + "await _host({{x: 1}})",
    "a file with such a name": DOUBLED + "open({{x: 1}})",
    "a builtin that is not there with such a key": DOUBLED + "compile({{x: 1}}, '', 'exec')",
    "an error with such a key": DOUBLED + "raise ValueError({{x: 1}})",
    "objects as keys": "class A:\n    def __hash__(self): return 1\nawait read({{A(): 1}})",
    "a text that is none": "class A:\n    def dumps(self, *a, **k): return {{1: 2}}\n"
    "_json = A()\nawait read('x')",
    "json in place of the call": "class A:\n    def dumps(self, *a, **k): return '[' * 20_000\n"
    "_json = A()\nawait read('x')",
    "no await": "read('x')",
    "awaited twice": "c = read('x')\nawait c\nawait c",
}
BOMBS = {
    "endless loop": "while True:\n    pass",
    "endless loop that prints": "while True:\n    print('x' * 1_000)",
    "memory": "x = 'x' * 10 ** 10",
    "memory by doubling": "x = [0]\nwhile True:\n    x = x + x",
    "memory in a dict": "x = {{}}\ni = 0\nwhile True:\n    x[i] = 'y' * 1_000\n    i += 1",
    "recursion": "def f(n):\n    return f(n + 1)\nf(0)",
    "mutual recursion": "def f():\n    return g()\ndef g():\n    return f()\nf()",
    "a large power": "print(len(str(7 ** 10 ** 8)))",
    "a tower": "10 ** 10 ** 10",
    "a large shift": "1 << 10 ** 12",
    "a regular expression": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "a nested expression": "import re\nre.compile('(' * 5_000 + ')' * 5_000)",
    "gigabytes of print-out": "for _ in range(10 ** 9):\n    print('x' * 10_000_000)",
    "a repr without end": "x = []\nfor _ in range(60):\n    x = [x, x]\nprint(x)",
    "a value without end": "x = []\nfor _ in range(60):\n    x = [x, x]\nx",
    "string by pieces": "s = ''\nwhile True:\n    s += 'x' * 100",
    "sorting": "sorted([i * 7919 % 10_000_019 for i in range(10 ** 7)])",
    "json in json": "import json\ns = ''\nwhile True:\n    s = json.dumps([s, s])",
    "deep json": "import json\njson.loads('[' * 1_000_000)",
    "a value that takes years to hash": DOUBLED + "{{x: 1}}",
    "a set that takes years to hash": DOUBLED + "{{x}}",
    "colliding keys as the last value": "{{i * (2 ** 61 - 1): i for i in range(100_000)}}",
    "an equality without end": DOUBLED + "y = ()\nfor _ in range(60):\n    y = (y, y)\nx == y",
    "a hash that is looked up": DOUBLED + "y = ()\nfor _ in range(60):\n    y = (y, y)\n{{x: 1}}[y]",
    "colliding keys": "x = {{i * (2 ** 61 - 1): i for i in range(10 ** 6)}}",
    "errors in errors": "def f(n):\n    try:\n        raise ValueError(n)\n"
    "    except ValueError:\n        f(n + 1)\nf(0)",
    "a flood of calls": "for i in range(10 ** 6):\n    await read('quick')",
    "a flood that waits": "x = [read('slow') for _ in range(10 ** 6)]",
    "a flood with gather": "import asyncio\nawait asyncio.gather(*[read('slow') for _ in range(10 ** 5)])",
    "deep source": "x = " + "(" * 3_000 + "1" + ")" * 3_000,
    "long source": "x = 1\n" * 300_000,
    "many variables": "for i in range(10 ** 6):\n    globals()[str(i)] = i",
}  # fmt: skip

ATTEMPTS = [
    pytest.param(kind, code, id=f"{group}: {name}")
    for group, kind, attempts in (
        ("files", "out", FILES),
        ("environment", "out", ENVIRONMENT),
        ("network", "out", NETWORK),
        ("processes", "out", PROCESSES),
        ("sessions", "out", SESSIONS),
        ("objects", "out", OBJECTS),
        ("odd calls", "odd", ODD_CALLS),
        ("bombs", "bomb", BOMBS),
    )
    for name, code in attempts.items()
]


def test_there_are_at_least_sixty():
    assert len(ATTEMPTS) >= 60


@dataclass
class Host:
    """What there is to be had outside of the sandbox."""

    folder: Path
    file: Path
    port: int
    called: list[Any] = field(default_factory=list)


class Holding(ValueError):
    """An error of the host that holds something."""

    held = SECRET


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    file = folder / "secret.txt"
    file.write_text(SECRET)
    os.environ["RLM_CANARY"] = SECRET
    listening = socket.create_server(("127.0.0.1", 0))
    made = Host(folder, file, listening.getsockname()[1])

    def count() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            made.called.append(connection)

    threading.Thread(target=count, daemon=True).start()
    yield made
    listening.close()
    del os.environ["RLM_CANARY"]


def attempted(host: Host, code: str, seconds: float) -> list[Printed]:
    """Run the code in a session of its own, then see whether that and another one still work."""

    async def read(path: str, start: int = 1) -> str:
        """The text of a file."""
        if path == "raise":
            raise Holding("no")
        if path == "slow":
            await asyncio.sleep(0.05)
        return f"text of {len(str(path)):,} characters"

    async def turns() -> list[Printed]:
        limits = {**LIMITS, "max_feed_duration_secs": seconds}
        async with Sandbox(workers=2, limits=limits) as sandbox:  # type: ignore[arg-type]
            other = sandbox.session({"read": read})
            await other.run(f"theirs = '{SECRET}'")
            session = sandbox.session({"read": read})
            await session.run("mine = 'still here'")
            began = time.monotonic()
            printed = await asyncio.wait_for(session.run(code), BOUND_S)
            assert time.monotonic() - began < BOUND_S
            return [
                printed,
                await session.run("print(mine, 1 + 1)"),
                await other.run("print(theirs == '" + SECRET + "', await read('x'))"),
            ]

    return asyncio.run(turns())


def test_a_leak_would_be_seen(host: Host):
    printed, *_ = attempted(host, f"print('{SECRET}')", 2.0)
    assert SECRET in printed.text
    with socket.create_connection(("127.0.0.1", host.port)):
        deadline = time.monotonic() + 5
        while not host.called and time.monotonic() < deadline:
            time.sleep(0.01)
    assert host.called
    host.called.clear()


@pytest.mark.parametrize(("kind", "code"), ATTEMPTS)
def test_nothing_gets_out(kind: str, code: str, host: Host):
    code = code.format(file=host.file, folder=host.folder, port=host.port)
    before = sorted(host.folder.iterdir())
    printed, mine, theirs = attempted(host, code, 0.5 if kind == "bomb" else 2.0)
    assert SECRET not in printed.text
    assert "root:" not in printed.text
    assert len(printed.text) < PRINT_CHARS + 2_000
    assert sorted(host.folder.iterdir()) == before
    assert host.called == []
    assert mine.text == "still here 2\n"
    assert theirs.text.startswith("True text of 1 characters")
