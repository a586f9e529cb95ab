"""How each language says what a file defines, uses and imports."""

from reviewer.languages import Language
from reviewer.parsing.languages.clike import CPP, C
from reviewer.parsing.languages.csharp import CSHARP
from reviewer.parsing.languages.golang import GO
from reviewer.parsing.languages.java import JAVA
from reviewer.parsing.languages.javascript import JAVASCRIPT, TSX, TYPESCRIPT
from reviewer.parsing.languages.kotlin import KOTLIN
from reviewer.parsing.languages.php import PHP
from reviewer.parsing.languages.python import PYTHON
from reviewer.parsing.languages.ruby import RUBY
from reviewer.parsing.languages.rust import RUST
from reviewer.parsing.languages.walk import Strategy

STRATEGIES: dict[Language, Strategy] = {
    Language.C: C,
    Language.CPP: CPP,
    Language.CSHARP: CSHARP,
    Language.GO: GO,
    Language.JAVA: JAVA,
    Language.JAVASCRIPT: JAVASCRIPT,
    Language.KOTLIN: KOTLIN,
    Language.PHP: PHP,
    Language.PYTHON: PYTHON,
    Language.RUBY: RUBY,
    Language.RUST: RUST,
    Language.TSX: TSX,
    Language.TYPESCRIPT: TYPESCRIPT,
}
