"""The command line's constants, importable in no time: `rlm --help` loads this and nothing heavy.

The choices repeat the vocabulary of the engine (a test holds them equal), because importing that
means importing pydantic.
"""

PROGRAM = "rlm"
DISTRIBUTION = "rlm-review"

DEFAULT_MODEL = "claude-sonnet-5-5"
"""Finds nearly what the largest model finds, for a fraction of its price."""

DEFAULT_CHEAP_MODEL = "claude-haiku-5-5"
"""For what is asked often and answered shortly: whether a finding is true, what a file is."""

PROVIDERS = ("anthropic", "bedrock", "vertex")

DEFAULT_BUDGET_USD = 2.00
"""A review of a usual pull request costs cents; a large one stops here and says so."""

DEFAULT_CONCURRENCY = 8
"""Calls of the model at once. It falls by itself when the service asks for less."""

MAX_CONCURRENCY = 64

UNSET = frozenset({"", "0", "false", "no"})
"""Values of RLM_DEBUG that switch it off."""

DEFAULT_EFFORT = "standard"
EFFORTS = ("quick", "standard", "deep")
SEVERITIES = ("critical", "high", "medium", "low", "nit")

SERVER_HOST = "127.0.0.1"
"""A proxy that ends TLS stands in front; whoever wants the port open to others says so."""

SERVER_PORT = 8080
OWN_WEBHOOK = f"http://{SERVER_HOST}:{SERVER_PORT}/webhook"
SERVER_ENGINES = 2
"""Reviews at once: one that takes twenty minutes does not hold up a one-line change."""

NO_KEY = (
    "The detectors reviewed alone: no model key is configured (ANTHROPIC_API_KEY). "
    "`rlm doctor` says how to get one."
)
NO_BUDGET = "The detectors reviewed alone: the budget is $0."
"""Why a review is made without a model on purpose: both are said in the review itself."""
