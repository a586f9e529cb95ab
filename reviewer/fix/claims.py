"""What coders say of findings that have no patch of their own: another one's closes them. Pure.

Nobody is believed: such a word waits until it is known what became of the other finding, and is
looked at then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass
class Claims:
    """By the id of a finding, that of the one whose patch is said to close it."""

    _by: dict[str, str] = field(default_factory=dict)

    def __contains__(self, finding: str) -> bool:
        return finding in self._by

    def make(self, finding: str, by: str) -> None:
        """Note that the patch of `by` is said to close a finding."""
        self._by[finding] = by

    def drop(self, finding: str) -> None:
        """Forget what was said of a finding."""
        self._by.pop(finding, None)

    def settled(
        self, todo: Collection[str], closed: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Take out and return the claims that can be looked at, and those that came to nothing.

        `todo` are findings of which nothing is known yet; `closed` has, for one that is closed, the
        id of the finding whose commit has done it. A claim comes to nothing if the other finding
        stays open, or waits for this one itself.
        """
        ready, idle = dict[str, str](), dict[str, str]()
        for finding, by in tuple(self._by.items()):
            if by in closed:
                ready[finding] = closed[by]
            elif by not in todo or self._waits_for(by, finding):
                idle[finding] = by
            else:
                continue
            self.drop(finding)
        return ready, idle

    def _waits_for(self, one: str, other: str) -> bool:
        passed = set[str]()
        while one not in passed and one != other:
            passed.add(one)
            if (following := self._by.get(one)) is None:
                return False
            one = following
        return True
