"""Whether a call fits a list of parameters, by the rules of its language."""

from collections.abc import Sequence
from dataclasses import dataclass

from reviewer.parsing.symbols import Parameter, Use

Parameters = Sequence[Parameter]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a call does not fit, as the end of a sentence about the call."""

    why: str


def misfit(parameters: Parameters, use: Use, family: str) -> Misfit | None:
    """Return why a call certainly does not fit the parameters, None if it may."""
    if family == "python":
        return _python(parameters, use)
    if family == "ruby":
        return _ruby(parameters, use)
    return _counted(parameters, use.arguments, use.spread)


def _counted(parameters: Parameters, given: int, spread: bool) -> Misfit | None:
    """Judge a call by the number of its arguments, as tsc, Go and Java do."""
    required = sum(each.required for each in parameters)
    endless = any(each.how == "*args" for each in parameters)
    most = sum(each.how not in ("*args", "**kwargs") for each in parameters)
    if given > most and not endless:
        return Misfit(f"passes {_arguments(given)} where it takes {_most(most)}")
    if given < required and not spread:
        return Misfit(f"passes {_arguments(given)} where it needs {required}")
    return None


def _python(parameters: Parameters, use: Use) -> Misfit | None:
    places = [each for each in parameters if each.how in ("positional", "both")]
    by_name = {each.name for each in parameters if each.how in ("both", "keyword")}
    names = set(use.keywords)
    if use.arguments > len(places) and not _has(parameters, "*args"):
        return Misfit(
            f"passes {_arguments(use.arguments, 'positional ')} where it takes {_most(len(places))}"
        )
    if not _has(parameters, "**kwargs"):
        for name in use.keywords:
            if name not in by_name:
                return Misfit(f"passes `{name}`, which it does not take")
    for each in places[: use.arguments]:
        if each.how == "both" and each.name in names:
            return Misfit(f"passes `{each.name}` twice, by its place and by its name")
    if use.spread:
        return None
    for index, each in enumerate(places):
        given = index < use.arguments or (each.how == "both" and each.name in names)
        if each.required and not given:
            return Misfit(f"does not pass `{each.name}`")
    return _missing(parameters, names)


def _ruby(parameters: Parameters, use: Use) -> Misfit | None:
    places = [each for each in parameters if each.how in ("positional", "both")]
    takes = [each.name for each in parameters if each.how == "keyword"]
    given, names = use.arguments, set(use.keywords)
    if names and not takes and not _has(parameters, "**kwargs"):
        given, names = given + 1, set()  # the names become a hash, the last argument
    required = sum(each.required for each in places)
    if given > len(places) and not _has(parameters, "*args"):
        return Misfit(f"passes {_arguments(given)} where it takes {_most(len(places))}")
    if not _has(parameters, "**kwargs"):
        for name in use.keywords:
            if name in names and name not in takes:
                return Misfit(f"passes `{name}:`, which it does not take")
    if use.spread:
        return None
    if given < required:
        return Misfit(f"passes {_arguments(given)} where it needs {required}")
    return _missing(parameters, names)


def _missing(parameters: Parameters, names: set[str]) -> Misfit | None:
    for each in parameters:
        if each.how == "keyword" and each.required and each.name not in names:
            return Misfit(f"does not pass `{each.name}`")
    return None


def _has(parameters: Parameters, how: str) -> bool:
    return any(each.how == how for each in parameters)


def _arguments(count: int, what: str = "") -> str:
    if count == 0:
        return f"no {what}argument"
    return f"1 {what}argument" if count == 1 else f"{count} {what}arguments"


def _most(count: int) -> str:
    return "none" if count == 0 else f"at most {count}"
