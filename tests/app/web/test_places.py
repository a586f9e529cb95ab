"""Views leave threads to deliveries, however many people look."""

import threading
import time

from app.web.places import Places


def test_who_comes_when_too_many_wait_is_turned_away_at_once() -> None:
    places = Places(at_once=1, waiting=1, wait_s=20.0)
    assert places.take()
    waited: list[bool] = []
    waiting = threading.Thread(target=lambda: waited.append(places.take()))
    waiting.start()
    while places._waiting.acquire(blocking=False):  # until it waits
        places._waiting.release()
        time.sleep(0.001)
    began = time.monotonic()
    assert not places.take()
    assert time.monotonic() - began < 5
    places.leave()
    waiting.join(20)
    assert waited == [True]


def test_who_waits_for_too_long_gets_none() -> None:
    places = Places(at_once=1, waiting=1, wait_s=0.01)
    assert places.take()
    assert not places.take()
    places.leave()
    assert places.take()
