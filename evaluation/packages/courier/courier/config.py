"""Settings, all of them in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    timeout_s: float = 10.0
    first_retry_s: float = 5.0
    longest_retry_s: float = 3_600.0
    max_attempts: int = 12
    per_host: int = 4
    journal_bytes: int = 10_000_000
