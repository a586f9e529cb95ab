"""What may be put between the lines of a test file, and what switches a test of it off."""

import pytest

from reviewer.languages import Language
from reviewer.testing.insertions import not_added
from tests.reviewer.testing.test_additions import BEFORE, NEW

TS, PY, RB, GO = Language.TYPESCRIPT, Language.PYTHON, Language.RUBY, Language.GO
JS = """\
import { a } from "../src/a";

describe("a", () => {
  it("x", () => {
    expect(a()).toBe(1);
  });

  it.each([
    [1, 2],
  ])("adds %i", (one, two) => {
    expect(a(one)).toBe(two);
  });
});
"""
MARKED = "@slow\n@fast\ndef test_one():\n    pass\n\n\n@slow\ndef test_two():\n    pass\n"
MARKED_NEW = "@slow\n@fast\ndef test_new():\n    pass\n\n\n"
JS_IN = '\n  it("new", () => {\n    const b = a(2);\n    expect(b).toBe(2);\n  });\n'
JS_NEW = '\nit("new", () => {\n  const b = a(2);\n  expect(b).toBe(2);\n});\n'
RUBY = """\
require "spec_helper"

RSpec.describe Cart do
  it "totals" do
    expect(Cart.total).to eq(1)
  end
end
"""
RUBY_NEW = '\n  it "is new" do\n    expect(Cart.total([])).to eq(0)\n  end\n'
RB_ENDS = "eq(1)\n  end\n"
GOLANG = """\
package a

import "testing"

func TestOne(t *testing.T) {
\trequire.Equal(t, 1, One())
}
"""
GO_NEW = "\nfunc TestNew(t *testing.T) {\n\trequire.Equal(t, 2, Two())\n}\n"
JAVA = """\
import org.junit.Test;

class CartTest {
    @Test
    void one() {
        assertEquals(1, cart.total());
    }
}
"""
JAVA_NEW = "    @Test\n    void none() {\n        assertEquals(0, cart.count());\n    }\n\n"
RUST = "use shop::cart;\n\n#[test]\nfn one() {\n    assert_eq!(cart(), '\"'.len_utf8());\n}\n"


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        (PY, BEFORE, BEFORE + NEW),
        (PY, BEFORE, BEFORE.replace("import cart", "import cart, labels") + NEW),
        (PY, BEFORE, BEFORE.replace("import pytest\n", "import math\n\nimport pytest\n") + NEW),
        (PY, BEFORE, BEFORE.replace("\n\nclass TestMore", f"{NEW}\n\nclass TestMore")),
        (PY, BEFORE, BEFORE + "\n    def test_three(self):\n        assert True\n"),
        (PY, BEFORE, BEFORE.replace("[1, 1],\n", "[1, 1],\n            [2],\n")),
        (PY, BEFORE, BEFORE + '\n\n@pytest.mark.parametrize(\n    "n",\n    [1],\n)' + NEW[1:]),
        (PY, BEFORE, BEFORE + '\n\nLONG = """\ntext: (\n"""\n' + NEW),
        (PY, BEFORE, BEFORE + '\n\nMOST = 3\n"""Of them."""\n' + NEW),
        (PY, MARKED, MARKED.replace("@slow", f"{MARKED_NEW}@slow", 1) + "\n\n" + MARKED_NEW[:-2].replace("new", "more")),
        (PY, BEFORE, BEFORE + NEW.replace("()", "(new)").replace(":\n", ':\n    """It is ``0``.\n\n    So; ``0`` (it) } is.\n    """\n')),
        (TS, JS, JS + JS_NEW),
        (TS, JS, JS.replace("(1);\n  });\n", "(1);\n  });\n" + JS_IN)),
        (TS, JS, JS.replace("[1, 2],\n", "[1, 2],\n    [2, 3],\n")),
        (TS, JS, JS.replace("{ a }", "{ a, c }") + JS_NEW),
        (RB, RUBY, RUBY.replace(RB_ENDS, RB_ENDS + RUBY_NEW)),
        (RB, RUBY, RUBY.replace("Cart do\n", "Cart do\n" + RUBY_NEW[1:] + "\n")),
        (GO, GOLANG, GOLANG + GO_NEW),
        (GO, GOLANG, GOLANG.replace("\nfunc TestOne", GO_NEW + "\nfunc TestOne")),
        (Language.JAVA, JAVA, JAVA.replace("    @Test\n", JAVA_NEW + "    @Test\n")),
        (Language.RUST, RUST, RUST + RUST[RUST.index("\n#[") :].replace("one", "new")),
    ],
)  # fmt: skip
def test_tests_cases_and_imports_are_added(language: Language, before: str, after: str) -> None:
    assert before != after and not_added(before, after, language) is None


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        (PY, BEFORE, BEFORE.replace("cart\n", "cart\n\npytestmark = pytest.mark.skip\n", 1) + NEW),
        (PY, BEFORE, BEFORE.replace("from shop", "from fakes") + NEW),
        (PY, BEFORE, BEFORE.replace("import cart", "import fake as cart") + NEW),
        (PY, BEFORE, BEFORE.replace("import cart\n", "import cart\nfrom f import cart\n") + NEW),
        (PY, BEFORE, BEFORE + "\n\ndel test_one\n" + NEW),
        (PY, BEFORE, BEFORE + "\n\ntest_one.__test__ = False\n" + NEW),
        (PY, BEFORE, BEFORE + "\n\ncart.total = len\n" + NEW),
        (PY, BEFORE, BEFORE + NEW.replace("test_new", "test_one")),
        (PY, BEFORE, BEFORE + "\n\ntest_one = None\n" + NEW),
        (PY, BEFORE, BEFORE + NEW + "\n\ntest_more = 1; test_one = 2\n"),
        (PY, BEFORE, BEFORE.replace("class TestMore", "@pytest.mark.slow\nclass TestMore") + NEW),
        (PY, BEFORE, BEFORE.replace("    @pytest.mark.slow", "    x = 1\n\n\nclass Other:\n    @pytest.mark.slow")),
        (PY, BEFORE, BEFORE.replace("\n\nclass TestMore", '\n\nX = """\n\nclass TestMore') + '\n"""\n' + NEW),
        (PY, BEFORE, BEFORE + "\n\n@pytest.fixture(autouse=True)\ndef off():\n    pass\n" + NEW),
        (PY, BEFORE, BEFORE + "\n\nif True:\n    test_one.x = 1\n" + NEW),
        (TS, JS, JS.replace('"x", () => {\n', '"x", () => {\n    return;\n') + JS_NEW),
        (TS, JS, JS.replace("describe(", 'describe.skip("o", () => {\ndescribe(') + "});\n" + JS_NEW),
        (TS, JS, JS.replace("describe(", 'describe("o", () => {\ndescribe(') + "});\n" + JS_NEW),
        (TS, JS, JS.replace("describe(", "/*\ndescribe(") + "*/\n" + JS_NEW),
        (TS, JS, JS.replace("../src/a", "./fake") + JS_NEW),
        (TS, JS, JS.replace("\n\n", '\njest.mock("../src/a", () => ({ a: () => 1 }));\n\n', 1) + JS_NEW),
        (TS, JS, JS + JS_NEW.replace("});", "}); a.x = 1;")),
        (TS, JS, JS.replace("{\n  it", "{\n  beforeEach(() => a.off());\n  it", 1) + JS_NEW),
        (RB, RUBY, RUBY.replace("do\n    expect", "do\n    skip\n    expect")),
        (RB, RUBY, RUBY.replace("do\n    expect", "do\n    next\n    expect")),
        (RB, RUBY, RUBY.replace("eq(1)\n", 'eq(1)\n  it "new" do\n  end\n')),
        (RB, RUBY.replace("expect(C", 'expect(require("./a").c, C'), RUBY.replace("    expect(Cart.total).to eq(1)\n", "")),
        (GO, GOLANG, GOLANG.replace("\trequire.Equal(t, 1, One())\n", "") + GO_NEW),
        (GO, GOLANG, GOLANG + GO_NEW + "\nfunc TestMain(m *testing.M) {\n}\n"),
        (Language.JAVA, JAVA, JAVA.replace("    @Test\n", "    @Disabled\n    @Test\n")),
        (None, JS, JS + JS_NEW),
    ],
)  # fmt: skip
def test_no_test_is_switched_off_or_run_on_something_else(
    language: Language | None, before: str, after: str
) -> None:
    assert before != after and not_added(before, after, language) is not None
