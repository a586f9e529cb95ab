"""Who names a file of JavaScript or TypeScript otherwise than by an import of its path.

Settings, components and pages, an alias, a framework that finds files by their place, code that
loads what lies in a folder: each a reason to move it not by rule. By the text, for nothing here
parses them: what may be meant counts as meant. Strings in other code are told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reviewer.context.resolving.tree import folder_of, joined, name_of, upward
from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.languages import NO_CODE, Language, is_prose, language_of
from reviewer.refactor.protect import shown
from reviewer.refactor.tree import Overlay
from reviewer.text import decode, printable

SCRIPTS = frozenset({Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX})

ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
"""Of files that are moved so; a declaration (`.d.ts`) is none of them."""

MOST_UNPARSED = 2_000
"""Files of components and pages that are searched for the name of the file."""

MOST_BYTES = 200_000
"""Of settings, or of such a file."""

MOST_LINES = 2_000
"""That have the name of the file, or load what lies in a folder; beyond it nobody can be sure."""

TOKEN_CHARS = 300
LINE_CHARS = 2_000

INDEX = "index"
RELATIVE = re.compile(r"\.{1,2}(?:/.*)?", re.DOTALL)
SETTINGS = re.compile(
    r"(?:package|project|angular|nx|[jt]sconfig[\w.-]*)\.json|[\w.-]+\.(?:config|conf)\.\w+|"
    r"\.[\w.-]*rc(?:\.\w+)?|webpack[\w.-]*\.[cm]?[jt]s"
)

_MADE = {".ts": (".js",), ".tsx": (".js", ".jsx"), ".mts": (".mjs",), ".cts": (".cjs",)}
"""What a compiler makes of an ending, by which a file is named as well."""

_UNPARSED = (
    *(".vue", ".svelte", ".astro", ".mdx", ".html", ".htm", ".jinja", ".jinja2", ".j2", ".njk"),
    *(".twig", ".erb", ".ejs", ".hbs", ".pug", ".php", ".liquid", ".haml", ".slim", ".cshtml"),
    *(".jsp", ".tmpl", ".eta"),
)
_PLACED = re.compile(
    r'"(?:next|nuxt|gatsby|expo-router|@remix-run/[\w-]+|@sveltejs/kit|@react-router/[\w-]+)"\s*:'
)
_FOLDERS = frozenset({"app", "pages", "routes"})
"""Folders in which such a framework finds files by their names."""

_SERVED = re.compile(
    r"(?:^|/)(?:static|staticfiles|public|www|wwwroot|htdocs|app/assets|app/javascript)/"
)
"""Folders whose files are asked for by their addresses."""

_BEFORE = frozenset(" \t\r\n\"'`=(),;|<>[]{}&")
"""What no path has in it: one begins behind the last of these."""

_JOIN = re.compile(r"\b(?:join|resolve)\s*\(([^()]*)\)")
_SEGMENT = re.compile(r"""["'`]([^"'`]*)["'`]""")
_ELSEWHERE = re.compile(r"\b(?:cd|pushd)\s|--(?:prefix|cwd|dir)\b|\s-C\s|<rootDir>")
"""In a command or a setting: paths are not those of the package's folder."""

_GLOB = re.compile(r"""["'`](?:<rootDir>/|\./|/)?([^"'`\s!]{1,300})["'`](?!\s*:)""")
_OFFERED = re.compile(r"""["'](\./[^"'*\s]*)\*([^"'*\s]*)["'](?!\s*:)""")
"""A pattern of paths; and one of a package's exports, whose star is a part of a public name."""

_ALIASED = re.compile(r"(?:[@~#$]{1,2}|\$\w+)/")
_LOADS = r"import[.]meta[.]glob|require[.]context|readdir|(import|require)[(][^)]*[$+]"
_LOAD = re.compile(
    r"(?P<how>\bimport\.meta\.glob\w*|\brequire\.context|\bimport|\brequire)\s*(?:<[^<>()]*>)?\(\s*"
    r"""\[?\s*(?P<quote>["'`])(?P<path>(?:\.{1,2}|(?=/))(?:/[^"'`]*)?)(?P=quote)\s*(?P<plus>\+?)"""
)
_LISTS = re.compile(r"\breaddir(?:Sync)?\s*\(\s*__dirname\s*[,)]")
_OPEN = re.compile(r"\*|\$\{|[{\[(?]")


@dataclass(frozen=True)
class Way:
    """From where to where a file goes, and both without their ending."""

    old: str
    new: str
    ending: str

    @property
    def stem(self) -> str:
        return self.old.removesuffix(self.ending)

    @property
    def now(self) -> str:
        return self.new.removesuffix(self.ending)


def no_other_name(way: Way, users: list[str], context: Context, tree: Overlay) -> None:
    """Raise GiveUp where settings, an alias, a framework, a loader or code that is not parsed may
    name the file."""
    if _SERVED.search(way.old):
        raise GiveUp(f"{shown(way.old)} may be asked for by its address")
    settings = settings_of(tree)
    for path, text in settings.items():
        if _says(text, path, way, tree):
            raise GiveUp(f"{shown(path)} names it")
        near = folder_of(path) in upward(folder_of(way.old))
        if near and name_of(path) == "package.json" and _PLACED.search(text):
            for end in (way.old, way.new):
                if _FOLDERS.intersection(folder_of(end).split("/")):
                    raise GiveUp(f"a framework may find {shown(end)} by its place")
    for path in users:
        for each in context.imports(path).items:
            module = each.what.module
            if RELATIVE.fullmatch(module):
                continue
            if way.old in each.to.files:
                raise GiveUp(f"{shown(path)} names it by an alias, {printable(module)}")
            if not each.to.files and _may_mean(module, way) and _is_alias(module, settings):
                raise GiveUp(f"{shown(path)} may name it by an alias, {printable(module)}")
    _in_no_page(way, settings, tree)
    _loaded_by_nobody(way, tree)


def elsewhere(way: Way, tree: Overlay) -> Iterator[tuple[str, str, bool]]:
    """Give lines of other files that may name the file in a string, and whether these are code."""
    noted: set[str] = set()
    name = name_of(way.old)
    if name_of(way.stem) == INDEX:  # there is one in many a folder
        name = f"{name_of(folder_of(way.old))}/{name}"
    for path, line in _lines(name, tree, literal=True):
        if path == way.old or is_prose(path) or "node_modules/" in path:
            continue
        if _is_settings(path) or path.lower().endswith(_UNPARSED):
            continue  # looked at before
        language = language_of(path)
        for token, before, after in _tokens(line, name_of(way.stem), (way.ending,)):
            at = joined(folder_of(path), token)
            if language in SCRIPTS and at == way.old and RELATIVE.fullmatch(token):
                continue  # who imports it is looked at for that
            if name_of(way.stem) == INDEX and "/" not in _plain(token):
                continue
            if not _means(token, folder_of(path), way, tree):
                continue
            if language not in NO_CODE:
                if before in {'"', "'", "`"} or after in {'"', "'", "`"}:
                    yield path, line, True
            elif _plain(token) != way.old and path not in noted:  # that is told of all documents
                noted.add(path)
                yield path, line, False


# Settings ----------------------------------------------------------------------------------------


def settings_of(tree: Overlay) -> dict[str, str]:
    """Return the texts of settings of packages, compilers and bundlers, by path."""
    found = {}
    for path in _paths(tree):
        if _is_settings(path):
            blob = tree.blob(path)
            if blob is not None:
                found[path] = decode(blob.data[:MOST_BYTES])
    return found


def _is_settings(path: str) -> bool:
    return SETTINGS.fullmatch(name_of(path)) is not None and "node_modules/" not in path


def _paths(tree: Overlay) -> list[str]:
    known = {path for path in tree.start.modes if path not in tree.files}
    return sorted([*known, *(path for path, blob in tree.files.items() if blob is not None)])


def _says(text: str, path: str, way: Way, tree: Overlay) -> bool:
    """Do settings name the file: with an ending or none, by all of its path or the end of that?"""
    folder = folder_of(path)
    package = name_of(path) == "package.json"
    inner = way.stem.removeprefix(f"{folder}/") if folder else way.stem
    is_under = not folder or inner != way.stem
    named = rf"(?<![\w/-])(?:\.?/)?{re.escape(inner)}(?:\.\w+)*(?![\w/-])"
    if is_under and package:
        named += r"""(?!["']\s*:)"""  # a key is none of the package's files
    if (
        is_under
        and (package or "/" in inner or inner == INDEX or f"./{inner}" in text)
        and re.search(named, text)
    ):
        return True
    for line in text.split("\n"):
        if name_of(way.stem) not in line:
            continue
        loose = is_under and (not package or _ELSEWHERE.search(line) is not None)
        for token, _, _ in _tokens(line, name_of(way.stem), _endings(way)):
            if leads_to(token, folder, way) or (loose and _means(token, folder, way, tree)):
                return True
    return _by_pattern(text, path, way) or _is_joined(text, folder, way, is_under)


def _is_joined(text: str, folder: str, way: Way, is_under: bool) -> bool:
    """Is a path put together that leads to the file, or ends as it does?"""
    for call in _JOIN.finditer(text):
        token = "/".join(each.strip("/") for each in _SEGMENT.findall(call[1]))
        if token and leads_to(token, folder, way):
            return True
        if token and is_under and _ends_so(_plain(token), way, bare=True):
            return True
    return False


def _by_pattern(text: str, path: str, way: Way) -> bool:
    """Do settings find the file by a pattern, and not where it goes, or under another name?"""
    folder, name = folder_of(path), name_of(path)
    if name == "package.json" and any(_offers(one, folder, way) for one in _OFFERED.finditer(text)):
        return True
    if folder and not way.old.startswith(f"{folder}/"):
        return False
    return any(
        _is_left(one[1], folder, way)
        for one in _GLOB.finditer(text)
        # In `paths` of a compiler one star is any path.
        if "**" in one[1] or ("*" in one[1] and "/" in one[1] and not name.endswith("config.json"))
    )


def _offers(one: re.Match[str], folder: str, way: Way) -> bool:
    """Is the file one of those that a package offers by a pattern?"""
    begin = f"{folder}/{one[1][2:]}" if folder else one[1][2:]
    return any(
        f"{way.stem}{end}".startswith(begin) and f"{way.stem}{end}".endswith(one[2])
        for end in _endings(way)
    )


def _is_left(glob: str, folder: str, way: Way) -> bool:
    """Does the file fit a pattern of a folder where it is, and not where it goes?"""
    start = f"{folder}/" if folder else ""
    if not _fits(glob, way.old.removeprefix(start)):
        return False
    return not way.new.startswith(start) or not _fits(glob, way.new.removeprefix(start))


def _fits(glob: str, path: str) -> bool:
    """Does a path fit a pattern, segment by segment? The time is linear in both."""
    parts = glob.split("/")
    at = _onward({0}, parts)
    for name in path.split("/"):
        after = {each for each in at if each < len(parts) and parts[each] == "**"}
        after |= {each + 1 for each in at if each < len(parts) and _fits_one(parts[each], name)}
        at = _onward(after, parts)
    return len(parts) in at


def _onward(at: set[int], parts: list[str]) -> set[int]:
    """Return the places in a pattern that are reached without a segment: `**` can be none."""
    found = set(at)
    for each in range(len(parts)):
        if each in found and parts[each] == "**":
            found.add(each + 1)
    return found


def _fits_one(part: str, name: str) -> bool:
    """Does a name fit a segment; what is between braces, brackets and the like counts as any?"""
    if part == "**":
        return False
    whole = re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]|[?+@]?\([^()]*\)[?+*]?|\?", "*", part)
    pieces = whole.split("*")
    if len(pieces) == 1:
        return whole == name
    if not name.startswith(pieces[0]) or not name[len(pieces[0]) :].endswith(pieces[-1]):
        return False
    rest = name[len(pieces[0]) : len(name) - len(pieces[-1])]
    for piece in pieces[1:-1]:
        _, found, rest = rest.partition(piece) if piece else ("", "x", rest)
        if not found:
            return False
    return True


def _may_mean(module: str, way: Way) -> bool:
    """Does the end of a name that leads nowhere look like the file?"""
    last = name_of(module)
    names = {name_of(way.old), name_of(way.stem)}
    if name_of(way.stem) == INDEX:
        names.add(name_of(folder_of(way.old)))
    return last in names


def _is_alias(module: str, settings: dict[str, str]) -> bool:
    """Do settings of a bundler give a name a meaning?"""
    first = re.escape(module.partition("/")[0])
    known = re.compile(rf"""["'`^/]{first}(?:["'`/*$(\\]|$)|(?<![\w-]){first}\s*:""", re.MULTILINE)
    return any(
        known.search(text) for path, text in settings.items() if name_of(path) != "package.json"
    )


# Components and pages ----------------------------------------------------------------------------


def _in_no_page(way: Way, settings: dict[str, str], tree: Overlay) -> None:
    """Refuse where a component or a page has the path of the file in it, or the end of that."""
    pages = [path for path in _paths(tree) if path.lower().endswith(_UNPARSED)]
    if len(pages) > MOST_UNPARSED:
        raise GiveUp(f"more than {MOST_UNPARSED} components or pages may import it")
    for path in pages:
        blob = tree.blob(path)
        text = decode(blob.data[:MOST_BYTES]) if blob is not None else ""
        if any(
            leads_to(token, folder_of(path), way) or _means(token, folder_of(path), way, tree)
            for token, _, _ in _tokens(text, name_of(way.stem), _endings(way))
        ) or any(
            _is_imported(found[1], path, way, settings)
            for found in re.finditer(r"""["'`]([\w.@~#$/-][^"'`\n?#]*)["'`]""", text)
        ):
            raise GiveUp(f"{shown(path)} imports it, and is not parsed here")


def _is_imported(said: str, path: str, way: Way, settings: dict[str, str]) -> bool:
    """Does a string of a page lead to the file, as an import without an ending does?"""
    if said.startswith(("./", "../", "/")) or said in {".", ".."}:
        return leads_to(said, folder_of(path), way)
    first, _, rest = said.partition("/")
    if not rest:
        return False
    if said == way.stem:
        return True
    return (_ends_so(rest, way, bare=True) or _ends_so(f"{rest}/{INDEX}", way, bare=True)) and (
        _ALIASED.match(said) is not None or _is_alias(first, settings)
    )


# What loads what lies in a folder ----------------------------------------------------------------


def _loaded_by_nobody(way: Way, tree: Overlay) -> None:
    """Refuse where code loads files of a folder by a pattern, and the file comes or goes there."""
    here, there = folder_of(way.old), folder_of(way.new)
    for path, line in _lines(_LOADS, tree, literal=False):
        if language_of(path) not in SCRIPTS or "node_modules/" in path:
            continue
        own = path == way.old and here != there
        if _LISTS.search(line) and (own or folder_of(path) in {here, there}):
            raise GiveUp(f"{shown(path)} loads what lies in its folder")
        for each in _LOAD.finditer(line[:LINE_CHARS]):
            said = each["path"]
            opened = _OPEN.search(said) if each["how"] != "require.context" else None
            if opened is None and not each["plus"] and each["how"] != "require.context":
                continue
            start = said[: opened.start()] if opened else said
            rest = said[len(start) :]
            under = start if each["how"] == "require.context" else start.rpartition("/")[0]
            at = joined("" if said.startswith("/") else folder_of(path), under)
            tail = re.search(r"[*}](\.[\w.]+)$", rest)
            if at is None or (tail and not _ends_with(way, tail[1])):
                continue
            deep = each["how"] == "require.context" or "/" in rest or "**" in rest
            if own or any(
                folder == at or (deep and (not at or folder.startswith(f"{at}/")))
                for folder in (here, there)
            ):
                raise GiveUp(f"{shown(path)} loads what lies in a folder, {printable(said)}")


def _ends_with(way: Way, tail: str) -> bool:
    return any(f"{way.stem}{end}".endswith(tail) for end in _endings(way))


# Paths in texts ----------------------------------------------------------------------------------


def _endings(way: Way) -> tuple[str, ...]:
    return (way.ending, *_MADE.get(way.ending, ()))


def _lines(pattern: str, tree: Overlay, *, literal: bool) -> Iterator[tuple[str, str]]:
    """Give the lines that match an extended regular expression, or have a text, with their paths,
    as they are now.

    Raise GiveUp where there are too many to look at, or not all files can be searched.
    """
    found = tree.start.objects.grep(pattern, "base", "", MOST_LINES, literal=literal)
    if len(found) >= MOST_LINES:
        raise GiveUp(f"more than {MOST_LINES} lines may name it")
    for each in found:
        if each.path not in tree.files:
            yield each.path, each.text
    matching = re.compile(re.escape(pattern) if literal else pattern)
    for path, blob in sorted(tree.files.items()):
        if blob is not None:
            for line in decode(blob.data).split("\n"):
                if matching.search(line):
                    yield path, line


def _tokens(text: str, name: str, endings: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Give what looks like a path that ends with a name and one of some endings, with the signs
    before and behind it. Addresses of other places are none."""
    ends = "|".join(re.escape(each) for each in endings)
    for found in re.finditer(rf"(?<![\w$.-]){re.escape(name)}(?:{ends})(?![\w$-])(?!\.\w)", text):
        start = found.start()
        least = max(0, start - TOKEN_CHARS)
        while start > least and text[start - 1] not in _BEFORE:
            start -= 1
        token = text[start : found.end()]
        if "://" not in token and not token.startswith("//"):
            said = re.split(r"[:!]", token)[-1]
            yield said, text[start - 1 : start], text[found.end() : found.end() + 1]


def _plain(token: str) -> str:
    """Return a path without what says from where it leads."""
    bare = re.sub(r"^(?:(?:\.{0,2}|\*\*)/)+", "", token)
    return _ALIASED.sub("", bare, count=1) if _ALIASED.match(bare) else bare


def leads_to(token: str, folder: str, way: Way) -> bool:
    """Does a path of a folder, or of the top, lead to the file: with any ending or none, or as the
    folder that it is the index of?"""
    at = joined("" if token.startswith("/") else folder, token)
    if at is None:
        return False
    if name_of(way.stem) == INDEX and at == folder_of(way.old):
        return RELATIVE.fullmatch(token) is not None or token.startswith("/")
    rest = at[len(way.stem) :] if at.startswith(way.stem) else "/"
    return not rest or rest in ENDINGS


def _means(token: str, folder: str, way: Way, tree: Overlay) -> bool:
    """May a path mean the file, from wherever it leads? Not one that leads to another file."""
    at = joined("" if token.startswith("/") else folder, token)
    if at is not None and at != way.old and tree.has(at):
        return False
    return _ends_so(_plain(token), way, bare=False)


def _ends_so(plain: str, way: Way, *, bare: bool) -> bool:
    """Is that the end of the file's path, with its ending; `bare`: or with another or none?"""
    if bare:
        for end in ENDINGS:
            plain = plain.removesuffix(end)
        return plain != "" and (way.stem == plain or way.stem.endswith(f"/{plain}"))
    return way.old == plain or way.old.endswith(f"/{plain}")
