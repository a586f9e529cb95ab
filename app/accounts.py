"""What jobs that make commits are asked, and what they say of themselves: one name for each."""

from reviewer.fix.request import FixRequest
from reviewer.fix.values import Fixing
from reviewer.refactor.request import RefactorRequest
from reviewer.refactor.values import Refactoring
from reviewer.testing.request import TestingRequest
from reviewer.testing.values import Testing

WritingRequest = RefactorRequest | FixRequest | TestingRequest
Account = Refactoring | Fixing | Testing
