"""What jobs that make commits are asked, and what they say of themselves: one name for each."""

from reviewer.finding import Finding
from reviewer.fix.request import FixRequest
from reviewer.fix.values import Fixing
from reviewer.refactor.request import RefactorRequest
from reviewer.refactor.values import Refactoring
from reviewer.testing.request import TestingRequest
from reviewer.testing.values import Testing

WritingRequest = RefactorRequest | FixRequest | TestingRequest
Account = Refactoring | Fixing | Testing

_SECRETS = "detector:secrets"


def secrets_of(account: Account) -> list[Finding]:
    """Return what detectors say of secrets that commits would add: none of them leaves then."""
    return [one for one in account.findings if one.source.partition("/")[0] == _SECRETS]
