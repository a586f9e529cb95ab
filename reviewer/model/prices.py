"""What a call costs and how much a model holds: one dated table, which the user can replace.

A price that is not known is None, never a guess: a cap in dollars cannot be kept on a guess.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reviewer.errors import TellUser
from reviewer.model.base import Usage

TABLE = Path(__file__).with_name("prices.toml")

MILLION = 1_000_000

UNKNOWN_WINDOW = 200_000
"""Every model since 2024 holds as much."""

UNKNOWN_MAX_OUTPUT = 8_192
"""The least that a model of the last generations writes in one reply."""

CACHE_WRITE = 1.25
"""A write to the 5-minute cache, in prices of input, where a table does not name it."""

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tokens = Annotated[int, Field(gt=0)]


class Rates(BaseModel):
    """USD per million tokens. Cache rates that are left out are those of no saving at all."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    input: Usd
    output: Usd
    cache_write: Usd | None = None
    cache_read: Usd | None = None

    def cost(self, usage: Usage) -> float:
        return (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_write * self._write
            + usage.cache_read * (self.input if self.cache_read is None else self.cache_read)
        ) / MILLION

    @property
    def dearest(self) -> float:
        """The most that a token of input can cost."""
        return max(self.input, self._write, self.cache_read or 0.0)

    @property
    def _write(self) -> float:
        return self.input * CACHE_WRITE if self.cache_write is None else self.cache_write


class LongRates(Rates):
    """The rates of a call whose whole prompt, cached parts included, is over `over` tokens."""

    over: Tokens


class Entry(Rates):
    """One model. `window` is its context, `max_output` its longest reply, both in tokens."""

    window: Tokens | None = None
    max_output: Tokens | None = None
    long: LongRates | None = None


class Table(BaseModel):
    """A price list as its file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date | None = None
    models: dict[str, Entry]


@dataclass(frozen=True)
class Prices:
    """The prices of models by name; `as_of` is the day of the table that came with the program.

    A name may be as any service writes it: with a date, a version, a cloud's prefix.
    """

    as_of: date
    models: Mapping[str, Entry]

    def cost(self, model: str, usage: Usage) -> float | None:
        """Return what a call cost in USD; None for a model without a price."""
        entry = self._entry(model)
        if entry is None:
            return None
        prompt = usage.input + usage.cache_read + usage.cache_write
        long = entry.long is not None and prompt > entry.long.over
        return (entry.long if entry.long and long else entry).cost(usage)

    def worst(self, model: str, input_tokens: int, max_tokens: int) -> float | None:
        """Return the most that a call can cost in USD: all of it written to the cache, say."""
        entry = self._entry(model)
        if entry is None:
            return None
        tiers: list[Rates] = [entry]
        if entry.long and input_tokens > entry.long.over:
            tiers.append(entry.long)
        return max(
            (input_tokens * tier.dearest + max_tokens * tier.output) / MILLION for tier in tiers
        )

    def window(self, model: str) -> int:
        """Return how many tokens prompt and reply may have together; cautious if unknown."""
        entry = self._entry(model)
        return (entry.window if entry else None) or UNKNOWN_WINDOW

    def max_output(self, model: str) -> int:
        """Return the largest max_tokens that a model takes; cautious if unknown."""
        entry = self._entry(model)
        return (entry.max_output if entry else None) or UNKNOWN_MAX_OUTPUT

    def _entry(self, model: str) -> Entry | None:
        return self.models.get(model) or self.models.get(plain_name(model))


@dataclass(frozen=True)
class Discounted:
    """Prices times a share: what a batch costs is half of what its calls would."""

    prices: Prices
    share: float

    def cost(self, model: str, usage: Usage) -> float | None:
        usd = self.prices.cost(model, usage)
        return None if usd is None else usd * self.share

    def worst(self, model: str, input_tokens: int, max_tokens: int) -> float | None:
        usd = self.prices.worst(model, input_tokens, max_tokens)
        return None if usd is None else usd * self.share

    def window(self, model: str) -> int:
        return self.prices.window(model)


def load(path: Path | None = None) -> Prices:
    """Return the built-in prices, with those of the user's file in their place.

    Raise TellUser for a file that cannot be read or is no price list.
    """
    built_in = _parse(TABLE)
    own = _parse(path) if path else Table(models={})
    return Prices(built_in.as_of or date.min, {**built_in.models, **own.models})


_VENDOR = re.compile(r"^.*[./:](?=claude-)")  # "us.anthropic.", "publishers/anthropic/models/"
_SUFFIX = re.compile(
    r"""(?: @[\w.-]*           # Vertex: @20250929, @latest
          | -v\d+              # Bedrock: -v1:0
          | :\d+k?             # Bedrock: :0, :200k
          | -\d{8} | -latest   # Anthropic
          | \[\w+\]            # the window, as some clients write it
        )$""",
    re.VERBOSE,
)


def plain_name(model: str) -> str:
    """Return a model's name at Anthropic's own API, without date, version and cloud."""
    name = _VENDOR.sub("", model.strip().lower())
    while (shorter := _SUFFIX.sub("", name)) != name:
        name = shorter
    return re.sub(r"(?<=\d)\.(?=\d)", "-", name)


def _parse(path: Path) -> Table:
    hint = f"See {TABLE.name} in the program's own files for the form."
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Table.model_validate(raw)
    except OSError as error:
        raise TellUser(f"The price list {path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"The price list {path} is wrong at {where}: {first['msg']}."
        raise TellUser(problem, hint) from error
    except ValueError as error:
        raise TellUser(f"The price list {path} is no TOML: {error}.", hint) from error
