"""Is this use of a name a use of that definition? A verdict for each, and the order by it.

Nothing is filtered: a wrong guess costs a place in the order, never the answer. Each rule returns
a verdict or None, where it has nothing to say.
"""

from collections.abc import Sequence
from functools import cached_property

from reviewer.context import verdicts
from reviewer.context.kinship import NO_IMPORTS, Kinship, Look, class_around, has, meant
from reviewer.context.links import Links, Origin, Source
from reviewer.context.target import (
    Target,
    inside,
    is_member,
    last_part,
    last_word,
    resembles,
    shared,
)
from reviewer.context.verdicts import LIKELY, NAME, Verdict
from reviewer.languages import Language, is_test
from reviewer.parsing.hints import made_by
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind

_BEYOND = frozenset({"super", "super()", "parent"})
_SELF = frozenset({"self", "cls", "this", "$this", "static", "Self"}) | _BEYOND
_IMPLICIT_SELF = frozenset(
    {Language.RUBY, Language.JAVA, Language.KOTLIN, Language.CSHARP, Language.CPP}
)
"""Languages in which a bare name in a class may be a member of it."""


class Judge:
    """Compares uses with one target. `unique`: no other file looked at defines that name."""

    def __init__(
        self, target: Target, links: Links, look: Look, unique: bool, sources: Sequence[Source]
    ) -> None:
        kinship = Kinship(target, links, look)
        self._path = target.path
        self._rules: _Outer | _Member
        if is_member(target.definition):
            self._rules = _Member(target, kinship, unique, sources)
        else:
            self._rules = _Outer(target, links, unique)

    def judge(self, source: Source, use: Use) -> Verdict:
        """Return how well a use in a file fits."""
        found = self._rules.judge(source, use)
        score = found.score + verdicts.KINDS.get(use.kind, 0.0)
        score += verdicts.FOLDERS * shared(source.path, self._path)
        if is_test(source.path) and not is_test(self._path):
            score += verdicts.IN_TESTS
        return Verdict(score, found.certainty, found.why)


class _Outer:
    """The rules for what is defined at the top of a file."""

    def __init__(self, target: Target, links: Links, unique: bool) -> None:
        self._target = target
        self._name = target.definition.name
        self._links = links
        self._unique = unique

    def judge(self, source: Source, use: Use) -> Verdict:
        if use.kind is UseKind.STRING:
            return self._string(use)
        if use.kind is UseKind.KEYWORD:
            return verdicts.ARGUMENT
        if use.kind is UseKind.IMPORT:
            return self._import(source, use)
        if use.receiver in ("", "new"):
            return self._bare(source, use)
        if use.receiver in _SELF:
            return verdicts.OTHER_MEMBER
        return self._received(source, use)

    def _string(self, use: Use) -> Verdict:
        if use.receiver and last_part(use.receiver) == self._target.stem:
            return verdicts.PATH_STRING
        return verdicts.ONLY_ONE_STRING if self._unique else verdicts.STRING

    def _import(self, source: Source, use: Use) -> Verdict:
        for local, origin in source.named(use.name):
            if (self._target.path, self._name) in self._links.reach(origin, local):
                return verdicts.IMPORTED
            if self._target.path in origin.to.files:
                return verdicts.FROM_THAT_FILE
        return verdicts.OTHER_IMPORT

    def _bare(self, source: Source, use: Use) -> Verdict:
        if _is_parameter(source, use, use.name):
            return verdicts.PARAMETER
        if source.path == self._target.path and use.name == self._name:
            return verdicts.SAME_FILE
        if origins := source.origins(use.name):
            return self._imported(origins, use.name)
        if source.offers(use.name):
            return verdicts.OWN_FILE
        return self._visible(source, use.name) or verdicts.NOT_IMPORTED

    def _imported(self, origins: Sequence[Origin], local: str) -> Verdict:
        reached = {each for origin in origins for each in self._links.reach(origin, local)}
        if (self._target.path, self._name) in reached:
            return verdicts.IMPORTED
        if any(self._target.path in each.to.files for each in origins):
            return verdicts.FROM_THAT_FILE
        if reached:
            return verdicts.OTHER_FILE
        return verdicts.UNKNOWN_IMPORT if _of_tree(origins) else verdicts.OUTSIDE

    def _visible(self, source: Source, name: str) -> Verdict | None:
        """Can a bare name mean it without being imported by name?"""
        target = self._target
        if target.beside and source.beside == target.beside != target.path:
            return verdicts.SAME_PACKAGE
        for what in source.wholesale:
            files = source.resolve(what).files
            if target.path in files:
                return verdicts.ALL_OF_FILE
            if (target.path, self._name) in self._links.homes(files, name):
                return verdicts.ALL_FROM_THERE
        if source.language in NO_IMPORTS:
            return verdicts.ONLY_ONE_BY_NAME if self._unique else verdicts.BY_NAME
        return None

    def _received(self, source: Source, use: Use) -> Verdict:
        """With something before the dot: is that its module?"""
        if _is_parameter(source, use, use.receiver.partition(".")[0]):
            return self._named_alike(use.receiver) or self._member()
        origins = source.origins(use.receiver)
        for origin in origins:
            if self._target.path in meant(origin) and use.name == self._name:
                return verdicts.BY_MODULE
            # By the name that is asked for there: it may be offered on under another one.
            if (self._target.path, self._name) in self._links.homes(meant(origin), use.name):
                return verdicts.OFFERED_ON
        if origins:
            return verdicts.OTHER_MODULE if _of_tree(origins) else verdicts.OTHER_PACKAGE
        return self._dotted(source, use.receiver)

    def _dotted(self, source: Source, receiver: str) -> Verdict:
        first, dot, _ = receiver.partition(".")
        outer = source.origins(first) if dot else []
        if outer and not _of_tree(outer):
            return verdicts.OTHER_PACKAGE
        alike = self._named_alike(receiver)
        if alike and outer:
            return verdicts.BY_NAMED_MODULE
        return alike or self._member()

    def _named_alike(self, receiver: str) -> Verdict | None:
        alike = last_part(receiver) == self._target.stem
        return verdicts.BY_NAMED_RECEIVER if alike else None

    def _member(self) -> Verdict:
        return verdicts.ONLY_ONE_MEMBER if self._unique else verdicts.MEMBER


class _Member:
    """The rules for a member of a class, and for what is defined within a function."""

    def __init__(
        self, target: Target, kinship: Kinship, unique: bool, sources: Sequence[Source]
    ) -> None:
        self._target = target
        self._kin = kinship
        self._unique = unique
        self._sources = sources
        self._imported: dict[str, bool] = {}

    def judge(self, source: Source, use: Use) -> Verdict:
        if use.kind in (UseKind.KEYWORD, UseKind.IMPORT):
            return verdicts.ARGUMENT
        if use.kind is UseKind.STRING:
            return verdicts.ONLY_ONE_STRING if self._unique else verdicts.STRING
        if use.receiver in _SELF:
            return self._of_self(source, use)
        if use.receiver in ("", "new"):
            return self._bare(source, use)
        if use.receiver in self._kin.names(source):
            return verdicts.BY_CLASS
        return self._received(source, use)

    def _bare(self, source: Source, use: Use) -> Verdict:
        if source.language in _IMPLICIT_SELF and not use.receiver:
            return self._of_self(source, use)
        target = self._target.definition
        if source.path != self._target.path:
            return verdicts.BARE
        if target.kind is DefKind.METHOD:  # in the body of the class, or as a decorator in it
            seen = use.scope in (target.scope, path_of(target))
        else:
            seen = inside(use.scope, target.scope)
        return verdicts.SAME_SCOPE if seen else verdicts.BARE

    def _of_self(self, source: Source, use: Use) -> Verdict:
        around = class_around(source, use.scope)
        if around is None:
            return verdicts.OUT_OF_CLASS
        beyond = use.receiver in _BEYOND
        if source.path == self._target.path and around == self._target.definition.scope:
            return verdicts.BEYOND if beyond else verdicts.SAME_CLASS
        own = has(source, around, use.name)
        if own and not beyond:
            # What a base calls on itself runs what a class that extends it has in its place.
            above = last_part(around) in self._kin.bases
            return verdicts.EXTENDED_CLASS if above else verdicts.HAS_ITS_OWN
        if self._kin.derives(source, around):
            return verdicts.EXTENDING_CLASS
        return self._of_stranger(around, implicit=not use.receiver)

    def _of_stranger(self, around: str, *, implicit: bool) -> Verdict:
        if last_part(around) in self._kin.bases:
            return verdicts.EXTENDED_CLASS
        if implicit and self._unique:
            return verdicts.BY_NAME
        return verdicts.OTHER_CLASS

    def _received(self, source: Source, use: Use) -> Verdict:
        head = use.receiver.partition(".")[0].partition("(")[0]
        origins = source.origins(use.receiver) or source.origins(head)
        if origins and not _of_tree(origins):
            return verdicts.OTHER_PACKAGE
        found = self._typed(source, source.types(use.receiver, use.scope, use.line))
        if found is None:
            found = self._guessed(source, use)
        if use.kind is UseKind.CALL:
            score = found.score + verdicts.CALLED + _fit(use, self._target.definition)
            return Verdict(score, found.certainty, found.why)
        return found

    def _typed(self, source: Source, types: Sequence[str]) -> Verdict | None:
        """Return what the type of the receiver says, None where it says nothing."""
        names, name = self._kin.names(source), self._target.definition.name
        other = None
        for each in types:
            simple = made_by(each)
            if each in names:
                return verdicts.OF_CLASS
            if simple == self._target.owner and not source.origins(simple):
                return verdicts.OF_NAMED_CLASS
            if self._kin.type_derives(source, each, unless=name):
                return verdicts.OF_EXTENDING
            if simple in self._kin.bases:
                return verdicts.OF_EXTENDED
            if simple[:1].isupper():
                other = verdicts.OF_OTHER
        return other

    def _guessed(self, source: Source, use: Use) -> Verdict:
        """Add up what speaks for it where nothing says what the receiver is."""
        score, why, hints = 0.0, "a member of that name", 0
        if self._unique:
            score, why, hints = verdicts.ONLY_ONE, "the only definition of that name", 1
        if resembles(use.receiver, self._target.owner):
            why = "the receiver is named like the class"
            score, hints = score + verdicts.RESEMBLES, hints + 1
        elif last_word(use.receiver) in self._instances:
            why = "the receiver is named like others of that class"
            score, hints = score + verdicts.NAMED_ALIKE, hints + 1
        if self._is_beside_class(source, use):
            why = "beside a use of the class"
            score, hints = score + verdicts.BESIDE_CLASS, hints + 2
        elif source.path == self._target.path:
            score += verdicts.CLASS_FILE
        elif self._kin.names(source):
            score, why, hints = (
                score + verdicts.FILE_USES_CLASS,
                "the file uses the class",
                hints + 1,
            )
        elif self._imports_target(source):
            score += verdicts.FILE_IMPORTS
        return Verdict(score, LIKELY if hints > 1 else NAME, why)

    def _is_beside_class(self, source: Source, use: Use) -> bool:
        """Is the class used around it, and not by a variable that has another name?"""
        if use.scope in self._kin.scopes(source):
            return False
        return any(
            inside(each.scope, use.scope) and bool(use.scope or not each.scope)
            for local in self._kin.names(source)
            for each in source.packed.uses(local)
        )

    def _imports_target(self, source: Source) -> bool:
        if (known := self._imported.get(source.path)) is None:
            path = self._target.path
            known = self._imported[source.path] = any(
                path in (to := source.resolve(what)).files or path == to.submodule
                for what in source.packed.imports
            )
        return known

    @cached_property
    def _instances(self) -> frozenset[str]:
        return self._kin.instances(self._sources)


def _of_tree(origins: Sequence[Origin]) -> bool:
    return any(each.to.files or each.to.inside for each in origins)


def _is_parameter(source: Source, use: Use, name: str) -> bool:
    """Is a name one of the parameters of a function around the use?"""
    scope = use.scope
    while scope:
        for each in source.at(scope):
            if each.parameters and any(one.name == name for one in each.parameters):
                return True
        scope = scope.rpartition(".")[0]
    return False


def _fit(use: Use, definition: Definition) -> float:
    """Return what the arguments say: a little for a fit, more against a misfit."""
    if definition.parameters is None or use.spread:
        return 0.0
    positional = [each for each in definition.parameters if each.how in ("positional", "both")]
    hows = {each.how for each in definition.parameters}
    names = {each.name for each in definition.parameters}
    if use.arguments > len(positional) and "*args" not in hows:
        return verdicts.MISFITS
    if "**kwargs" not in hows and any(each not in names for each in use.keywords):
        return verdicts.MISFITS
    if use.arguments + len(use.keywords) < sum(each.required for each in positional):
        return verdicts.TOO_FEW
    return verdicts.FITS
