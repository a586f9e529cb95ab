"""Two releases of a public package as two commits of a bare repository: a huge and real change."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHO = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]


def built(folder: Path, package: str, old: str, new: str) -> Path:
    """Return the repository, with the branches `old` and `new`; made on the first run."""
    repo = folder / "repo.git"
    if (repo / "refs/heads/new").exists():
        return repo
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "--bare", str(repo)], check=True)
    parent: list[str] = []
    for branch, version in (("old", old), ("new", new)):
        commit = _committed(folder, repo, f"{package}=={version}", parent)
        subprocess.run(
            ["git", "--git-dir", str(repo), "update-ref", f"refs/heads/{branch}", commit],
            check=True,
        )
        parent = ["-p", commit]
    return repo


def _committed(folder: Path, repo: Path, wanted: str, parent: list[str]) -> str:
    """Download a wheel by name, and commit what is in it."""
    git = ["git", "--git-dir", str(repo)]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        wheels, tree = Path(name, "wheels"), Path(name, "tree")
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*download, "--only-binary=:all:", "-d", str(wheels), wanted], check=True)
        zipfile.ZipFile(next(wheels.glob("*.whl"))).extractall(tree)
        subprocess.run([*git, "--work-tree", str(tree), "add", "--all", "--force", "."], check=True)
    written = subprocess.check_output([*git, "write-tree"], text=True).strip()
    made = [*git, *WHO, "commit-tree", written, *parent, "-m", wanted]
    return subprocess.check_output(made, text=True).strip()
