"""What a path says about a file: its language, whether it is a test, a document, a template.

One table, for everything that treats files by language. It reads names only, never contents.
"""

import re
from enum import StrEnum
from functools import lru_cache


class Language(StrEnum):
    """A language by the name that Markdown fences use for it."""

    BASH = "bash"
    C = "c"
    CPP = "cpp"
    CSHARP = "csharp"
    CSS = "css"
    DART = "dart"
    DOCKERFILE = "dockerfile"
    ELIXIR = "elixir"
    GO = "go"
    GRAPHQL = "graphql"
    HTML = "html"
    INI = "ini"
    JAVA = "java"
    JAVASCRIPT = "javascript"
    JSON = "json"
    KOTLIN = "kotlin"
    LUA = "lua"
    MAKEFILE = "makefile"
    MARKDOWN = "markdown"
    PERL = "perl"
    PHP = "php"
    POWERSHELL = "powershell"
    PROTOBUF = "protobuf"
    PYTHON = "python"
    RST = "rst"
    RUBY = "ruby"
    RUST = "rust"
    SCALA = "scala"
    SQL = "sql"
    SVELTE = "svelte"
    SWIFT = "swift"
    TERRAFORM = "hcl"
    TOML = "toml"
    TSX = "tsx"
    TYPESCRIPT = "typescript"
    VUE = "vue"
    XML = "xml"
    YAML = "yaml"


_BY_SUFFIX: dict[str, Language] = {
    suffix: language
    for language, suffixes in {
        Language.BASH: "sh bash",
        Language.C: "c h",
        Language.CPP: "cc cpp cxx c++ hh hpp hxx h++ ipp tpp",
        Language.CSHARP: "cs",
        Language.CSS: "css scss less",
        Language.DART: "dart",
        Language.DOCKERFILE: "dockerfile",
        Language.ELIXIR: "ex exs",
        Language.GO: "go",
        Language.GRAPHQL: "graphql gql",
        Language.HTML: "html htm",
        Language.JAVA: "java",
        Language.JAVASCRIPT: "js mjs cjs jsx",
        Language.JSON: "json jsonc json5 webmanifest geojson code-workspace ipynb",
        Language.KOTLIN: "kt kts",
        Language.LUA: "lua",
        Language.MAKEFILE: "mk",
        Language.MARKDOWN: "md mdx markdown",
        Language.PERL: "pl pm",
        Language.PHP: "php",
        Language.POWERSHELL: "ps1 psm1",
        Language.PROTOBUF: "proto",
        Language.PYTHON: "py pyi pyw",
        Language.RST: "rst",
        Language.RUBY: "rb rake gemspec ru",
        Language.RUST: "rs",
        Language.SCALA: "scala sc sbt",
        Language.SQL: "sql",
        Language.SVELTE: "svelte",
        Language.SWIFT: "swift",
        Language.TERRAFORM: "tf hcl tfvars",
        Language.TOML: "toml",
        Language.TSX: "tsx",
        Language.TYPESCRIPT: "ts mts cts",
        Language.VUE: "vue",
        Language.XML: "xml xsd xsl xslt svg",
        Language.YAML: "yml yaml",
    }.items()
    for suffix in suffixes.split()
}

_BY_NAME: dict[str, Language] = {
    "Dockerfile": Language.DOCKERFILE,
    "Containerfile": Language.DOCKERFILE,
    "Makefile": Language.MAKEFILE,
    "GNUmakefile": Language.MAKEFILE,
    "Gemfile": Language.RUBY,
    "Rakefile": Language.RUBY,
    "Guardfile": Language.RUBY,
    "Podfile": Language.RUBY,
    "Fastfile": Language.RUBY,
    "Pipfile": Language.TOML,
    ".bashrc": Language.BASH,
    ".bash_profile": Language.BASH,
    ".babelrc": Language.JSON,
    ".eslintrc": Language.JSON,
    # Of the many dialects those that Python's own parser reads, or one as strict as it.
    ".coveragerc": Language.INI,
    ".flake8": Language.INI,
    ".isort.cfg": Language.INI,
    ".pylintrc": Language.INI,
    "alembic.ini": Language.INI,
    "mypy.ini": Language.INI,
    "pytest.ini": Language.INI,
    "setup.cfg": Language.INI,
    "tox.ini": Language.INI,
}


_REMEMBERED = 4_096
"""Paths; a repository has more, and its paths are asked about in turn."""


def _name(path: str) -> str:
    return path.rpartition("/")[2]


@lru_cache(_REMEMBERED)
def language_of(path: str) -> Language | None:
    """Return the language of a path, None where its name does not tell.

    The last suffix decides, so a template (`page.py.j2`) has no language.
    """
    name = _name(path)
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.startswith(("Dockerfile.", "Containerfile.")):
        return Language.DOCKERFILE
    _, dot, suffix = name.rpartition(".")
    return _BY_SUFFIX.get(suffix.lower()) if dot else None


_TEST_DIRECTORY = re.compile(
    r"(?:^|/)(?:[Tt]ests?|specs?|__tests__|e2e|cypress|[\w.-]+[._-][Tt]ests?|"
    r"\w*[a-z0-9]Tests?)/"
)
_TEST_NAME = re.compile(
    r"^(?:test_.*\.py|conftest\.py|.*_test\.\w+|.*[.-](?:test|spec|cy|e2e)\.[cm]?[jt]sx?|.*_spec\.rb|"
    r".*(?:Tests?|Spec|IT)\.(?:java|kt|scala|cs|swift|php)|tests?\.\w+)$"
)


@lru_cache(_REMEMBERED)
def is_test(path: str) -> bool:
    """Does the path say that the file is a test, or lies among tests?"""
    return bool(_TEST_DIRECTORY.search(path) or _TEST_NAME.match(_name(path)))


def test_folder(path: str) -> str | None:
    """Return the outermost folder that says that what lies in it is tests, with its slash."""
    found = _TEST_DIRECTORY.search(path)
    return path[: found.end()] if found else None


_PROSE = {Language.MARKDOWN, Language.RST, Language.HTML}
_PROSE_SUFFIXES = (".txt", ".adoc", ".asciidoc", ".org", ".tex", ".pod", ".1", ".ipynb")


def is_prose(path: str) -> bool:
    """Is the file written to be read (documentation, a page, a notebook), not run?"""
    return language_of(path) in _PROSE or path.lower().endswith(_PROSE_SUFFIXES)


NO_CODE = frozenset(
    {
        None,
        Language.BASH,
        Language.DOCKERFILE,
        Language.INI,
        Language.JSON,
        Language.MAKEFILE,
        Language.TOML,
        Language.XML,
        Language.YAML,
    }
)
"""Of files that the context engine does not know as code: settings, scripts of a shell, data."""


_DATA = {Language.INI, Language.JSON, Language.TOML, Language.XML, Language.YAML}
_SETTINGS = {*_DATA, Language.SQL, None}
_MIGRATIONS = re.compile(r"(?:^|/)(?:\w*[._-])?migrations?/", re.IGNORECASE)
_CI = re.compile(
    r"^\.(?:github|gitlab|circleci|buildkite|woodpecker)/|"
    r"(?:^|/)(?:\.gitlab-ci|\.travis|appveyor|azure-pipelines|bitbucket-pipelines)\.ya?ml$|"
    r"(?:^|/)Jenkinsfile$"
)


@lru_cache(_REMEMBERED)
def reading_order(path: str) -> int:
    """Return how soon a file is read where not all can be, from 0.

    Source, then settings, data and migrations, then tests, then documents, then what runs in CI.
    """
    if _CI.search(path):
        return 4
    if is_prose(path):
        return 3
    if is_test(path):
        return 2
    return 1 if language_of(path) in _SETTINGS or _MIGRATIONS.search(path) else 0


_LOCALE = re.compile(
    r"(?:^|/)(?:locales?|i18n|l10n|lang|langs|languages|translations?|intl|messages|"
    r"(?:values|[\w-]+)-(?:ar|fa|he|iw|ur|yi|ps|ckb|hi|bn|ta|te|ml|kn|gu|mr|pa|si|ne)(?:-r?\w+)?|"
    r"[\w-]+\.lproj|cldr)(?:/|$)|"
    r"\.(?:po|pot|arb|xliff|xlf|strings|stringsdict|resx|xtb|ftl|lang)$|"
    r"(?:^|[/._-])(?:ar|fa|he|iw|ur|yi|ps|ckb|hi|bn|ta|te|ml|kn|gu|mr|pa|si|ne)(?:[_-]\w+)?\."
    r"(?:json|ya?ml|properties|php|js|ts|py|rb|xml)$",
    re.IGNORECASE,
)


def is_translation(path: str) -> bool:
    """Does the path say that the file holds texts in human languages?"""
    return bool(_LOCALE.search(path))


# What stands between such lines is filled in (Angular's schematics), but for folders as Jest's are.
_CONVENTIONAL = (
    r"(?:tests?|specs?|mocks?|fixtures?|testfixtures|testdata|snapshots?|image_snapshots|screenshots|"
    r"stubs?|stories|generated|helpers?|utils?|testutils?|testing|support|data|e2e|integration|unit|"
    r"perf|benchmarks?|types?|pycache)"
)
_TEMPLATE = re.compile(
    r"(?:\{\{|\{%|__(?!"
    + _CONVENTIONAL
    + r"__/)\w+__/|(?:^|/)(?:templates?|cookiecutters?|skeletons?|scaffolds?|"
    r"archetype-resources|boilerplates?)/|"
    r"\.(?:j2|jinja2?|tmpl|tpl|erb|mustache|hbs|ejs|in|template|stub|twig|njk|liquid)(?:\.|$))",
    re.IGNORECASE,
)


def is_template(path: str) -> bool:
    """Does the path say that the file is source only after something was filled in?"""
    return bool(_TEMPLATE.search(path))


_FIXTURE_DIRECTORY = re.compile(
    r"(?:^|/)(?:[\w.-]*fixtures?|__fixtures__|__testfixtures__|testdata|test[-_](?:data|files|cases)|"
    r"corpus|corpora|fuzz\w*|snapshots?|__snapshots__|compile[-_]fail|goldens?|crashers)/"
)
# Names that mean input among tests, and something else everywhere else (`src/ui/`).
_TEST_INPUT_DIRECTORY = re.compile(
    r"(?:^|/)(?:ui|neg|pending|expected|baselines?|data|cases|inputs?|samples?|[Rr]esources)/"
)
_BAD_WORD = re.compile(
    r"(?:^|[/._-])(?:bad|invalid|broken|malformed|syntax[-_]?errors?|parse[-_]?errors?|errors?|"
    r"fail(?:s|ing|ure|ures)?|negative|wrong|incorrect|illegal|corrupt(?:ed)?|incomplete|"
    r"unterminated|unclosed|py2|python2)(?:[/._-]|\d|$)",
    re.IGNORECASE,
)
_BAD_CAMEL = re.compile(r"(?:Bad|Invalid|Broken|Malformed|SyntaxError|ParseError)")


def is_fixture(path: str) -> bool:
    """May the file be wrong on purpose: input of a test, or named as a bad example?"""
    if _FIXTURE_DIRECTORY.search(path):
        return True
    return is_test(path) and bool(
        _BAD_WORD.search(path)
        or _TEST_INPUT_DIRECTORY.search(path)
        or _BAD_CAMEL.search(_name(path))
    )
