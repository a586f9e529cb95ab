"""The rules of ruff that a reviewer can say out loud, each with what it costs when it is right.

Chosen by running ruff's correctness and security rules over release-to-release changes of public
projects and reading each alarm. Left out, because they were wrong or said nothing there: B004,
B018, B023, B039, PLE0211, PLE0704, PLW0127, PLW1508, PLW1641, PT015, S102, S301, S302, S321, S503,
S504, LOG014, LOG015, YTT204, F822, ASYNC109, ASYNC115, ASYNC119, FAST003; and everything about
style. `python_lint` has further conditions for some of those that stayed. `OURS` has what is said
of changes that were made here alone.
"""

from dataclasses import dataclass

from reviewer.finding import Category, Severity

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_BUG, _SECURITY = Category.CORRECTNESS, Category.SECURITY
_CONCURRENCY, _TESTS = Category.CONCURRENCY, Category.TESTS


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: how bad, how sure, and the sentence that says why it fails.

    `in_tests` is False for what tests do on purpose. `title` stands where ruff's own words are
    advice on style rather than the claim.
    """

    severity: Severity
    category: Category
    confidence: float
    why: str
    in_tests: bool = True
    title: str = ""


_FORMAT = "The format string and its values do not fit together, so this line raises when it runs."
_UNUSED_VALUE = "A value is passed that the format string never prints, so the message lacks it."
_LOGGING = (
    "The logging call's values do not fit its format string, so the handler prints a traceback "
    "to stderr and the message is lost."
)
_NEVER_RAISED = "The exception is built and thrown away: without `raise` nothing happens here."
_RETURN_TYPE = "Python checks what this special method returns and raises TypeError for this."
_BLOCKING = (
    "This call blocks the event loop: until it returns, no other task of the process makes "
    "progress."
)
_SHELL = (
    "The command is put together at run time and given to a shell, so a value with `;`, `$()` or a "
    "quote in it runs commands of its own. Pass a list of arguments, without a shell."
)
_CERTIFICATE = (
    "The server's certificate is not checked, so whoever sits between can read and change the "
    "traffic."
)
_SIGNATURE_STRIP = (
    "`strip` takes a set of characters, not a prefix or suffix: it also eats letters of the text "
    "itself. Use `removeprefix` or `removesuffix`."
)

OURS: dict[str, Rule] = {
    "F822": Rule(
        _HIGH,
        _BUG,
        0.9,
        "`__all__` lists what this file does not define any more: `import *` of it raises "
        "AttributeError.",
    ),
}
"""Of authors' changes it is as often meant as not; a rename or a move of ours never means it."""

QUOTED = Rule(
    _MEDIUM,
    _BUG,
    0.85,
    "An annotation in quotes names what this file does not define any more: whoever reads it (a "
    "type checker, `typing.get_type_hints`, a dataclass's users) fails.",
)
"""F821 within a string, of changes that were made here."""

RULES: dict[str, Rule] = {
    # Names
    "F821": Rule(
        _HIGH,
        _BUG,
        0.9,
        "The name is not defined in this file: NameError when it runs.",
    ),
    "F823": Rule(
        _HIGH,
        _BUG,
        0.85,
        "The local variable is read before it is set: UnboundLocalError.",
    ),
    "F811": Rule(
        _MEDIUM,
        _BUG,
        0.85,
        "The later definition silently replaces the earlier one, which can never run.",
    ),
    # Formatting
    "F501": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F502": Rule(_HIGH, _BUG, 0.85, _FORMAT),
    "F503": Rule(_HIGH, _BUG, 0.85, _FORMAT),
    "F505": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F506": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F507": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F508": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F509": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F521": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F524": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F525": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "F504": Rule(_LOW, _BUG, 0.8, _UNUSED_VALUE),
    "F522": Rule(_LOW, _BUG, 0.8, _UNUSED_VALUE),
    "F523": Rule(_LOW, _BUG, 0.8, _UNUSED_VALUE),
    "PLE1205": Rule(_MEDIUM, _BUG, 0.85, _LOGGING),
    "PLE1206": Rule(_MEDIUM, _BUG, 0.85, _LOGGING),
    "PLE1300": Rule(_HIGH, _BUG, 0.9, _FORMAT),
    "PLE1307": Rule(_HIGH, _BUG, 0.8, _FORMAT),
    "G101": Rule(
        _HIGH,
        _BUG,
        0.85,
        "`extra` uses a name that log records already have, so the call raises KeyError.",
    ),
    # Conditions that are not what they look like
    "F631": Rule(_HIGH, _TESTS, 0.95, "A tuple is always true: this assertion can never fail."),
    "F634": Rule(_HIGH, _BUG, 0.95, "A tuple is always true: the other branch can never run."),
    "F632": Rule(
        _MEDIUM,
        _BUG,
        0.9,
        "`is` compares identity: with a literal the answer depends on what the interpreter caches.",
    ),
    "F633": Rule(
        _MEDIUM,
        _BUG,
        0.9,
        "`print >>` is Python 2: here it shifts, and prints nothing.",
    ),
    "B015": Rule(
        _MEDIUM,
        _TESTS,
        0.85,
        "The comparison's result is thrown away. An `assert` or an assignment is missing.",
    ),
    "SIM222": Rule(
        _MEDIUM,
        _BUG,
        0.75,
        "One side is always true, so the whole condition is.",
        in_tests=False,
    ),
    "SIM223": Rule(
        _MEDIUM,
        _BUG,
        0.7,
        "One side is always false, so the whole condition is.",
        in_tests=False,
    ),
    "PLW0129": Rule(
        _MEDIUM,
        _TESTS,
        0.9,
        "The asserted string is a constant: this can never fail (or pass).",
    ),
    "RUF040": Rule(
        _MEDIUM,
        _TESTS,
        0.9,
        "What follows the comma is only the message: the value is never compared. Use `==`.",
    ),
    "PLW0711": Rule(
        _HIGH,
        _BUG,
        0.95,
        "`except A or B` catches only A: the expression is evaluated first. Use a tuple.",
    ),
    # Exceptions
    "PLW0133": Rule(_MEDIUM, _BUG, 0.9, _NEVER_RAISED),
    "F901": Rule(
        _MEDIUM,
        _BUG,
        0.9,
        "`NotImplemented` is not an exception: raising it is a TypeError. Use NotImplementedError.",
    ),
    "B016": Rule(_HIGH, _BUG, 0.9, "Only exceptions can be raised: this is a TypeError."),
    "B012": Rule(
        _MEDIUM,
        _BUG,
        0.7,
        "Leaving a `finally` block this way drops any exception on its way, without a trace.",
    ),
    "B025": Rule(_LOW, _BUG, 0.9, "The second handler for the same exception can never run."),
    "B029": Rule(_MEDIUM, _BUG, 0.95, "An empty tuple catches nothing."),
    "B030": Rule(_HIGH, _BUG, 0.8, "This is no exception class: matching it raises TypeError."),
    # Values shared by accident
    "B006": Rule(
        _MEDIUM,
        _BUG,
        0.85,
        "The default is made once, and the function changes it: what one call leaves in it, the "
        "next call finds. Use None and make it inside.",
        in_tests=False,
        title="A mutable default argument is shared by all calls",
    ),
    "B035": Rule(_HIGH, _BUG, 0.9, "The key never changes, so only the last item is kept."),
    "RUF008": Rule(_HIGH, _BUG, 0.85, "A mutable default in a dataclass is shared or refused."),
    "RUF024": Rule(
        _HIGH,
        _BUG,
        0.85,
        "All keys share one mutable value: a change to one changes all.",
    ),
    "RUF026": Rule(
        _HIGH,
        _BUG,
        0.9,
        "`default_factory` by keyword becomes a key; the factory is not set.",
    ),
    # Loops, calls and types
    "B002": Rule(
        _MEDIUM,
        _BUG,
        0.9,
        "Python has no `++`: this is plus plus x, and changes nothing.",
    ),
    "B003": Rule(
        _LOW,
        _BUG,
        0.8,
        "Assigning to os.environ does not change the environment of child processes.",
        in_tests=False,
    ),
    "B005": Rule(_MEDIUM, _BUG, 0.85, _SIGNATURE_STRIP),
    "B020": Rule(_LOW, _BUG, 0.7, "The loop variable overwrites what the loop goes over."),
    "B031": Rule(
        _MEDIUM,
        _BUG,
        0.75,
        "A group of itertools.groupby can be read once: the second is empty.",
    ),
    "B032": Rule(
        _MEDIUM,
        _BUG,
        0.85,
        "This is an annotation without a value, not an assignment: use `=`.",
    ),
    "F601": Rule(_LOW, _BUG, 0.8, "The key is there twice: only the last value is kept."),
    "F621": Rule(_HIGH, _BUG, 0.9, "Too many names to unpack into."),
    "F622": Rule(_HIGH, _BUG, 0.9, "Only one starred name can be unpacked into."),
    "PLE0101": Rule(_HIGH, _BUG, 0.9, "`__init__` may only return None: this raises TypeError."),
    "PLE0237": Rule(
        _HIGH,
        _BUG,
        0.85,
        "The attribute is not in `__slots__`: setting it raises AttributeError.",
    ),
    "PLE0241": Rule(_HIGH, _BUG, 0.95, "The same base twice: the class cannot be made."),
    "PLE0302": Rule(_HIGH, _BUG, 0.8, "Python calls this special method with other arguments."),
    "PLE0303": Rule(_HIGH, _BUG, 0.85, _RETURN_TYPE),
    "PLE0304": Rule(_HIGH, _BUG, 0.85, _RETURN_TYPE),
    "PLE0305": Rule(_HIGH, _BUG, 0.85, _RETURN_TYPE),
    "PLE0307": Rule(_HIGH, _BUG, 0.85, _RETURN_TYPE),
    "PLE0308": Rule(_HIGH, _BUG, 0.85, _RETURN_TYPE),
    "PLE0309": Rule(_HIGH, _BUG, 0.85, _RETURN_TYPE),
    "PLE0604": Rule(_MEDIUM, _BUG, 0.85, "`__all__` must hold strings: `import *` raises here."),
    "PLE0605": Rule(_MEDIUM, _BUG, 0.8, "`__all__` must be a list or a tuple of strings."),
    "PLE0643": Rule(_HIGH, _BUG, 0.9, "The index is beyond the end of the sequence: IndexError."),
    "PLE1132": Rule(_HIGH, _BUG, 0.9, "The keyword is given twice: TypeError when it runs."),
    "PLE1507": Rule(_HIGH, _BUG, 0.85, "The name of an environment variable must be a string."),
    "PLE1519": Rule(_HIGH, _BUG, 0.9, "`singledispatch` cannot dispatch a method on `self`."),
    "PLE1520": Rule(_HIGH, _BUG, 0.85, "`singledispatchmethod` works on methods only."),
    "PLW0131": Rule(_LOW, _BUG, 0.9, "The named expression's name is never readable."),
    "PLW0245": Rule(_HIGH, _BUG, 0.9, "`super` is not called, so this looks up `super` itself."),
    "PLW1501": Rule(_HIGH, _BUG, 0.9, "This is not a mode of `open`: ValueError when it runs."),
    "PLW2101": Rule(
        _HIGH,
        _CONCURRENCY,
        0.9,
        "The lock is made in the `with` line itself, so nobody else can hold it: it locks nothing.",
    ),
    "RUF016": Rule(_HIGH, _BUG, 0.9, "This type cannot be indexed this way: TypeError."),
    "RUF030": Rule(_LOW, _TESTS, 0.9, "`print` returns None, which then is the whole message."),
    "RUF032": Rule(
        _MEDIUM,
        _BUG,
        0.75,
        "A float literal carries its binary error into the Decimal. Pass a string.",
        in_tests=False,
    ),
    # Asynchronous code
    "RUF006": Rule(
        _MEDIUM,
        _CONCURRENCY,
        0.75,
        "The event loop keeps only a weak reference to a task: without one of yours it may be "
        "collected before it ends, and its exception is never seen.",
        in_tests=False,
    ),
    "ASYNC105": Rule(_HIGH, _BUG, 0.9, "The coroutine is never awaited, so nothing happens."),
    "ASYNC210": Rule(_MEDIUM, _CONCURRENCY, 0.85, _BLOCKING, in_tests=False),
    "ASYNC212": Rule(_MEDIUM, _CONCURRENCY, 0.8, _BLOCKING, in_tests=False),
    "ASYNC220": Rule(_LOW, _CONCURRENCY, 0.75, _BLOCKING, in_tests=False),
    "ASYNC221": Rule(_MEDIUM, _CONCURRENCY, 0.8, _BLOCKING, in_tests=False),
    "ASYNC222": Rule(_MEDIUM, _CONCURRENCY, 0.8, _BLOCKING, in_tests=False),
    "ASYNC251": Rule(_MEDIUM, _CONCURRENCY, 0.9, _BLOCKING, in_tests=False),
    # Security: never silenced by a comment of the change, never reported in tests and tools
    "S103": Rule(_MEDIUM, _SECURITY, 0.7, "Any user of the machine can change the file.", False),
    "S201": Rule(
        _HIGH,
        _SECURITY,
        0.75,
        "Flask's debugger runs code for whoever reaches an error page.",
        False,
    ),
    "S306": Rule(
        _MEDIUM,
        _SECURITY,
        0.85,
        "Another process can take the name before it is used.",
        False,
    ),
    "S307": Rule(
        _MEDIUM,
        _SECURITY,
        0.6,
        "`eval` runs whatever its argument says, with this process's rights.",
        False,
    ),
    "S323": Rule(_HIGH, _SECURITY, 0.8, _CERTIFICATE, False),
    "S501": Rule(_HIGH, _SECURITY, 0.85, _CERTIFICATE, False),
    "S506": Rule(
        _HIGH,
        _SECURITY,
        0.85,
        "This loader builds any Python object that the YAML names.",
        False,
    ),
    "S507": Rule(
        _HIGH,
        _SECURITY,
        0.75,
        "An unknown host key is accepted, so any host can pose as it.",
        False,
    ),
    "S602": Rule(_HIGH, _SECURITY, 0.65, _SHELL, False),
    "S605": Rule(_HIGH, _SECURITY, 0.7, _SHELL, False),
    "S608": Rule(
        _HIGH,
        _SECURITY,
        0.6,
        "A value is put into the SQL text, so whoever chooses it can change the query. Pass it as "
        "a parameter.",
        False,
    ),
    "S612": Rule(_MEDIUM, _SECURITY, 0.8, "Who reaches the port can run code through it.", False),
}
