"""Where a pull request left its base, by the API: what git could only tell with the history.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

from typing import Annotated, Any

import github
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.github.client import connect, request
from app.github.errors import calls
from app.github.wanted import Wanted
from reviewer.errors import RlmError

PATIENCE_S = 10
"""Git finds the same commit by itself, only not as fast: nobody waits for a server in trouble."""


class _Commit(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    sha: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]


class _Comparison(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    merge_base_commit: _Commit


def merge_base(wanted: Wanted, token: SecretStr | None) -> str | None:
    """Ask for the merge base of the two commits; None where the API does not tell, for any reason.

    Two commits without a common ancestor are a 404, and so is what the token may not see.
    """
    auth = github.Auth.Token(token.get_secret_value()) if token else None
    client = connect(wanted.server, auth, timeout_s=PATIENCE_S)
    # One commit a page: of the answer, only what is above the list of commits is of use.
    path = f"/repos/{wanted.repository}/compare/{wanted.base}...{wanted.head}?per_page=1"
    try:
        with calls(wanted.server, "ask for the merge base"):
            raw: Any = request(client, "GET", path)
            return _Comparison.model_validate(raw).merge_base_commit.sha
    except RlmError:
        return None
    finally:
        client.close()
