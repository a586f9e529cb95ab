"""What we said before on a pull request, and which findings of a report that was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.github.markers import short_id
from app.render.comment import said
from reviewer.finding import Finding


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment by our actor at a line. `text` is what people see; `line` is None if outdated.

    `finding` is the id in its marker if that is signed, else ""; `number` its own.
    """

    path: str
    line: int | None
    text: str
    url: str
    finding: str = ""
    number: int = 0


def told_before(
    findings: Sequence[Finding], texts: Mapping[str, str], remarks: Sequence[Remark]
) -> dict[str, Remark]:
    """Pair findings with the remarks that say them, each remark with one finding at the most.

    By the signed id, else by what is there to read: a marker that anybody could have made counts
    for nothing. One text can be true of several lines, so the same line goes first. What was said
    at one of a finding's places was said, whichever of them comes first now.
    """
    bodies = {name: said(text) for name, text in texts.items()}

    def by_id(finding: Finding, remark: Remark) -> bool:
        ids = (finding.id, *(one.id for one in finding.places))
        return remark.finding in map(short_id, ids)

    def by_text(finding: Finding, remark: Remark) -> bool:
        return finding.id in bodies and bodies[finding.id] == said(remark.text)

    def by_text_there(finding: Finding, remark: Remark) -> bool:
        return remark.line == finding.line and by_text(finding, remark)

    free: dict[str, list[Remark]] = {}
    for remark in remarks:
        free.setdefault(remark.path, []).append(remark)
    told: dict[str, Remark] = {}
    for same in (by_id, by_text_there, by_text):
        for finding in findings:
            if finding.id in told:
                continue
            paths = dict.fromkeys((finding.path, *(one.path for one in finding.places)))
            near = (remark for path in paths for remark in free.get(path, ()))
            found = next((one for one in near if same(finding, one)), None)
            if found is not None:
                told[finding.id] = found
                free[found.path].remove(found)
    return told
