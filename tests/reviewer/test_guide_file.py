"""Files of instructions for some paths: what they may hold, and what is wrong with them."""

import pytest

from reviewer.globs import named
from reviewer.guide_file import is_scoped, parse
from reviewer.policy import MAX_GLOBS
from reviewer.policy_file import BadPolicy

BODY = "\n# Rules\n\nName the tenant.\n"


def made(front: str, body: str = BODY) -> bytes:
    return f"---\n{front}\n---{body}".encode()


@pytest.mark.parametrize(
    ("front", "paths"),
    [
        ('applyTo: "**/*.ts,**/*.tsx"', ["**/*.ts", "**/*.tsx"]),
        ("applyTo: 'src/**, *.py'\ndescription: 'Names, all'", ["src/**", "*.py"]),
        ('applyTo: "**"', ["**"]),
        ('applyTo: ["a/*.py", "b/**"]', ["a/*.py", "b/**"]),
        ('applyTo: "**/*.{ts,tsx},go/**"', ["**/*.ts", "**/*.tsx", "go/**"]),
        ('applyTo: "{a,b}/*.{c,d}"', ["a/*.c", "a/*.d", "b/*.c", "b/*.d"]),
        ("applyTo: **/*.py", ["**/*.py"]),
        ("applyTo: *.{ts,tsx}, './x  # all", ["*.ts", "*.tsx", "'./x"]),
        ("description: x\napplyTo:\n  - **/*.py\n  - 'a/**'", ["**/*.py", "a/**"]),
        ("applyTo: './src/**, ./*.py'", ["src/**", "*.py"]),
        ('applyTo: "a/**,,a/**"\nexcludeAgent: coding-agent', ["a/**"]),
    ],
)
def test_paths_are_globs_with_commas_a_list_or_braces(front: str, paths: list[str]):
    guide = parse("x", made(front), 100)
    assert guide is not None
    assert list(guide.paths) == paths
    assert (guide.name, guide.text, guide.left) == ("x", "# Rules\n\nName the tenant.", 0)


def test_the_documented_ways_to_name_all_files_name_all():
    for glob in ("**", "*", "**/*"):
        guide = parse("x", made(f'applyTo: "{glob}"'), 100)
        assert guide is not None
        assert named("README.md", guide.paths) and named("a/b/c.py", guide.paths)


def test_line_ends_a_mark_at_the_start_and_a_rule_below_change_nothing():
    raw = b"\xef\xbb\xbf---\r\napplyTo: 'a/**'\r\n--- \r\nOne.\r\n\r\n---\r\nTwo.\r\n"
    guide = parse("x", raw, 100)
    assert guide is not None
    assert guide.text == "One.\n\n---\nTwo."


def test_what_is_too_long_is_cut_and_counted():
    guide = parse("x", made("applyTo: '**'", "\n" + "a" * 105), 100)
    assert guide is not None
    assert (len(guide.text), guide.left) == (100, 5)


@pytest.mark.parametrize(
    "raw",
    [
        made("applyTo: '**'", "\n \n"),
        made("applyTo: '**'\nexcludeAgent: \"code-review\""),
        b"Name the tenant.\n",
        b"",
        made("description: x"),
        made("# nothing"),
    ],
)
def test_one_that_says_nothing_names_no_paths_or_is_not_for_reviews_is_left_out(raw: bytes):
    assert parse("x", raw, 100) is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"---\napplyTo: '**'\nNo end.\n", "`applyTo`"),
        (made("- a\n- b"), "`applyTo`"),
        (made("applyTo: []"), "`applyTo`"),
        (made("applyTo: ','"), "0 globs"),
        (made("applyTo: {a: b}"), "should be text"),
        (made("applyTo: [**/*.py]"), "line 2: "),
        (made("applyTo:"), "`applyTo`"),
        (made("applyTo: ["), "line "),
        (made("applyTo: !!python/name:os.system x"), "tags are not read"),
        (made("applyTo: 'a/../b'"), "is no path"),
        (made("applyTo: '[ab'"), "nothing follows or closes"),
        (made("applyTo: '" + "a" * 201 + "'"), "longer than 200"),
        (made("applyTo: '" + ",".join(f"a{n}" for n in range(MAX_GLOBS + 1)) + "'"), "101 globs"),
        (made("applyTo: '" + "{a,b}" * 300 + "'"), "more than 100 globs"),
        (made("x: " + "[" * 50 + "]" * 50), "nested deeper"),
        (b"---\n\x00\n---\nText\n", "does not allow"),
    ],
)
def test_a_broken_one_says_what_is_wrong(raw: bytes, why: str):
    with pytest.raises(BadPolicy) as raised:
        parse("x", raw, 100)
    assert why in raised.value.problem


def test_only_files_of_that_name_in_that_folder_are_meant():
    assert is_scoped(".github/instructions/api.instructions.md")
    assert is_scoped(".github/instructions/web/ui.instructions.md")
    for path in (
        ".github/instructions/api.md",
        "instructions/a.instructions.md",
        ".github/instructions",
    ):
        assert not is_scoped(path)
