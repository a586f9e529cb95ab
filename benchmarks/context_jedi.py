"""Asks jedi where functions are used. Runs in the peers' own Python, which has jedi and not us.

Reads {"root", "roots", "budget_s", "functions": [{"path", "line", "column"}]} from stdin; writes
{"version", "answers"}, an answer for each function that there was time for:
{"uses": [[path, line]], "seconds"}.
"""

import json
import sys
import time
from pathlib import Path

import jedi


def main() -> None:
    asked = json.load(sys.stdin)
    root = Path(asked["root"]).resolve()
    project = jedi.Project(root, added_sys_path=[str(root / each) for each in asked["roots"]])
    began = time.monotonic()
    answers = []
    for one in asked["functions"]:
        if time.monotonic() - began > asked["budget_s"]:
            break
        start = time.monotonic()
        try:
            script = jedi.Script(path=root / one["path"], project=project)
            found = script.get_references(one["line"], one["column"], scope="project")
        except Exception as error:  # jedi is known to raise anything
            answers.append({"uses": [], "seconds": time.monotonic() - start, "error": repr(error)})
            continue
        uses = {
            (each.module_path.relative_to(root).as_posix(), each.line)
            for each in found
            if each.module_path
            and each.module_path.is_relative_to(root)
            and not each.is_definition()
        }
        answers.append({"uses": sorted(uses), "seconds": time.monotonic() - start})
    json.dump({"version": jedi.__version__, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
