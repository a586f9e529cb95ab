"""Files of the npm packages that the tests use, pinned in tests/npm/package-lock.json."""

from pathlib import Path

PACKAGES = Path(__file__).parents[2] / ".make" / "npm" / "node_modules"


def package_file(package: str, path: str) -> Path:
    """Find a file of a package; fail with what to run if it is not installed."""
    found = PACKAGES / package / path
    assert found.exists(), f"{package} has no {path} in .make/npm: run make test, which installs it"
    return found
