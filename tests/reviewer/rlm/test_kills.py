"""A run killed at random points: it ends when it is run again, and nothing is paid twice.

A sample; `python -m benchmarks.kernel --rows kills` does fifty.
"""

from benchmarks.kernel_kills import SHORT_USD, sample, told
from benchmarks.kernel_server import serving

KILLS = 5


def test_a_run_that_is_killed_ends_when_it_is_run_again_and_pays_nothing_twice() -> None:
    with serving() as server:
        fates = list(sample(server, KILLS, seed=7))
    assert sum(len(fate.kills) for fate in fates) >= KILLS
    assert {fate.cap_usd == SHORT_USD for fate in fates} == {False, True}
    assert not told(fates)
    # What was in flight at a kill is asked again, and nothing else is.
    assert all(fate.asked <= fate.distinct + fate.lost for fate in fates)
    assert any(fate.lost for fate in fates)
