"""One task for a peer, run by the Python of the peers' environment: nothing of ours is imported.

    python kernel_peer.py rlms|dspy|dspy-local WHAT URL [LIMIT_S]

What the model says is told to the server by whoever starts this. Prints JSON: seconds of the clock
around the whole call, and how it ended; before it, "ready" once everything is imported.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

BUDGET_USD = 0.25


def rlms(what: str, url: str, limit_s: float) -> Callable[[], str]:
    """Return the call: `rlm.RLM`, its code run in this process, as is its default."""
    from rlm import RLM  # type: ignore[import-not-found]

    caps: dict[str, Any] = {"max_budget": BUDGET_USD} if what == "budget" else {}
    if what == "endless":
        caps = {"max_timeout": limit_s}
    model = RLM(
        backend="openai",
        backend_kwargs={"model_name": "mock", "api_key": "key", "base_url": f"{url}/v1"},
        **caps,
    )
    return lambda: str(model.completion("context").response)


def dspy(what: str, url: str, limit_s: float, local: bool = False) -> Callable[[], str]:
    """Return the call: `dspy.RLM` in its own sandbox, or `local`, in a process of the host."""
    import dspy as library  # type: ignore[import-not-found]
    from dspy.primitives.local_interpreter import (  # type: ignore[import-not-found]
        LocalInterpreter,
    )

    model = library.LM("openai/mock", api_base=f"{url}/v1", api_key="key", cache=False)
    library.configure(lm=model)
    more: dict[str, Any] = {"max_llm_calls": 1_000}
    if local:
        timeout = limit_s if what == "endless" else None
        more["interpreter_factory"] = lambda: LocalInterpreter(execution_timeout=timeout)
    program = library.RLM("context -> answer", max_iters=2, **more)
    return lambda: str(program(context="context").answer)


def main() -> None:
    peer, what, url, *rest = sys.argv[1:]
    limit_s = float(rest[0]) if rest else 0.0
    if peer == "rlms":
        call = rlms(what, url, limit_s)
    else:
        call = dspy(what, url, limit_s, local=peer == "dspy-local")
    print("ready", flush=True)
    began = time.monotonic()
    try:
        ended = {"answer": call()}
    except Exception as error:
        ended = {"error": f"{type(error).__name__}: {error}"}
    print("\n" + json.dumps({"seconds": time.monotonic() - began, **ended}))


if __name__ == "__main__":
    main()
