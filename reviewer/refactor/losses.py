"""What a plan takes away, and people should not overlook before they start it. Pure."""

from dataclasses import dataclass

from reviewer.languages import is_test
from reviewer.refactor.values import Plan


@dataclass(frozen=True)
class Losses:
    """Test files that go, and modules of whose files none stays and that make none."""

    tests: tuple[str, ...]
    modules: tuple[str, ...]


def losses(plan: Plan) -> Losses:
    """Return what a plan takes away without anything in its place."""
    gone = dict.fromkeys(path for one in plan.modules for path in one.removed)
    return Losses(
        tests=tuple(path for path in gone if is_test(path)),
        modules=tuple(
            one.name
            for one in plan.modules
            if one.removed and not one.new_files and set(one.files) <= set(one.removed)
        ),
    )
