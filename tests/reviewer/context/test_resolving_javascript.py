"""Which files an import of JavaScript or TypeScript means."""

import json

import pytest

from reviewer.context.resolving.relaxed_json import relaxed_json
from reviewer.context.values import Resolved
from tests.reviewer.context.trees import Tree, means, module, of

PLAIN = (
    "src/a.ts src/b.tsx src/c.js src/c.d.ts src/d.vue src/e.json src/f/index.ts src/g.mts "
    "src/h.d.ts src/both.ts src/both/index.ts src/k.ios.js src/k.android.js index.js"
)
MAPPED = {
    "tsconfig.json": """{
        // Comments and trailing commas are usual here.
        "extends": "./config/base",
        "compilerOptions": { "paths": { "@/*": ["./src/*"], "exact": ["src/one.ts"], }, },
    }""",
    "config/base.json": '{"extends": "../tsconfig.json", "compilerOptions": {"baseUrl": ".."}}',
    "src/one.ts": "",
    "src/two/index.tsx": "",
    "src/three/four.ts": "",
    "package.json": '{"name": "top", "dependencies": {"src": "1"}}',
}
WORKSPACE = {
    "package.json": '{"name": "top", "private": true}',
    "packages/core/package.json": json.dumps(
        {
            "name": "@scope/core",
            "main": "dist/core.js",
            "exports": {
                ".": {"types": "./dist/core.d.ts", "import": "./dist/core.mjs"},
                "./util": "./dist/helpers/util.js",
                "./features/*": {"import": "./dist/features/*.js"},
            },
            "imports": {"#own/*": "./src/*.ts", "#out": "lodash"},
        }
    ),
    "packages/core/src/index.ts": "",
    "packages/core/src/core.ts": "",
    "packages/core/src/helpers/util.ts": "",
    "packages/core/src/features/x.ts": "",
    "packages/core/src/deep/y.ts": "",
    "packages/plain/package.json": '{"name": "plain"}',
    "packages/plain/src/index.ts": "",
    "packages/plain/lib/z.js": "",
    "packages/old/package.json": '{"name": "old", "main": "./entry"}',
    "packages/old/entry.js": "",
    "app/main.ts": "",
    "test/fixtures/react/package.json": '{"name": "react"}',
    "test/fixtures/react/index.js": "",
}


@pytest.mark.parametrize(
    ("tree", "importer", "written", "files", "inside"),
    [
        (PLAIN, "src/x.ts", "./a", "src/a.ts", True),
        (PLAIN, "src/x.ts", "./b", "src/b.tsx", True),
        (PLAIN, "src/x.ts", "./c", "src/c.js src/c.d.ts", True),
        (PLAIN, "src/x.ts", "./c.js", "src/c.js src/c.d.ts", True),
        (PLAIN, "src/x.ts", "./a.js", "src/a.ts", True),
        (PLAIN, "src/x.ts", "./b.jsx", "src/b.tsx", True),
        (PLAIN, "src/x.ts", "./g.mjs", "src/g.mts", True),
        (PLAIN, "src/x.ts", "./d.vue", "src/d.vue", True),
        (PLAIN, "src/x.ts", "./d", "src/d.vue", True),
        (PLAIN, "src/x.ts", "./e.json", "src/e.json", True),
        (PLAIN, "src/x.ts", "./f", "src/f/index.ts", True),
        (PLAIN, "src/x.ts", "./f/", "src/f/index.ts", True),
        (PLAIN, "src/f/x.ts", ".", "src/f/index.ts", True),
        (PLAIN, "src/f/x.ts", "./", "src/f/index.ts", True),
        (PLAIN, "src/x.ts", "..", "index.js", True),
        (PLAIN, "src/x.ts", "./h", "src/h.d.ts", True),
        (PLAIN, "src/x.ts", "./both", "src/both.ts", True),
        (PLAIN, "src/x.ts", "./both/", "src/both/index.ts", True),
        (PLAIN, "src/x.js", "./k", "src/k.ios.js src/k.android.js", True),
        (PLAIN, "src/x.ts", "./a?worker", "src/a.ts", True),
        (PLAIN, "src/x.ts", "!!raw-loader!./a", "src/a.ts", True),
        (PLAIN, "src/x.ts", "./generated/types", "", True),  # the build may make it
        (PLAIN, "src/x.ts", "../../a", "", False),  # leaves the tree
        (PLAIN, "src/x.ts", "/src/a", "", False),
        (PLAIN, "src/x.ts", "react", "", False),
        (PLAIN, "src/x.ts", "node:fs", "", False),
        (MAPPED, "src/x.ts", "@/two", "src/two/index.tsx", True),
        (MAPPED, "src/x.ts", "@/gone", "", True),
        (MAPPED, "src/x.ts", "exact", "src/one.ts", True),
        (MAPPED, "src/x.ts", "src/three/four", "src/three/four.ts", True),
        (MAPPED, "src/x.ts", "src/gone", "", False),  # there is a package of that name
        (MAPPED, "src/x.ts", "three/four", "", False),
        ({"jsconfig.json": '{"compilerOptions": {"baseUrl": "src"}}', "src/a/b.js": ""}, "src/c.js", "a/b", "src/a/b.js", True),
        ({"jsconfig.json": '{"compilerOptions": {"baseUrl": "src"}}', "src/a/b.js": ""}, "src/c.js", "a/gone", "", True),
        ({"package.json": "{}", "src/a.vue": ""}, "src/b/c.ts", "@/a.vue", "src/a.vue", True),
        ({"tsconfig.json": '{"references": [{"path": "./tsconfig.app.json"}]}', "tsconfig.app.json": '{"compilerOptions": {"paths": {"~/*": ["./app/*"]}}}', "app/a.ts": ""}, "b.ts", "~/a", "app/a.ts", True),
        (WORKSPACE, "app/main.ts", "@scope/core", "packages/core/src/core.ts", True),
        (WORKSPACE, "app/main.ts", "@scope/core/util", "packages/core/src/helpers/util.ts", True),
        (WORKSPACE, "app/main.ts", "@scope/core/features/x", "packages/core/src/features/x.ts", True),
        (WORKSPACE, "app/main.ts", "@scope/core/deep/y", "packages/core/src/deep/y.ts", True),
        (WORKSPACE, "app/main.ts", "@scope/core/gone", "", True),
        (WORKSPACE, "app/main.ts", "@scope/other", "", False),
        (WORKSPACE, "app/main.ts", "plain", "packages/plain/src/index.ts", True),
        (WORKSPACE, "app/main.ts", "plain/lib/z", "packages/plain/lib/z.js", True),
        (WORKSPACE, "app/main.ts", "../packages/old", "packages/old/entry.js", True),
        (WORKSPACE, "app/main.ts", "react", "", False),  # what test data calls itself
        (WORKSPACE, "packages/core/src/a.ts", "#own/core", "packages/core/src/core.ts", True),
        (WORKSPACE, "packages/core/src/a.ts", "#own/gone", "", True),
        (WORKSPACE, "packages/core/src/a.ts", "#out", "", False),
        (WORKSPACE, "packages/core/src/a.ts", "#unknown", "", False),
    ],
)  # fmt: skip
def test_import(tree: Tree, importer: str, written: str, files: str, inside: bool) -> None:
    assert means(tree, importer, f"import '{written}'") == Resolved(
        tuple(files.split()), "", inside
    )


def test_every_way_of_importing_means_the_same() -> None:
    for source in ("export * from './a'", "const a = require('./a')", "const a = import('./a')"):
        assert means(PLAIN, "src/x.ts", source).files == ("src/a.ts",)


def test_folders_that_name_each_other_as_their_entry_mean_nothing() -> None:
    tree = {
        "a/package.json": '{"main": "../b"}',
        "b/package.json": '{"main": "../a"}',
        "c.js": "",
    }
    assert means(tree, "c.js", "import './a'") == Resolved((), "", True)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("src/a.ts", ("a",)),
        ("src/user-settings.ts", ("settings",)),
        ("src/f/index.ts", ()),  # "." from beside it
        ("packages/core/src/core.ts", ()),  # the package's name, or ".."
        ("packages/core/src/helpers/util.ts", ("util",)),
        ("packages/old/entry.js", ()),
    ],
)
def test_spelling(path: str, words: tuple[str, ...]) -> None:
    assert of(WORKSPACE | {path: ""}).spellings(path) == words


def test_a_file_that_a_tsconfig_renames_has_no_spelling() -> None:
    tree = {"tsconfig.json": '{"compilerOptions": {"paths": {"ui": ["src/kit.ts"]}}}'}
    assert of(tree | {"src/kit.ts": ""}).spellings("src/kit.ts") == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "//no", /* yes */ "b": [1, 2,],} // end', {"a": "//no", "b": [1, 2]}),
        ('\ufeff{"a": ",}"}', {"a": ",}"}),
        ('{"a": "\\"/*"}', {"a": '"/*'}),
        ("[1]", {}),
        ('{"a": ', {}),
        ("", {}),
        ("[" * 100_000, {}),
        ('"' + '\\"' * 100_000, {}),
        ("/*" * 100_000, {}),
        ("," * 100_000 + " " * 100_000, {}),
    ],
    ids=range(10),
)
def test_json_as_people_write_it(text: str, value: dict[str, object]) -> None:
    assert relaxed_json(text.encode()) == value


def test_a_large_package_json_is_not_read() -> None:
    big = '{"name": "big", "x": "' + "x" * 1_000_000 + '"}'
    tree = {"big/package.json": big, "big/index.js": "", "a.js": ""}
    assert of(tree).resolve("a.js", module("big")) == Resolved()


def test_settings_of_the_wrong_shape_say_nothing() -> None:
    shapes = [
        "[]",
        '"x"',
        "1",
        "null",
        "{}",
        '{"a": 1}',
        '[{"path": 3}]',
        '{".": {"x": [null, 3]}}',
    ]
    for shape in shapes:
        tree = {
            "package.json": f'{{"name": {shape}, "exports": {shape}, "imports": {shape}, "main": {shape}}}',
            "tsconfig.json": f'{{"extends": {shape}, "references": {shape}, "compilerOptions": {{"paths": {shape}, "baseUrl": {shape}}}}}',
            "src/a.ts": "",
        }
        asked = of(tree)
        for name in ("./a", "x", "#x", "@/a", "x/y", ".."):
            asked.resolve("src/b.ts", module(name))
        assert asked.resolve("src/b.ts", module("./a")).files == ("src/a.ts",)
        assert asked.spellings("src/a.ts") in ((), ("a",))
