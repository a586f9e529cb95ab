"""Messages of Amazon's binary event stream (application/vnd.amazon.eventstream), as Bedrock sends.

Each has its length, that of its headers, a checksum of both, the headers, the payload, and a
checksum of everything before.
"""

import base64
import json
import struct
import zlib
from typing import Any

STRING = 7  # the type of a header's value


def chunk(event: dict[str, Any]) -> bytes:
    """One event of the Messages API."""
    payload = {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abcdef"}
    return message({":event-type": "chunk", ":message-type": "event"}, payload)


def exception(name: str, words: str) -> bytes:
    """What ends a stream in the middle."""
    return message({":exception-type": name, ":message-type": "exception"}, {"message": words})


def message(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    written = b"".join(
        bytes([len(name)])
        + name.encode()
        + bytes([STRING])
        + struct.pack(">H", len(value))
        + value.encode()
        for name, value in {**headers, ":content-type": "application/json"}.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(written) + len(body) + 16, len(written))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + written + body
    return whole + struct.pack(">I", zlib.crc32(whole))
