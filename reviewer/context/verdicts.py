"""What can be said of a use of a name and a definition of it: all scores in one table.

Set by hand on the repositories that `benchmarks/context.py` marks as tuned, reported on the others.
CERTAIN is what the language's own rules say; nothing else may reach it. Below zero lies what speaks
against it; it is shown all the same, last.
"""

from dataclasses import dataclass

from reviewer.context.values import Certainty
from reviewer.parsing.symbols import UseKind

EXACT, LIKELY, NAME = Certainty.EXACT, Certainty.LIKELY, Certainty.NAME

CERTAIN = 10.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a use fits a definition; `why` in a few words."""

    score: float
    certainty: Certainty
    why: str


# Of what is defined at the top of a file
SAME_FILE = Verdict(CERTAIN, EXACT, "in the same file")
IMPORTED = Verdict(9.5, EXACT, "imported from there")
BY_MODULE = Verdict(9.5, EXACT, "by its module")
OFFERED_ON = Verdict(9.0, EXACT, "by a module that offers it on")
SAME_PACKAGE = Verdict(9.0, EXACT, "in the same package")
ALL_OF_FILE = Verdict(8.0, LIKELY, "everything of that file is imported")
ALL_FROM_THERE = Verdict(7.0, LIKELY, "everything is imported from there")
FROM_THAT_FILE = Verdict(6.0, LIKELY, "imported from that file")
BY_NAMED_MODULE = Verdict(6.0, LIKELY, "by a module of that name")
BY_NAMED_RECEIVER = Verdict(4.0, LIKELY, "by something that is called like its module")
PATH_STRING = Verdict(5.0, LIKELY, "a string that names it by its path")
ONLY_ONE_BY_NAME = Verdict(3.0, NAME, "the only definition of that name")
BY_NAME = Verdict(1.0, NAME, "the name alone")
UNKNOWN_IMPORT = Verdict(0.0, NAME, "imported from where it is not defined")
ONLY_ONE_STRING = Verdict(0.0, NAME, "a string of that name")
OTHER_IMPORT = Verdict(-1.0, NAME, "imported from elsewhere")
ONLY_ONE_MEMBER = Verdict(-1.0, NAME, "a member of something")
STRING = Verdict(-2.0, NAME, "a string of that name")
MEMBER = Verdict(-2.0, NAME, "a member of something")
OTHER_MODULE = Verdict(-2.0, NAME, "of another module")
NOT_IMPORTED = Verdict(-2.0, NAME, "not imported")
OWN_FILE = Verdict(-3.0, NAME, "defined in its own file")
OTHER_FILE = Verdict(-4.0, NAME, "imported from another file")
OUTSIDE = Verdict(-4.0, NAME, "imported from outside")
PARAMETER = Verdict(-4.0, NAME, "a parameter of the same name")
OTHER_MEMBER = Verdict(-4.0, NAME, "a member of another class")
ARGUMENT = Verdict(-4.0, NAME, "the name of an argument")
OTHER_PACKAGE = Verdict(-5.0, NAME, "of another package")

# Of a member of a class
SAME_CLASS = Verdict(CERTAIN, EXACT, "in the same class")
BY_CLASS = Verdict(9.5, EXACT, "by its class")
EXTENDING_CLASS = Verdict(9.0, EXACT, "in a class that extends it")
SAME_SCOPE = Verdict(9.0, LIKELY, "in the same scope")
OF_CLASS = Verdict(8.0, LIKELY, "the receiver is of that class")
OF_NAMED_CLASS = Verdict(7.0, LIKELY, "the receiver is of a class of that name")
OF_EXTENDING = Verdict(6.0, LIKELY, "the receiver is of a class that extends it")
OF_EXTENDED = Verdict(4.0, LIKELY, "the receiver is of a class that it extends")
EXTENDED_CLASS = Verdict(4.0, LIKELY, "in a class that it extends")
OUT_OF_CLASS = Verdict(-1.0, NAME, "outside of any class")
HAS_ITS_OWN = Verdict(-2.0, NAME, "another class that has it")
OTHER_CLASS = Verdict(-3.0, NAME, "in another class")
BEYOND = Verdict(-3.0, NAME, "what its own class extends")
OF_OTHER = Verdict(-3.0, NAME, "the receiver is of another class")
BARE = Verdict(-4.0, NAME, "a bare name")

# What a receiver of unknown type adds up from
ONLY_ONE = 3.0
RESEMBLES = 2.5
NAMED_ALIKE = 2.5
BESIDE_CLASS = 2.5
FILE_USES_CLASS = 2.0
CLASS_FILE = 2.0
FILE_IMPORTS = 1.5
FITS, TOO_FEW, MISFITS = 1.0, -1.0, -1.5
CALLED = 0.5

# What is added to every verdict
FOLDERS = 1.5  # times the share of folders in common
IN_TESTS = -0.3
KINDS = {UseKind.CALL: 1.0, UseKind.OVERRIDE: 0.8, UseKind.DECORATOR: 0.8, UseKind.IMPORT: -0.2}
