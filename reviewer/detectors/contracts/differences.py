"""What changed of the contracts of files: definitions gone, signatures changed, files gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reviewer.detectors.contracts.outcomes import Item
from reviewer.detectors.contracts.views import View
from reviewer.parsing.symbols import Definition, DefKind, Parameter

CONSTRUCTORS = ("__init__", "constructor", "initialize")


@dataclass(frozen=True)
class FileDifference:
    """One changed file. `old` is its view at the base, `new` at the head; None where absent.

    `gone` and `changed` hold definitions of the base by their dotted paths, `dropped` the names
    that the file imported at the base and no longer does, with the line they stood on.
    """

    path: str
    old: View | None
    new: View | None
    gone: dict[str, tuple[Definition, ...]] = field(default_factory=dict)
    changed: dict[str, tuple[Definition, ...]] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    added: tuple[Definition, ...] = ()

    @property
    def names(self) -> set[str]:
        """The words that a file which is broken by the difference has in it."""
        found = set(self.dropped)
        for path, definitions in (*self.gone.items(), *self.changed.items()):
            name = definitions[0].name
            scope = path.rpartition(".")[0]
            # A class is called by its own name, whatever its constructor's is.
            found.add(scope.rpartition(".")[2] if name in CONSTRUCTORS and scope else name)
        return found - {""}


def difference(path: str, old: View | None, new: View | None) -> FileDifference:
    """Compare the two ends of a file."""
    if old is None:
        return FileDifference(path, None, new, added=_visible(new))
    after = {} if new is None else new.by_path
    gone, changed = {}, {}
    for each in _visible(old):
        where = f"{each.scope}.{each.name}" if each.scope else each.name
        now = after.get(where, [])
        before = old.by_path[where]
        hidden = any(one.exported for one in before) and not any(one.exported for one in now)
        if not now or hidden:
            gone[where] = tuple(before)
        elif _shapes(before) != _shapes(now):
            changed[where] = tuple(before)
    before_names = {old.local_name(each): each.line for each in old.what.imports}
    after_names = set() if new is None else {new.local_name(each) for each in new.what.imports}
    dropped = {
        name: line
        for name, line in before_names.items()
        if name and name not in after_names and name not in after
    }
    added = tuple(each for each in _visible(new) if _path(each) not in old.by_path)
    return FileDifference(path, old, new, gone, changed, dropped, added)


def _visible(view: View | None) -> tuple[Definition, ...]:
    if view is None:
        return ()
    return tuple(each for each in view.what.definitions if not view.local(each))


def _path(each: Definition) -> str:
    return f"{each.scope}.{each.name}" if each.scope else each.name


def _shapes(definitions: Iterable[Definition]) -> Sequence[object]:
    """Return what a caller depends on of a name's definitions."""
    return sorted(
        (
            tuple((p.name, p.how, p.required) for p in each.parameters or ()),
            each.parameters is None,
            each.kind.value,
        )
        for each in definitions
    )


# Where a definition went -------------------------------------------------------------------------


def renamed_to(file: FileDifference, gone: Definition) -> str:
    """Return the new name of a definition, "" unless one alone can be it."""
    alike = [
        each
        for each in file.added
        if each.scope == gone.scope and each.kind is gone.kind and _alike(each, gone)
    ]
    return alike[0].name if len({each.name for each in alike}) == 1 else ""


def _alike(new: Definition, old: Definition) -> bool:
    if old.kind is DefKind.CONSTANT:
        return _rest(new) == _rest(old)
    return _of(new.parameters) == _of(old.parameters) and new.bases == old.bases


def _rest(each: Definition) -> str:
    return each.signature.replace(each.name, "", 1)


def _of(parameters: Sequence[Parameter] | None) -> object:
    return None if parameters is None else tuple((each.name, each.how) for each in parameters)


def moved_to(files: Iterable[FileDifference], item: Item) -> str:
    """Return the path of the changed file that has a gone definition now, "" unless one has."""
    what = item.definition
    found = {
        file.path
        for file in files
        for each in file.added
        if each.name == what.name and each.kind is what.kind and file.path != item.path
    }
    return found.pop() if len(found) == 1 else ""
