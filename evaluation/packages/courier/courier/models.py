"""What is delivered and what came back."""

from dataclasses import dataclass, field


@dataclass
class Delivery:
    """One event on its way to one address. `due_at` is on the clock of the store."""

    id: str
    url: str
    body: bytes
    attempts: int = 0
    due_at: float = 0.0
    claimed_by: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the other side said. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300
