"""Small trees, what is done to them, and whether that certainly breaks a caller.

A case is (name, base, edits, what is said): the edits replace texts in a file, the last is a part
of each title that is expected, () for silence.
"""

PYTHON = {
    "pkg/__init__.py": "",
    "pkg/text.py": (
        "import functools\n\nLIMIT = 3\n\n\ndef parse(text, strict=False):\n    return text\n\n\n"
        "class Reader:\n    def __init__(self, path):\n        self.path = path\n\n"
        "    def read(self):\n        return self.step(1)\n\n    def step(self, count):\n"
        "        return count\n"
    ),
    "cli.py": (
        "from pkg.text import LIMIT, Reader, parse\n\n\ndef main():\n"
        "    parse('x', strict=True)\n    return Reader('a').read(), LIMIT\n"
    ),
}
SCRIPT = {
    "src/text.ts": (
        "export const LIMIT = 3;\nexport function parse(text: string, strict = false) {\n"
        "  return text;\n}\nexport class Reader {\n  constructor(path: string) {}\n"
        "  read() {\n    return this.stepOnce(1);\n  }\n  stepOnce(count: number) {\n"
        "    return count;\n  }\n}\n"
    ),
    "src/cli.ts": (
        "import { parse, Reader } from './text';\nimport * as text from './text';\n"
        "parse('x');\nnew Reader('a').read();\nconsole.log(text.LIMIT);\n"
    ),
}
JSX = {
    "src/Card.jsx": "export function Card({ title }) {\n  return <p>{title}</p>;\n}\n",
    "src/App.jsx": "import { Card } from './Card';\nexport const App = () => <Card title='a' />;\n",
}
COMMON = {
    "lib/text.js": "exports.parse = function (text) {\n  return text;\n};\n",
    "lib/cli.js": "var text = require('./text');\ntext.parse('x');\n",
}
GO = {
    "go.mod": "module example.com/shop\n",
    "text/text.go": (
        "package text\n\nconst Limit = 3\n\ntype Reader struct{ n int }\n\n"
        "func Parse(s string) (string, int) { return s, 1 }\n\nfunc Join(a string, b int) string {"
        " return a }\n\nfunc Log(format string, rest ...any) {}\n\n"
        "func (r *Reader) Read() int { return r.step(1) }\n\n"
        "func (r *Reader) step(n int) int { return n }\n"
    ),
    "main.go": (
        'package main\n\nimport "example.com/shop/text"\n\nfunc main() {\n\ttext.Parse("x")\n'
        '\ttext.Join(text.Parse("x"))\n\ttext.Log("a", 1, 2)\n\tuse(text.Limit)\n}\n\n'
        "func use(n int) {}\n\nfunc read(r *text.Reader) { r.Read() }\n"
    ),
}
_JAVA = "src/main/java/com/shop"
JAVA = {
    f"{_JAVA}/text/Reader.java": (
        "package com.shop.text;\n\npublic class Reader {\n    public static final int LIMIT = 3;\n"
        "    public Reader(String path) {}\n    public static String parse(String s) { return s; }\n"
        "    public int read(int n) { return stepOnce(n); }\n"
        "    private int stepOnce(int n) { return n; }\n}\n"
    ),
    f"{_JAVA}/Main.java": (
        "package com.shop;\n\nimport com.shop.text.Reader;\n\npublic class Main {\n"
        '    int go(Reader given) {\n        Reader.parse("x");\n        Reader mine = new '
        'Reader("a");\n        return mine.read(1) + given.read(Reader.LIMIT);\n    }\n}\n'
    ),
}
RUBY = {
    "lib/shop/reader.rb": (
        "module Shop\n  LIMIT = 3\n\n  class Reader\n    def initialize(path, depth: 1)\n    end\n\n"
        "    def self.parse_all(text, strict)\n      text\n    end\n\n    def read_all(n)\n"
        "      step_once(n)\n    end\n\n    def step_once(n)\n      n\n    end\n  end\nend\n"
    ),
    "lib/shop.rb": (
        'require_relative "shop/reader"\n\nmodule Shop\n  def self.run\n'
        '    Reader.new("a", depth: 2)\n    Shop::Reader.parse_all("x", LIMIT)\n  end\nend\n'
    ),
}
SCRIPTS = {
    "web/base.js": "class Chart {\n  init() {\n    this.started = true;\n  }\n}\n",
    "web/lines.js": (
        "class Lines extends Chart {\n  start() {\n    this.init();\n    this.drawAll();\n  }\n"
        "  drawAll() {}\n}\n"
    ),
}
READER = f"{_JAVA}/text/Reader.java"
_MAIN = f"{_JAVA}/Main.java"

Edits = dict[str, tuple[tuple[str, str], ...]]
Case = tuple[str, dict[str, str], Edits, tuple[str, ...]]


def _of(tree: dict[str, str], path: str) -> "_Maker":
    return _Maker(tree, path)


class _Maker:
    """Cases about one file of one tree."""

    def __init__(self, tree: dict[str, str], path: str) -> None:
        self.tree, self.path = tree, path

    def __call__(
        self,
        name: str,
        old: str,
        new: str,
        *said: str,
        also: Edits | None = None,
        more: dict[str, str] | None = None,
    ) -> Case:
        edits: Edits = {self.path: ((old, new),), **(also or {})}
        return f"{self.path}: {name}", {**self.tree, **(more or {})}, edits, said


_py = _of(PYTHON, "pkg/text.py")
_ts = _of(SCRIPT, "src/text.ts")
_js = _of(COMMON, "lib/text.js")
_scripts = _of(SCRIPTS, "web/lines.js")
_jsx = _of(JSX, "src/Card.jsx")
_go = _of(GO, "text/text.go")
_java = _of(JAVA, READER)
_rb = _of(RUBY, "lib/shop/reader.rb")

CASES: list[Case] = [
    # Python ------------------------------------------------------------------------------------
    _py("renamed", "def parse(", "def parse_it(", "`parse` was renamed to `parse_it`"),
    _py(
        "renamed with its users", "def parse(", "def parse_it(", also={"cli.py": (("parse", "parse_it"),)}
    ),
    _py("constant gone", "LIMIT = 3\n", "", "`LIMIT` was removed"),
    _py("constant kept by a loop", "LIMIT = 3\n", "for LIMIT in range(3):\n    pass\n"),
    _py("names made up by globals()", "class Reader:", "globals()[word] = 1\n\n\nclass Book:"),
    _py("something's own globals", "class Reader:", "context.globals[word] = 1\n\n\nclass Book:", "`Reader`"),
    _py("class gone", "class Reader:", "class Book:", "`Reader` was renamed to `Book`"),
    _py("alias left", "def parse(", "parse = print\n\n\ndef parse_it("),
    _py("passed on", "def parse(", "from other import parse\n\n\ndef parse_it("),
    _py("star import from outside", "import functools\n", "from six import *\n",
        also={"pkg/text.py": (("import functools\n", "from six import *\n"), ("def parse(", "def parse_it("))}),
    _py("made up by __getattr__", "def parse(", "def __getattr__(name):\n    return globals()[name]\n\n\ndef parse_it("),
    _py("method renamed", "def step(", "def stride(", "`Reader.step` was renamed to `stride`"),
    _py("method made by a name in a string", "def step(self, count):", "for name in ['step']:\n        pass\n\n    def stride(self, count):"),
    _py("method that the class's body binds", "def step(self, count):", "from other import step\n\n    def stride(self, count):"),
    _py("method that a method of its class has for a variable", "def step(self, count):", "def stride(self, count):\n        step = count", "`Reader.step` was renamed to `stride`"),
    _py("method inherited from a base of ours", "class Reader:", "class Base:\n    def step(self, count):\n        return 1\n\n\nclass Reader(Base):",
        also={"pkg/text.py": (("class Reader:", "class Base:\n    def step(self, count):\n        return 1\n\n\nclass Reader(Base):"), ("\n    def step(self, count):\n        return count\n", "\n"))}),
    _py("method inherited from outside", "class Reader:", "class Reader(Thing):",
        also={"pkg/text.py": (("class Reader:", "class Reader(Thing):"), ("    def step(", "    def stride("))}),
    _py("required parameter added", "def parse(text,", "def parse(text, mode,", "`parse` changed"),
    _py("default parameter added", "strict=False", "strict=False, mode=None"),
    _py("keyword renamed", "strict=False", "exact=False", "passes `strict`, which it does not take"),
    _py("keyword taken by **", "strict=False", "**rest"),
    _py("fewer parameters", "def __init__(self, path)", "def __init__(self)", "`Reader.__init__` changed"),
    _py("decorated by something unknown", "def parse(text, strict=False)", "@app.wrapped\ndef parse(mode, text, strict)"),
    _py("cached", "def parse(text, strict=False)", "@functools.lru_cache\ndef parse(text)", "passes `strict`"),
    _py("made to take anything", "text, strict=False", "*args, **kwargs"),
    _py("call with *", "def parse(text,", "def parse(text, mode,", also={"cli.py": (("'x', strict=True", "*given"),)}),
    _py("same name defined in the caller", "def parse(", "def parse_it(", also={"cli.py": (("LIMIT, Reader, parse\n", "LIMIT, Reader\n\n\ndef parse(*a, **k):\n    pass\n"),)}),
    _py("hidden by a parameter", "def parse(", "def parse_it(", also={"cli.py": (("Reader, parse", "Reader"), ("def main():", "def main(parse):"))}),
    _py("hidden by a local", "def parse(", "def parse_it(", also={"cli.py": (("Reader, parse", "Reader"), ("def main():", "def main():\n    parse = print"))}),
    _py("import that may fail", "def parse(", "def parse_it(", also={"cli.py": (("from pkg.text import LIMIT, Reader, parse", "from pkg.text import LIMIT, Reader\ntry:\n    from pkg.text import parse\nexcept ImportError:\n    parse = print"),)}),
    _py("same name in another module", "def parse(", "def parse_it(", also={"cli.py": (("LIMIT, Reader, parse", "LIMIT, Reader\nfrom pkg.other import parse"),)}, more={"pkg/other.py": "def parse(text, strict):\n    pass\n"}),
    *(
        _py(f"through the package that {name} binds", "def parse(", "def parse_it(", *said, also={"cli.py": (), "pkg/__init__.py": (("parse", "parse_it"),)}, more={"pkg/__init__.py": "from .text import parse\n", "pkg/other.py": "", "pkg/more.py": "", "cli.py": text})
        for name, text, said in (
            ("an import of its module", "import pkg.other\n\npkg.parse('x')\n", ("`parse` was renamed",)),
            ("several of them", "import pkg.other\nimport pkg.more\nimport pkg\n\npkg.parse('x')\n", ("`parse` was renamed",)),
            ("no import with a name of its own", "import pkg.other as pkg\n\npkg.parse('x')\n", ()),
            ("no import, for a parameter hides it", "import pkg.other\n\n\ndef f(pkg):\n    pkg.parse('x')\n", ()),
            ("no import, for a variable hides it", "import pkg.other\n\n\ndef f():\n    pkg = g()\n    pkg.parse('x')\n", ()),
            ("no import, for a file hides it", "import pkg.other\n\n\ndef f():\n    with g() as pkg:\n        pkg.parse('x')\n", ()),
            ("an import before one that goes on", "import pkg.other\nfrom elsewhere import (\n    a,\n    b as c,\n)\n\nc(pkg.parse('x'))\n", ("`parse` was renamed",)),
            ("one of two imports", "import pkg.other\nfrom elsewhere import pkg\n\npkg.parse('x')\n", ()),
        )
    ),
    _py("through the package", "def parse(", "def parse_it(", "`parse` was renamed", also={"cli.py": ()}, more={"pkg/__init__.py": "from .text import parse\n", "cli.py": "import pkg\n\npkg.parse('x')\n"}),
    _py("unknown receiver", "def read(", "def read_all(", also={"cli.py": (("Reader('a').read()", "thing().read()"),)}),
    _py("overload that fits", "def parse(text, strict=False)", "@overload\ndef parse(text, strict): ...\n@overload\ndef parse(text, mode): ...\ndef parse(text, *rest, **more)"),
    _py("does not parse any more", "def parse(", "def parse_it(("),
    # TypeScript and JavaScript -----------------------------------------------------------------
    _ts("renamed", "function parse(", "function parseIt(", "`parse` was renamed to `parseIt`"),
    _ts("no longer exported", "export function parse", "function parse", "`parse`"),
    _ts("exported in a list", "export function parse", "export { parse };\nfunction parse"),
    _ts("exported under the old name", "function parse(", "function parseIt(", also={"src/text.ts": (("function parse(", "function parseIt("), ("export class", "export { parseIt as parse };\nexport class"))}),
    _ts("passed on by a star", "export function parse(", "export * from './more';\nfunction parseIt(", also={"src/more.ts": ()}, more={"src/more.ts": "export const parse = (t: string) => t;\n"}),
    _ts("passed on by a star from outside", "export function parse(", "export * from 'outside';\nfunction parseIt("),
    _ts("constant gone", "export const LIMIT", "export const MOST", "`LIMIT`"),
    _ts("required parameter added", "text: string,", "text: string, mode: number,", "`parse` changed"),
    _ts("optional parameter added", "strict = false", "strict = false, mode?: number"),
    _ts("rest parameter", "text: string, strict = false", "...texts: string[]"),
    _ts("overload that fits", "export function parse(text: string, strict = false)", "export function parse(text: string): string;\nexport function parse(text: string, mode: number): string;\nexport function parse(text: string, mode?: number)"),
    _ts("constructor changed", "constructor(path: string)", "constructor()", "`Reader.constructor` changed"),
    _ts("own method renamed", "  stepOnce(count", "  strideOnce(count", "`Reader.stepOnce`"),
    _ts("own method made by a name in a string", "  stepOnce(count", "  names = ['stepOnce'];\n  strideOnce(count"),
    _ts("an expected error", "text: string,", "text: string, mode: number,", also={"src/cli.ts": (("parse('x');", "// @ts-expect-error\nparse('x');"),)}),
    _ts("hidden by a parameter", "function parse(", "function parseIt(", also={"src/cli.ts": (("{ parse, Reader }", "{ Reader }"), ("parse('x');", "const f = (parse: any) => parse('x');"))}),
    _js("renamed", "exports.parse", "exports.parseIt", "`parse`"),
    _js("more parameters of plain JavaScript", "(text)", "(text, mode)"),
    _js("exports made by a loop", "exports.parse =", "Object.assign(module.exports, more);\nexports.parseIt ="),
    _jsx("component renamed", "function Card", "function Panel", "`Card`"),
    _jsx("more properties", "{ title }", "{ title, text }"),
    # Go ----------------------------------------------------------------------------------------
    _go("renamed", "func Parse", "func ParseIt", "`Parse` was renamed"),
    _go("constant gone", "const Limit", "const Most", "`Limit`"),
    _go("kept as a variable", "func Parse", "var Parse = ParseIt\n\nfunc ParseIt"),
    _go("required parameter added", "Parse(s string)", "Parse(s string, n int)", "`Parse` changed"),
    _go("made variadic", "Parse(s string)", "Parse(s string, more ...int)"),
    _go("a call of several results passed on", "b int)", "b int, c int)"),
    _go("variadic call", "format string, rest", "format string, rest2"),
    _go("method of a receiver", "step(n int)", "step(n, m int)", "`Reader.step` changed"),
    _go("method of a parameter", ") Read()", ") ReadAll()", "`Reader.Read`"),
    _go("moved within the package", "const Limit = 3\n", "", also={"text/more.go": (("", "package text\n\nconst Limit = 3\n"),)}),
    # Java --------------------------------------------------------------------------------------
    _java("static method renamed", "String parse(", "String parseIt(", "`Reader.parse`"),
    _java("static method renamed, the interface is from outside", "String parse(", "String parseIt(", "`Reader.parse`", more={READER: JAVA[READER].replace("Reader {", "Reader implements Closeable {")}),
    _java("static method changed, the interface is from outside", "parse(String s) { return s; }", "parse() { return null; }", "`Reader.parse` changed", more={READER: JAVA[READER].replace("Reader {", "Reader implements Closeable {")}),
    _java("static method changed, the base is from outside", "parse(String s) { return s; }", "parse() { return null; }", more={READER: JAVA[READER].replace("Reader {", "Reader extends Other {")}),
    _java("static method of a nested class renamed", "String parse(", "String parseIt(", "`Kind.parse`", more={READER: "package com.shop.text;\n\npublic class Reader {\n    public static class Kind {\n        public static String parse(String s) { return s; }\n    }\n}\n", _MAIN: JAVA[_MAIN].replace("Reader.parse", "Reader.Kind.parse").replace("mine.read(1) + given.read(Reader.LIMIT)", "1").replace('new Reader("a")', "null")}),
    _java("own method renamed", "int stepOnce(", "int strideOnce(", "`Reader.stepOnce`"),
    _java("method of a variable", "int read(int n)", "int readAll(int n)", "`Reader.read`"),
    _java("parameter added", "read(int n)", "read(int n, int m)", "`Reader.read` changed"),
    _java("overload left", "public int read(int n)", "public int read(int n, int m) { return n; }\n    public int read(int n)"),
    _java("made variadic", "read(int n)", "read(int... n)"),
    _java("constructor changed", "Reader(String path)", "Reader()", "`Reader.Reader` changed"),
    _java("constant gone", "LIMIT = 3", "MOST = 3", "`LIMIT`"),
    _java("inherited from a base of ours", "class Reader {", "class Reader extends Base {",
          also={READER: (("class Reader {", "class Reader extends Base {"), ("    public static String parse(String s) { return s; }\n", ""))},
          more={f"{_JAVA}/text/Base.java": "package com.shop.text;\n\nclass Base {\n    public static String parse(String s) { return s; }\n}\n"}),
    _java("inherited from outside", "class Reader {", "class Reader extends java.io.Reader {", also={READER: (("class Reader {", "class Reader extends Other {"), ("String parse(", "String parseIt("))}),
    _scripts("own method renamed, the base is another script's", "  drawAll() {}", "  drawEach() {}", "`Lines.drawAll`"),
    _scripts("own method moved to the base", "  drawAll() {}\n", "", also={"web/base.js": (("  init()", "  drawAll() {}\n  init()"),)}),
    _scripts("two scripts have that base", "  drawAll() {}", "  drawEach() {}", more={"web/other.js": "class Chart {\n}\n"}),
    _scripts("the base is nowhere", "  drawAll() {}", "  drawEach() {}", more={"web/base.js": "function nothing() {}\n"}),
    # Ruby --------------------------------------------------------------------------------------
    _rb("method of a class renamed", "def self.parse_all", "def self.parse_each", "`Reader.parse_all`"),
    _rb("own method renamed", "def step_once", "def stride_once", "`Reader.step_once`"),
    _rb("alias left", "def step_once(n)", "alias_method :step_once, :stride_once\n\n    def stride_once(n)"),
    _rb("method_missing", "def step_once(n)", "def method_missing(name, *rest)\n    end\n\n    def stride_once(n)"),
    _rb("keyword renamed", "depth: 1", "level: 1", "passes `depth:`"),
    _rb("keyword required", "depth: 1", "depth: 1, level:", "does not pass `level`"),
    _rb("keywords taken by **", "depth: 1", "**rest"),
    _rb("fewer parameters", "(text, strict)", "(text)", "`Reader.parse_all` changed"),
    _rb("optional parameter added", "(text, strict)", "(text, strict, mode = 1)"),
    _rb("made to take anything", "(text, strict)", "(*texts)"),
    _rb("class renamed", "class Reader", "class Book", "`Reader`"),
    _rb("constant gone", "LIMIT = 3", "MOST = 3", "`LIMIT`"),
    _rb("a constant that Ruby has itself", "LIMIT = 3", "MOST = 3", also={"lib/shop/reader.rb": (("  RUBY_ENGINE = 'ruby'\n", ""),), "lib/shop.rb": (("LIMIT", "RUBY_ENGINE"),)}, more={"lib/shop/reader.rb": RUBY["lib/shop/reader.rb"].replace("  LIMIT", "  RUBY_ENGINE = 'ruby'\n  LIMIT")}),
    _rb("the nearest of several constants", "class Reader", "class Book", "`Reader`", more={"lib/other.rb": "module Other\n  class Reader\n  end\nend\n"}),
    _rb("the nearest of several classes has the method", "def self.parse_all", "def self.parse_each", "`Reader.parse_all`", more={"lib/other.rb": "module Other\n  class Reader\n  end\nend\n"}),
    _rb("methods made in another class", "def self.parse_all", "def self.parse_each", "`Reader.parse_all`", more={"lib/more.rb": "module Shop\n  class Reader\n  end\n\n  class Maker\n    define_method(word) { 1 }\n  end\nend\n"}),
    _rb("methods made here", "def self.parse_all", "singleton_class.define_method(word) { 1 }\n\n    def self.parse_each"),
    _rb("methods made where nothing changes", "def self.parse_all", "def self.parse_each", "`Reader.parse_all`", more={"lib/more.rb": "module Shop\n  class Reader\n    define_method(word) { 1 }\n  end\nend\n"}),
    _rb("answers to any name where nothing changes", "def self.parse_all", "def self.parse_each", more={"lib/more.rb": "module Shop\n  class Reader\n    def self.method_missing(name)\n    end\n  end\nend\n"}),
    _rb("named in a list that changes", "def self.parse_all", "def self.parse_each", also={"lib/names.rb": (("NAMES = %i[a]", "NAMES = [:parse_all]"),)}, more={"lib/names.rb": "NAMES = %i[a]\n"}),
    _rb("called on the class of itself", "def self.parse_all", "def self.parse_each", "`lib/shop.rb:6`; `lib/shop/reader.rb:17`", more={"lib/shop/reader.rb": RUBY["lib/shop/reader.rb"].replace("      n\n", "      self.class.parse_all(n, 1)\n")}),
    _rb("ours by a name that Ruby has, too", "class Logger", "class Journal", "`Logger`", more={"lib/shop/reader.rb": "module Shop\n  class Logger\n  end\nend\n", "lib/shop.rb": "require 'logger'\nShop::Logger.new\n"}),
    _rb("Ruby's by a name that was ours, too", "class Logger", "class Journal", more={"lib/shop/reader.rb": "module Shop\n  class Logger\n  end\nend\n", "lib/shop.rb": "require 'logger'\nmodule Shop\n  Logger.new\nend\n"}),
    _rb("constant left under another value", "LIMIT = 3", "MOST = 3\n  LIMIT = MOST"),
]  # fmt: skip
