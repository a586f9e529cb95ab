"""When a delivery that was not taken is tried again."""

from courier.config import Config
from courier.models import Answer, Delivery

GONE = 410


def is_final(answer: Answer | None, delivery: Delivery, config: Config) -> bool:
    """Is it of no use to try again?"""
    if answer is not None and answer.status == GONE:
        return True
    return delivery.attempts >= config.max_attempts


def wait_s(delivery: Delivery, config: Config) -> float:
    """Return how long to wait: twice as long after each attempt, up to a limit."""
    return min(config.longest_retry_s, config.first_retry_s * 2 ** (delivery.attempts - 1))
