import textwrap

import pytest

from reviewer.detectors.workflows import RISKS, Workflows
from reviewer.finding import Category, Finding, Severity
from tests.reviewer.detectors.sources import Files, findings, notes, source

PATH = ".github/workflows/ci.yml"


def audit(head: str, base: str | None = None, path: str = PATH) -> list[Finding]:
    one = source(path, textwrap.dedent(head), None if base is None else textwrap.dedent(base))
    return findings(list(Workflows().run([one], Files.of(one))))


def rules(found: list[Finding]) -> list[str]:
    return [each.source.rpartition("/")[2] for each in found]


def workflow(trigger: str, *steps: str, permissions: str = "{}") -> str:
    return (
        f"name: ci\non: {trigger}\npermissions: {permissions}\njobs:\n  build:\n"
        "    runs-on: ubuntu-latest\n    steps:\n" + "".join(f"      - {step}\n" for step in steps)
    )


CHECKOUT = "uses: actions/checkout@v4\n        with:\n          ref: "
PR_CODE = CHECKOUT + "${{ github.event.pull_request.head.sha }}"


def test_a_title_in_a_script_is_found_on_its_own_line() -> None:
    script = 'run: |\n          echo hi\n          echo "${{ github.event.pull_request.title }}"'
    [found] = audit(workflow("pull_request_target", script))
    assert rules([found]) == ["template-injection"]
    assert found.line == 10
    assert found.evidence == '          echo "${{ github.event.pull_request.title }}"'
    assert (found.severity, found.category) == (Severity.HIGH, Category.WORKFLOW)


def test_the_same_without_rights_is_less_bad() -> None:
    [found] = audit(workflow("pull_request", 'run: echo "${{ github.head_ref }}"'))
    assert found.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    "expression", ["inputs.version", "github.ref_name", "matrix.python", "steps.a.outputs.tag"]
)
def test_what_only_people_with_rights_can_set(expression: str) -> None:
    assert audit(workflow("push", f'run: echo "${{{{ {expression} }}}}"')) == []


def test_text_passed_through_the_environment_is_the_right_way() -> None:
    step = 'run: echo "$TITLE"\n        env:\n          TITLE: ${{ github.event.issue.title }}'
    assert audit(workflow("issues", step)) == []


def test_a_privileged_trigger_is_a_risk_with_the_code_of_the_pull_request() -> None:
    assert rules(audit(workflow("pull_request_target", PR_CODE))) == ["dangerous-triggers"]
    assert audit(workflow("pull_request_target", "uses: actions/labeler@v5")) == []
    assert audit(workflow("pull_request", PR_CODE)) == []


def test_naming_the_strangers_commit_is_not_fetching_it() -> None:
    step = "run: status\n        env:\n          SHA: ${{ github.event.workflow_run.head_sha }}"
    assert audit(workflow("workflow_run", step)) == []
    step = "run: |\n          gh pr checkout $NUMBER\n          make"
    assert rules(audit(workflow("issue_comment", step))) == ["dangerous-triggers"]


def test_asked_for_by_a_person_with_rights() -> None:
    step = PR_CODE + "\n        if: github.event.comment.author_association == 'MEMBER'"
    assert audit(workflow("issue_comment", step)) == []


def test_the_line_that_makes_an_old_trigger_dangerous_is_the_place() -> None:
    base = workflow("pull_request_target", "uses: actions/checkout@v4")
    [found] = audit(workflow("pull_request_target", PR_CODE), base)
    assert found.evidence.strip() == "ref: ${{ github.event.pull_request.head.sha }}"


def test_only_what_is_new_whatever_moved_or_was_annotated() -> None:
    base = workflow("pull_request_target", PR_CODE)
    annotated = base.replace("pull_request_target", "pull_request_target # zizmor: ignore")
    assert audit("# a comment\n\n" + annotated, base) == []
    assert audit(workflow("pull_request_target", PR_CODE, "run: make"), base) == []


def test_a_comment_of_the_change_silences_nothing() -> None:
    head = workflow("pull_request_target # zizmor: ignore[dangerous-triggers]", PR_CODE)
    assert rules(audit(head)) == ["dangerous-triggers"]


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        (
            workflow("push", "run: make").replace(
                "    runs-on", "    permissions: write-all\n    runs-on"
            ),
            "excessive-permissions",
        ),
        (
            workflow("push", "run: deploy\n        env:\n          ALL: ${{ toJSON(secrets) }}"),
            "overprovisioned-secrets",
        ),
        (
            workflow(
                "pull_request_target",
                "run: gh pr merge\n        if: github.actor == 'dependabot[bot]'",
            ),
            "bot-conditions",
        ),
        (
            workflow("push", "run: make\n        if: |\n          ${{ github.ref == 'x' }}\n"),
            "unsound-condition",
        ),
        (
            workflow(
                "push", "run: a\n        env:\n          ACTIONS_ALLOW_UNSECURE_COMMANDS: true"
            ),
            "insecure-commands",
        ),
    ],
)
def test_other_risks(head: str, rule: str) -> None:
    assert rules(audit(head)) == [rule]
    assert RISKS[rule].why


def test_noise_stays_out() -> None:
    head = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - uses: someone/action@main\n"
        "      - uses: actions/cache@v4\n        with: {path: x, key: y}\n"
    )
    assert audit(head) == []


def test_dependabot_and_composite_actions() -> None:
    settings = (
        "version: 2\nupdates:\n  - package-ecosystem: pip\n    directory: /\n"
        "    insecure-external-code-execution: allow\n    schedule: {interval: daily}\n"
    )
    assert rules(audit(settings, path=".github/dependabot.yml")) == ["dependabot-execution"]
    action = (
        "name: a\ndescription: b\nruns:\n  using: composite\n  steps:\n"
        "    - run: echo ${{ github.event.issue.title }}\n      shell: bash\n"
    )
    assert rules(audit(action, path="tools/setup/action.yml")) == ["template-injection"]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (".github/workflows/a.yaml", True),
        (".github/workflows/sub/a.yml", False),
        ("docs/.github/workflows/a.yml", False),
        ("action.yml", True),
        ("transaction.yml", False),
        (".github/dependabot.yml", True),
    ],
)
def test_which_files_are_looked_at(path: str, wanted: bool) -> None:
    assert Workflows().wants(source(path, "a: 1\n").file) is wanted


def test_broken_and_hostile_files_cost_the_others_nothing() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 12))
    many = [
        source(".github/workflows/broken.yml", "a: [b\n"),
        source(".github/workflows/list.yml", "[]\n"),
        source(".github/workflows/empty.yml", "\n"),
        source(".github/workflows/bytes.yml", b"\xff\xfe\x00"),
        source(".github/workflows/bomb.yml", bomb),
        source(".github/workflows/deep.yml", "[" * 20_000),
        source(".github/workflows/-o --config=x.yml", workflow("pull_request_target", PR_CODE)),
        source(".github/workflows/zizmor.yml", "rules: {dangerous-triggers: {disable: true}}\n"),
    ]
    said = list(Workflows().run(many, Files.of(*many)))
    assert [each.path for each in findings(said)] == [".github/workflows/-o --config=x.yml"]
    left_out = " ".join(notes(said))
    assert "config=x" not in left_out


def test_a_change_of_broken_files_alone_is_no_failure() -> None:
    one = source(PATH, "a: [b\n")
    assert list(Workflows().run([one], Files.of(one))) == []


def test_a_file_that_stops_zizmor_costs_only_itself() -> None:
    bad = "on: push\njobs:\n  a:\n    uses: .github/workflows/other.yml\n"
    many = [
        source(".github/workflows/a.yml", workflow("pull_request_target", PR_CODE)),
        source(".github/workflows/bad.yml", bad),
        source(".github/workflows/z.yml", workflow("pull_request_target", PR_CODE)),
    ]
    said = list(Workflows().run(many, Files.of(*many)))
    assert [each.path for each in findings(said)] == [many[0].file.path, many[2].file.path]
    [note] = notes(said)
    assert note.startswith("The workflow check left out .github/workflows/bad.yml: zizmor failed")
    assert "\n" not in note
