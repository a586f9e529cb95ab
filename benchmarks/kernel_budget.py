"""A fan-out of fifty on a quarter of a dollar: what the server bills, at worst-case prices.

The server bills each request that reaches it for its whole prompt and for all that it was allowed
to write, also where the answer breaks off. So its bill is the most that a real one could be, and
the cap must hold against that.
"""

from dataclasses import dataclass

from benchmarks.kernel_peers import Peers
from benchmarks.kernel_rows import Line, Options, Seen, run, words
from benchmarks.kernel_server import ASKED, Server, serving
from reviewer.model.base import Usage
from reviewer.request import Caps, StopReason
from tests.reviewer.rlm.tasks import Report

FAN = 50
CAP_USD = 0.25
PEER_CALL_USD = 0.10
"""What a peer's call costs: 4,000 tokens at $25 a million. Its service says so each time."""

ASKS = f"""\
calls = [ask(f"{ASKED} {{number}}") for number in range({FAN})]
for call in calls:
    try:
        print(await call)
    except Exception as error:
        print(error)
"""
DELEGATES = (
    "calls = [delegate([f'p{n}']) for n in range(1, 41)]\nfor call in calls:\n    await call\n"
)


@dataclass(frozen=True)
class Rates:
    """Prices with one rate for input, cached or not, and one for output, in USD a token."""

    input: float
    output: float

    def cost(self, model: str, usage: Usage) -> float:
        read = usage.input + usage.cache_read + usage.cache_write
        return read * self.input + usage.output * self.output

    def worst(self, model: str, input_tokens: int, max_tokens: int) -> float:
        return input_tokens * self.input + max_tokens * self.output

    def window(self, model: str) -> int:
        return 200_000


DEAR = Rates(6.25e-6, 25e-6)
"""A call may cost $0.22: the cap covers one."""

CHEAP = Rates(1.25e-6, 5e-6)
"""A call may cost $0.05: the cap covers some, and not all fifty."""

TINY = Rates(0.3e-6, 1.2e-6)
"""The cap covers many, in waves."""


def budget(options: Options) -> list[Line]:
    """Measure the largest bill of several ways to fan out, each with every kind of price."""
    bills: dict[str, float] = {}
    answered: list[int] = []
    peers = Peers(options.peers)
    with serving() as server:
        for price, rates in (("dear", DEAR), ("cheap", CHEAP), ("tiny", TINY)):
            for way in ("leaves", "leaves, answers cut", "ask", "delegate"):
                billed, calls = _billed(server, way, rates)
                bills[f"{way} ({price})"] = billed
                answered.append(calls)
        theirs = peers.budget(server, FAN, CAP_USD, PEER_CALL_USD)
    worst = max(bills, key=lambda way: bills[way])
    return [
        Line(
            f"{FAN}-way fan-out on ${CAP_USD:g}",
            f"${bills[worst]:.4f} at the most",
            f"${CAP_USD:g}",
            all(billed <= CAP_USD for billed in bills.values()),
            theirs,
            note=f"{len(bills)} runs, {min(answered)} to {max(answered)} calls each, the dearest "
            f"{worst}; by the server's bill; every run ended with a result",
            figures=bills,
        )
    ]


def _billed(server: Server, way: str, rates: Rates) -> tuple[float, int]:
    """Return what the server billed, and for how many calls."""
    coding = way == "ask"
    book = server.open(
        role="coding" if coding else "words",
        latency_s=0.05,
        code=ASKS if coding else DELEGATES if way == "delegate" else "",
        input_usd=rates.input,
        output_usd=rates.output,
        whole=True,
        cut=3 if "cut" in way else 0,
    )
    fan = 40 if way == "delegate" else FAN
    scope = words(1 if coding else fan)
    task = Report(fan=fan, led=way == "delegate")
    seen = run(book, scope, task, prices=rates, caps=Caps(usd=CAP_USD))
    _check(seen, scope, cut="cut" in way)
    tally = book.tally()
    return tally.usd, tally.received


def _check(seen: Seen, scope: tuple[str, ...], *, cut: bool) -> None:
    """Every word is covered or missed, with the budget as the reason, or broken answers."""
    solved = seen.solved
    assert solved.covered | solved.missed.keys() == set(scope)
    if solved.missed and not cut:
        assert StopReason.BUDGET in solved.stops, (solved.stops, set(solved.missed.values()))
    assert seen.usd <= CAP_USD + 1e-9
