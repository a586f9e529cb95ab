"""The repositories that cross-file context is measured on, and which of them weights were tuned on.

Only a repository that is held out is judged by the bounds.
"""

import argparse
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

KEPT = {
    "python": (".py", ".pyi"),
    "typescript": (".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs", ".json"),
    "go": (".go", "go.mod", "go.sum"),
}
"""What of a tree a server needs to see: how the names of the files end."""


@dataclass(frozen=True, slots=True)
class Repo:
    """`roots` are the folders that Python's modules are imported from, besides the top.

    `settings` is the file with the options that its TypeScript is compiled with.
    """

    name: str
    language: str
    held_out: bool
    roots: tuple[str, ...] = ()
    settings: str = "tsconfig.json"


REPOS = (
    Repo("pallets/flask", "python", False, ("src",)),
    Repo("psf/requests", "python", False, ("src",)),
    Repo("celery/celery", "python", False),
    Repo("ansible/ansible", "python", False, ("lib", "test/lib")),
    Repo("sympy/sympy", "python", True),
    Repo("scrapy/scrapy", "python", True),
    Repo("vuejs/core", "typescript", False),
    Repo("honojs/hono", "typescript", True, settings="tsconfig.base.json"),
    Repo("renovatebot/renovate", "typescript", True),
    Repo("prometheus/prometheus", "go", False),
    Repo("gin-gonic/gin", "go", False),
    Repo("hashicorp/terraform", "go", True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where the repositories are, which are meant, and where results are kept."""
    parser.add_argument("only", nargs="*", metavar="OWNER/NAME", help="some of the repositories")
    parser.add_argument(
        "--repos",
        required=True,
        metavar="TEMPLATE",
        help="where their git directories are, with {owner} and {name} in it",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".make/context"), help="a folder for what is found"
    )


def chosen(options: argparse.Namespace) -> list[Repo]:
    """Return the repositories that are meant; SystemExit for a name that is none."""
    unknown = set(options.only) - {repo.name for repo in REPOS}
    if unknown:
        raise SystemExit(f"no such repository here: {', '.join(sorted(unknown))}")
    return [repo for repo in REPOS if not options.only or repo.name in options.only]


def git_dir(options: argparse.Namespace, repo: Repo) -> Path:
    owner, _, name = repo.name.partition("/")
    return Path(options.repos.format(owner=owner, name=name))


def file_of(options: argparse.Namespace, repo: Repo, kind: str) -> Path:
    """Return where a result about a repository is kept."""
    options.cache.mkdir(parents=True, exist_ok=True)
    return Path(options.cache, f"{repo.name.replace('/', '+')}.{kind}.json")


def check_out(git: Path, sha: str, language: str, into: Path) -> None:
    """Write the files of a language of one commit into a folder, which is made anew.

    By blob, as `git archive` refuses a tree that has one blob too few, whatever it is asked for.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    wanted = []
    for row in git_text(git, "ls-tree", "-r", "-z", sha).split("\0"):
        head, _, path = row.partition("\t")
        inside = ".." not in PurePosixPath(path).parts and not path.startswith("/")
        if head.startswith("100") and inside and path.endswith(KEPT[language]):
            wanted.append((head.split()[2], path))
    command = ["git", f"--git-dir={git}", "cat-file", "--batch", "--buffer"]
    asked = "".join(f"{blob}\n" for blob, _ in wanted).encode()
    with tempfile.TemporaryFile() as questions:
        questions.write(asked)
        questions.seek(0)
        with subprocess.Popen(command, stdin=questions, stdout=subprocess.PIPE) as child:
            for _, path in wanted:
                head = child.stdout.readline().split()
                if len(head) != 3:
                    continue  # missing
                file = into / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(child.stdout.read(int(head[2])))
                child.stdout.read(1)


def git_text(git: Path, *args: str) -> str:
    """Return what git prints; raise CalledProcessError where it fails."""
    command = ["git", f"--git-dir={git}", *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
