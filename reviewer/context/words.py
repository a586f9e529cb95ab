"""The words of a file, as sorted numbers: which files can have a name, without parsing any.

A word is what could be a name or a part of one in any language: letters, digits, underscores and
all bytes above ASCII, not beginning with a digit. A name with other characters in it (`empty?`,
`$scope`, `a.b`) has several. Each word stands as its CRC-32: of 10 million words a name meets
another's number once in 400 questions, and what is parsed then settles it.
"""

import re
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from reviewer.text import encode

Numbers = NDArray[np.uint32]

_WORD = re.compile(rb"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*")


def sketch(data: bytes) -> Numbers:
    """Return the numbers of all the words in a file, sorted, each once."""
    words = set(_WORD.findall(data))
    numbers = np.fromiter(map(crc32, words), dtype=np.uint32, count=len(words))
    numbers.sort()
    return numbers


def numbers_of(name: str) -> tuple[int, ...]:
    """Return the numbers of the words that a name consists of; () for one that has none."""
    return tuple(dict.fromkeys(map(crc32, _WORD.findall(encode(name)))))
