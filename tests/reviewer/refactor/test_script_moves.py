"""Whole files of JavaScript and TypeScript that are moved by paths, over trees in memory."""

from collections.abc import Mapping

import pytest

from reviewer.context.provider import Provider
from reviewer.errors import GiveUp
from reviewer.refactor.script_moves import move_script
from reviewer.refactor.symbols import Done
from reviewer.refactor.values import ModuleMove
from tests.reviewer.refactor.test_module_moves import texts
from tests.reviewer.refactor.trees import overlay

OLD, NEW = "src/money.ts", "src/shop/prices.ts"
TREE = {
    OLD: "import { round } from './math/round.js';\nimport './money.css';\nimport type { T } from \"../types\";\n"
    "export * from '.';\nconst data = require('./data.json?raw');\nexport const lazy = () => import(`./lazy`);\n"
    "export function format(x: number): string { return `./${round(x)}`; }\n",
    "src/index.ts": "export const one = 1;\n",
    "src/math/round.ts": "export const round = (x: number) => x;\n",
    "types.ts": "export type T = number;\n",
}


def moved(files: Mapping[str, str], old: str = OLD, new: str = NEW, **said: bool) -> Done:
    made = overlay(files)
    with Provider(made.start.objects) as context:
        return move_script(ModuleMove(path=old, to=new, **said), context, made)


def user(text: str, path: str, **move: str) -> str:
    """What a file is after a move; nobody is told of anything."""
    done = moved({**TREE, path: text}, **move)
    assert not done.leads, done.leads
    return texts(done).get(path) or text


def test_a_file_goes_with_its_own_imports_as_they_are_written() -> None:
    done = moved(TREE)
    assert not done.leads
    assert texts(done) == {
        OLD: None,
        NEW: "import { round } from '../math/round.js';\nimport '../money.css';\n"
        "import type { T } from \"../../types\";\nexport * from '..';\n"
        "const data = require('../data.json?raw');\nexport const lazy = () => import(`../lazy`);\n"
        "export function format(x: number): string { return `./${round(x)}`; }\n",
    }


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("src/view.ts", "import { format } from './money';\n", "import { format } from './shop/prices';\n"),
        ("src/view.ts", "import type F, { format as f } from \"./money.js\";\n", "import type F, { format as f } from \"./shop/prices.js\";\n"),
        ("src/view.ts", "import m = require('./money.ts');\n", "import m = require('./shop/prices.ts');\n"),
        ("src/deep/a.tsx", "export { format } from '../money';\nexport * as m from '../money'\n", "export { format } from '../shop/prices';\nexport * as m from '../shop/prices'\n"),
        ("src/shop/b.js", "const { format } = require('../money');\n", "const { format } = require('./prices');\n"),
        ("use.mjs", "const m = await import('./src/money');\n", "const m = await import('./src/shop/prices');\n"),
        ("src/v.ts", "import {\n  format, // './money'\n} from './money?worker';\n", "import {\n  format, // './money'\n} from './shop/prices?worker';\n"),
        ("src/money.test.ts", "import { format } from './money';\njest.mock('./money', () => ({}));\nvi.importActual<typeof import('./money')>('./money');\n", "import { format } from './shop/prices';\njest.mock('./shop/prices', () => ({}));\nvi.importActual<typeof import('./shop/prices')>('./shop/prices');\n"),
        ("src/w.ts", "new Worker(new URL('./money.ts', import.meta.url));\nrequire.resolve('./money');\n", "new Worker(new URL('./shop/prices.ts', import.meta.url));\nrequire.resolve('./shop/prices');\n"),
        ("src/x.ts", "// import './money'\nimport '../money';\nimport './moneys';\n", "// import './money'\nimport '../money';\nimport './moneys';\n"),
        ("src/d.ts", "import './math/round';\ndeclare module './money' { }\n", "import './math/round';\ndeclare module './shop/prices' { }\n"),
    ],
)  # fmt: skip
def test_whoever_imports_it_names_its_new_path(path: str, before: str, after: str) -> None:
    assert user(before, path) == after


@pytest.mark.parametrize(
    ("old", "new", "path", "before", "after"),
    [
        ("lib/index.ts", "lib/all.ts", "a.ts", "from './lib'", "from './lib/all'"),
        ("lib/index.ts", "core/index.ts", "a.ts", "from './lib'", "from './core'"),
        ("lib/index.ts", "core/index.ts", "a.ts", "from './lib/'", "from './core/'"),
        (
            "lib/index.ts",
            "core/index.ts",
            "a.ts",
            "from './lib/index.js'",
            "from './core/index.js'",
        ),
        ("lib/index.ts", "core/index.ts", "lib/a.ts", "from '.'", "from '../core'"),
        ("lib/index.ts", "core/index.ts", "core/a.ts", "from '../lib'", "from './index'"),
        ("lib/one.ts", "one/index.ts", "lib/a.ts", "from './one'", "from '../one'"),
        ("lib/one.ts", "one/index.ts", "a.ts", "from './lib/one.js'", "from './one/index.js'"),
    ],
)
def test_index_files_are_their_folders(
    old: str, new: str, path: str, before: str, after: str
) -> None:
    files = {old: "export const one = 1;\n", path: f"export {{ one }} {before};\n"}
    assert texts(moved(files, old, new))[path] == f"export {{ one }} {after};\n"


def test_an_index_that_another_file_would_hide_is_named() -> None:
    files = {"lib/one.ts": "export const one = 1;\n", "one.ts": "", "a.ts": "import './lib/one';\n"}
    assert texts(moved(files, "lib/one.ts", "one/index.ts"))["a.ts"] == "import './one/index';\n"


def test_what_is_only_perhaps_a_path_is_told() -> None:
    files = TREE | {
        "src/view.ts": "import './money';\nconst path = './money';\n",
        OLD: TREE[OLD] + "export const here = __dirname + './data.json';\n",
    }
    done = moved(files)
    assert ["const path = './money';" in text for text in done.leads["src/view.ts"]] == [True]
    assert ["./data.json" in text for text in done.leads[NEW]] == [True, False]
    assert "__dirname" in done.leads[NEW][1]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/a.test.ts", "const q = (s) => { return /`/.test(s); };\njest.mock('./money', () => ({}));\n"),
        ("src/a.tsx", "export const C = () => <p>Don`t</p>;\nconst L = lazy(() => import('./money'));\n"),
        ("src/a.js", "/** @type {import('./money').T} */\nlet q;\n"),
        ("src/a.ts", "/// <reference path=\"./money.ts\" />\n"),
    ],
)  # fmt: skip
def test_what_is_behind_a_quote_that_is_none_is_told(path: str, text: str) -> None:
    text = f"import {{ format }} from './money';\n{text}"
    done = moved(TREE | {path: text})
    row = next(line for line in text.split("\n")[1:] if "./money" in line)
    assert [row in said for said in done.leads[path]] == [True]
    new = f"lib/{path.rpartition('/')[2]}"
    assert row in moved(TREE | {path: text}, path, new).leads[new][0]


@pytest.mark.parametrize(
    ("text", "shim"),
    [
        ("export const a = 1;\n", "export * from './shop/prices';\n"),
        ("export default 1\n", "export * from './shop/prices'\nexport { default } from './shop/prices'\n"),
        ("import { b } from './index.js';\nexport { b };\n", "export * from './shop/prices.js';\n"),
    ],
)  # fmt: skip
def test_the_old_path_can_hand_on_what_is_public(text: str, shim: str) -> None:
    done = moved({**TREE, OLD: text}, shim=True)
    assert texts(done)[OLD] == shim


MODULE = {"package.json": '{"type": "module"}'}
NODE = {
    "package.json": "{}",
    "tsconfig.json": '{"compilerOptions": {"moduleResolution": "nodenext"}}',
}


@pytest.mark.parametrize(
    ("files", "old", "path"),
    [
        ({}, "src/a.mjs", "./b/a.mjs"),
        ({}, "src/a.mts", "./b/a.mjs"),
        ({}, "src/a.cts", "./b/a.cjs"),
        ({"src/u.js": "import { one } from './a.js';\n"}, "src/a.js", "./b/a.js"),
        ({"src/u.ts": "import './a.js';\nimport './a';\n"}, "src/a.ts", "./b/a.js"),
        (MODULE, "src/a.js", "./b/a.js"),
        (MODULE, "src/a.ts", "./b/a"),
        (MODULE | {"src/package.json": "{}"}, "src/a.js", "./b/a"),
        (NODE, "src/a.ts", "./b/a.js"),
        ({"src/u.ts": "import './a';\n"}, "src/a.ts", "./b/a"),
    ],
)
def test_the_old_path_names_the_new_one_so_that_it_is_found(
    files: dict[str, str], old: str, path: str
) -> None:
    new = f"src/b/{old.rpartition('/')[2]}"
    done = moved({old: "export const one = 1;\n", **files}, old, new, shim=True)
    assert texts(done)[old] == f"export * from '{path}';\n"


ALIAS = {"tsconfig.json": '{"compilerOptions": {"paths": {"@app/*": ["./src/*"]}}}'}
VITE = {"vite.config.ts": "export default { resolve: { alias: { '~lib': '/src' } } };\n"}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (ALIAS | {"a.ts": "import '@app/money';\n"}, "a.ts names it by an alias, @app/money"),
        (VITE | {"a.ts": "import '~lib/money';\n"}, "a.ts may name it by an alias, ~lib/money"),
        ({"vite.config.ts": "export default { alias: { money: './src/money' } };\n"}, "vite.config.ts names it"),
        ({"package.json": '{"exports": {".": "./src/money.js"}}'}, "package.json names it"),
        ({"src/tsconfig.json": '{"files": ["./money.ts"]}'}, "src/tsconfig.json names it"),
        ({"package.json": '{"dependencies": {"next": "1"}}', "__move": "pages/a.ts"}, "a framework may find"),
        ({"src/App.vue": "<script>\nimport { format } from './money'\n</script>\n"}, "is not parsed here"),
        ({"index.html": '<script src="/src/money.ts"></script>\n'}, "is not parsed here"),
        # By all of its path or the end of it, without "./".
        ({"src/package.json": '{"main": "money.ts"}'}, "src/package.json names it"),
        ({"src/package.json": '{"main": "money"}'}, "src/package.json names it"),
        ({"src/package.json": '{"main": "money.js"}'}, "src/package.json names it"),
        ({"src/package.json": '{"scripts": {"start": "node money.js"}}'}, "src/package.json names it"),
        ({"src/package.json": '{"scripts": {"start": "node money"}}'}, "src/package.json names it"),
        ({"package.json": '{"scripts": {"start": "cd src && ts-node money.ts"}}'}, "package.json names it"),
        ({"jest.config.js": "module.exports = { setupFiles: ['<rootDir>/src/money.ts'] };\n"}, "jest.config.js names it"),
        ({"jest.config.js": "module.exports = { rootDir: 'src', setupFiles: ['<rootDir>/money.ts'] };\n"}, "jest.config.js names it"),
        ({"webpack.config.js": "entry = path.join(__dirname, 'src', 'money.ts');\n"}, "webpack.config.js names it"),
        ({"webpack.config.js": "entry = path.resolve(__dirname, 'src', 'money');\n"}, "webpack.config.js names it"),
        ({"config/vite.config.ts": "export default { entry: '../src/money.ts' };\n"}, "config/vite.config.ts names it"),
        ({"package.json": '{"exports": {"./*": "./src/*.js"}}'}, "package.json names it"),
        ({"package.json": '{"exports": {"./*": {"import": "./src/*.ts"}}}'}, "package.json names it"),
        ({"vitest.config.ts": "export default { include: ['src/**/*.{ts,tsx}'] };\n", "__move": "lib/money.ts"}, "vitest.config.ts names it"),
        ({"tsconfig.json": '{"include": ["./src/**/m*"]}'}, "tsconfig.json names it"),
        ({"src/web/index.html": '<script src="money.ts"></script>\n'}, "is not parsed here"),
        ({"index.html": '<script src="src/money.js"></script>\n'}, "is not parsed here"),
        ({"src/a.html": "<script src=money.ts></script>\n"}, "is not parsed here"),
        ({"t/a.twig": "{{ asset('src/money.ts') }}\n"}, "is not parsed here"),
        ({"src/App.vue": "<script>\nimport { format } from '@/money'\n</script>\n"}, "is not parsed here"),
        (ALIAS | {"src/App.vue": "<script>\nimport { format } from '@app/money'\n</script>\n"}, "is not parsed here"),
        ({"__old": "shop/static/shop/cart.js", "shop/static/shop/cart.js": "export {};\n", "__move": "shop/cart.js"}, "by its address"),
        # By a pattern, or as one of a folder.
        ({"src/a.ts": "import.meta.glob('./*.ts');\n"}, "loads what lies in a folder"),
        ({"a.ts": "import.meta.glob(['./src/**/*.ts']);\n"}, "loads what lies in a folder"),
        ({"a.ts": "import.meta.glob('/src/*.ts');\n"}, "loads what lies in a folder"),
        ({"a.ts": "const load = (n) => import(`./src/${n}`);\n"}, "loads what lies in a folder"),
        ({"src/a.js": "const load = (n) => require('./' + n);\n"}, "loads what lies in a folder"),
        ({"a.js": "require.context('.', true, /ts$/);\n"}, "loads what lies in a folder"),
        ({"src/shop/a.ts": "import.meta.glob('./*.ts');\n"}, "loads what lies in a folder"),
        ({"src/all.js": "fs.readdirSync(__dirname).map((f) => require(path.join(__dirname, f)));\n"}, "loads what lies in its folder"),
        ({OLD: "export const load = (n) => import(`../lang/${n}`);\n"}, "loads what lies in a folder"),
        ({"src/shop/prices.js": ""}, "is there already"),
        ({"src/shop/prices/a.ts": ""}, "is there already"),
        ({"src/money.d.ts": ""}, "is there already"),
        ({"src/__mocks__/money.ts": ""}, "is there already"),
        ({"src/__snapshots__/money.ts.snap": ""}, "is there already"),
        ({OLD: "// @generated\nexport const a = 1;\n"}, "src/money.ts is not moved"),
        ({"__move": "vendor/money.ts"}, "vendor/money.ts is not moved"),
        ({OLD: "import './money';\n"}, "imports itself"),
        ({OLD: "import './it\\'s';\n"}, "in a way that was not found"),
        ({"__move": "src/it's/money.ts"}, "no path that an import can name"),
        ({"__move": "src/${x}/money.ts"}, "no path that an import can name"),
        ({OLD: "import a from 'raw-loader!./a.txt';\n"}, "a bundler's loader"),
        ({OLD: "import '../../a';\n"}, "outside of the repository"),
        ({OLD: "import {\n"}, "does not parse"),
        ({"src/a.ts": "import './money';\nimport {\n"}, "does not parse"),
        ({"vendor/a.ts": "import '../src/money';\n"}, "would have to change"),
        ({"src/shop/package.json": '{"imports": {"#x": "./x.ts"}}', "package.json": '{"imports": {"#x": "./x.ts"}}', "x.ts": "", "src/shop/x.ts": "", OLD: "import '#x';\n"}, "something else in another folder"),
    ],
)  # fmt: skip
def test_it_is_declined_where_something_else_may_name_it(files: dict[str, str], why: str) -> None:
    old, new = files.get("__old", OLD), files.get("__move", NEW)
    files = {path: text for path, text in files.items() if not path.startswith("__")}
    with pytest.raises(GiveUp, match=why):
        moved(TREE | files, old, new)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"name": "money", "main": "money.js", "money.ts": 1}'),
        ("lib/package.json", '{"main": "money.ts", "scripts": {"money": "x"}}'),
        ("src/package.json", '{"scripts": {"money": "make"}}'),
        ("package.json", '{"exports": {"./src/*": "./lib/*"}, "files": ["dist/*"]}'),
        ("vitest.config.ts", "export default { include: ['src/**/*.{ts,tsx}', '!src/*.ts'] };\n"),
        ("tsconfig.json", '{"include": ["src/**/*", "test/*"]}'),
        ("lib/jest.config.js", "module.exports = { setupFiles: ['./money.ts'] };\n"),
        ("web/index.html", '<script src="https://x.org/src/money.ts"></script>\n'),
        ("web/index.html", '<script src="/dist/money.js"></script> money <b>src/moneys.ts</b>\n'),
        ("src/App.vue", "<script>\nimport a from '@vue/money'\nimport b from './moneys'\n</script>\n"),
        ("a.ts", "export const load = (n) => import(`./src/${n}.json`);\n"),
        ("a.ts", "export const load = (n) => import(`./${n}`), one = import(`./b`);\n"),
        ("lib/a.ts", "import.meta.glob('./**/*.ts'); require.context('./x'); readdirSync(__dirname);\n"),
        ("README.md", "`money.ts` and 'src/money.ts'\n"),
        ("a.ts", "// money.ts, and 'vendor/money.ts', 'other_money.ts'\n"),
        ("conf.yaml", "file: src/money.ts\n"),
    ],
)  # fmt: skip
def test_what_names_another_file_declines_nothing(path: str, text: str) -> None:
    done = moved(TREE | {path: text})
    assert texts(done)[NEW] is not None
    assert not done.leads
    assert not done.notes


def test_strings_of_other_code_are_told_and_files_that_are_no_code_named() -> None:
    rows = {
        "admin.py": "js = ['money.ts']",
        "tools/build.js": "const entry = path.join('src', 'money.ts');",
        "lib/run.rb": 'run "src/money.ts"',
    }
    others = {"Makefile": "all:\n\tcd src && node money.ts\n", "ci.yml": "run: node ./money.ts\n"}
    done = moved(TREE | rows | others)
    assert {path: [rows[path] in said for said in done.leads[path]] for path in rows} == {
        path: [True] for path in rows
    }
    assert done.leads.keys() == rows.keys()
    assert [note.split(" may name")[0] for note in done.notes] == ["Makefile", "ci.yml"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("src/money.ts", "src/money.tsx"),
        ("a.d.ts", "b.d.ts"),
        ("vite.config.ts", "other.config.ts"),
        ("a.vue", "b.vue"),
    ],
)
def test_only_files_of_code_are_moved_under_their_ending(old: str, new: str) -> None:
    with pytest.raises(GiveUp):
        moved({old: "export {};\n"}, old, new)
    assert texts(moved({"a.mts": "export {};\n"}, "a.mts", "lib/b.mts")) == {
        "a.mts": None,
        "lib/b.mts": "export {};\n",
    }


LIB = {"lib/index.ts": "export const one = 1;\n", "a.ts": "import './lib';\n"}


@pytest.mark.parametrize(
    ("files", "old", "why"),
    [
        (LIB | {"lib/package.json": '{"name": "x"}'}, "lib/index.ts", "lib has a package.json"),
        (
            {"m.ios.ts": "", "m.android.ts": "", "a.ts": "import './m';\n"},
            "m.ios.ts",
            "may be another file",
        ),
        (
            {"m.ts": "", "a.tsx": "const a = <p>Don't</p>, b = require('./m');\n"},
            "m.ts",
            "in a way that was not found, ./m",
        ),
    ],
)
def test_an_import_of_which_it_is_not_sure_declines_it(
    files: dict[str, str], old: str, why: str
) -> None:
    with pytest.raises(GiveUp, match=why):
        moved(files, old, f"deep/{old.rpartition('/')[2]}")


def test_a_framework_of_another_package_says_nothing() -> None:
    files = {"m.ts": "export {};\n", "web/package.json": '{"dependencies": {"next": "1"}}'}
    assert texts(moved(files, "m.ts", "pages/m.ts"))["pages/m.ts"] == "export {};\n"


def test_an_index_is_looked_for_with_its_folder() -> None:
    files = {**LIB, "b.py": "NAMES = [\n" + "    'core/index.ts', 'index.ts',\n" * 2_100 + "]\n"}
    assert not moved(files, "lib/index.ts", "deep/lib/index.ts").leads
    told = moved({**LIB, "b.py": "NAME = 'lib/index.ts'\n"}, "lib/index.ts", "deep/lib/index.ts")
    assert ["'lib/index.ts'" in text for text in told.leads["b.py"]] == [True]
