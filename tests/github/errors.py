"""What GitHub refuses, in its own words (reference: sections 2 to 5)."""

from typing import Any

from tests.github.quirks import quirk


class Refusal(Exception):
    """An answer that is not a success. `documentation` is filled in by the route."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, errors)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    def body(self, documentation: str) -> dict[str, Any]:
        """Return the answer's JSON."""
        errors = {} if self.errors is None else {"errors": self.errors}
        return {
            "message": self.message,
            **errors,
            "documentation_url": documentation,
            "status": str(self.status),
        }


@quirk("what one may not see is not there")
def not_found() -> Refusal:
    """Nothing is there, or nothing that this token may see."""
    return Refusal(404, "Not Found")


def bad_credentials() -> Refusal:
    """An unknown, expired or revoked token."""
    return Refusal(401, "Bad credentials")


@quirk("24 a permission that was not accepted, or in part")
def not_accessible(needed: str) -> Refusal:
    """The token lacks a permission; the header says which one it takes."""
    return Refusal(
        403,
        "Resource not accessible by integration",
        headers={"x-accepted-github-permissions": needed},
    )


def unprocessable(*texts: str) -> Refusal:
    """A review's refusal: its errors are strings."""
    return Refusal(422, "Unprocessable Entity", list(texts))


def validation_failed(resource: str, code: str, field: str, message: str) -> Refusal:
    """A refusal of most other routes: its errors are objects."""
    error = {"resource": resource, "code": code, "field": field, "message": message}
    return Refusal(422, "Validation Failed", [error])


@quirk("a body that the schema does not have is refused")
def invalid_request(reason: str) -> Refusal:
    """A body that does not fit the schema: no list of errors at all."""
    return Refusal(422, f"Invalid request.\n\n{reason}")
