"""What a file defines, told in a few lines."""

from reviewer.context.provider import Provider
from reviewer.refactor.outlines import SIGNATURE_CHARS, outline
from tests.reviewer.context.memory import MemoryObjects

NAMES = [f"setting_{n}" for n in range(20)]
LONG = ",\n".join(f"        {name}: dict[str, int] = None" for name in NAMES)
TEXT = f"class Till:\n    def __init__(\n        self,\n{LONG},\n    ) -> None:\n        pass\n\n\nRATE = 3\n"


def outlined(text: str) -> list[str]:
    with Provider(MemoryObjects({"a.py": text})) as context:
        return outline("a.py", context).splitlines()[1:]


def test_no_word_of_a_definition_is_said_twice():
    assert outlined("class Till:\n    pass\n\n\nRATE = 3\n") == ["class Till", "constant RATE = 3"]


def test_a_long_signature_ends_at_a_parameter_with_how_many_are_left_out():
    (line,) = (each for each in outlined(TEXT) if "__init__" in each)
    shown, _, rest = line.partition(", … ")
    assert 160 < len(shown) <= SIGNATURE_CHARS + len("  method ")
    kept = [name for name in NAMES if f"{name}:" in shown]
    assert kept == NAMES[: len(kept)] and shown.endswith(f"{kept[-1]}: dict[str, int] = None")
    assert rest == f"{len(NAMES) - len(kept)} more)"
