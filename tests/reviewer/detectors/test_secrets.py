"""The secrets here are drawn when a test runs: none is written down, so no scanner finds one."""

import base64
import json
import random
import string
import subprocess
import sys
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.change import FileChange, Hunk, Kind, Line, Status
from reviewer.detectors.base import Source
from reviewer.detectors.secret_kinds import KINDS, checksum_holds, entropy, looks_random
from reviewer.detectors.secrets import Secrets, mask, masked
from reviewer.finding import Category, Finding, Severity
from tests.examples import examples
from tests.reviewer.detectors.sources import Files, findings, source

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits


def drawn(length: int, alphabet: str = LETTERS, seed: int = 11) -> str:
    return "".join(random.Random(seed * 1_000 + length).choices(alphabet, k=length))


def github_token(prefix: str = "ghp_", seed: int = 3) -> str:
    """Return a token of the classic form with a checksum that holds."""
    body = drawn(30, seed=seed)
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit] + digits
    return prefix + body + digits.rjust(6, "0")


def jwt(payload: dict[str, object]) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, payload))
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, drawn(43)])


def scan(head: str, path: str = "src/settings.py", base: str | None = None) -> list[Finding]:
    one = source(path, head, base)
    return findings(list(Secrets().run([one], Files.of(one))))


KNOWN = {
    "aws-access-key": "AKIA" + drawn(16, UPPER),
    "github-token": github_token(),
    "gitlab-token": "glpat-" + drawn(20),
    "slack-token": f"xoxb-{drawn(12, '937501')}-{drawn(12, '937501', 5)}-{drawn(24)}",
    "slack-webhook": "https://hooks.slack.com/services/T"
    + drawn(8, UPPER)
    + "/B"
    + drawn(9, UPPER)
    + "/"
    + drawn(24),
    "stripe-live-key": "sk_" + "live_" + drawn(24),
    "stripe-webhook-secret": "whsec_" + drawn(32),
    "azure-storage-key": "AccountKey=" + drawn(86, LETTERS + "+/") + "==",
    "sendgrid-key": f"SG.{drawn(22)}.{drawn(43)}",
    "npm-token": "npm_" + drawn(36),
    "pypi-token": "pypi-AgEIcHlwaS5vcmc" + drawn(80),
    "anthropic-key": "sk-ant-api03-" + drawn(95),
    "openai-key": "sk-proj-" + drawn(64),
    "hugging-face-token": "hf_" + drawn(34, string.ascii_letters),
    "google-oauth-secret": "GOCSPX-" + drawn(28),
    "digitalocean-token": "dop_v1_" + drawn(64, HEX),
    "telegram-bot-token": drawn(10, "5937401") + ":AA" + drawn(33),
    "mailchimp-key": drawn(32, HEX) + "-us14",
    "docker-token": "dckr_pat_" + drawn(27),
    "shopify-token": "shpat_" + drawn(32, HEX),
    "vault-token": "hvs." + drawn(90),
}


@pytest.mark.parametrize("kind", KNOWN)
def test_known_forms_are_found_on_their_line_and_masked(kind: str) -> None:
    value = KNOWN[kind]
    [found] = scan(f"import os\n\nVALUE = '{value}'\n")
    assert found.source == f"detector:secrets/{kind}"
    assert (found.line, found.category) == (3, Category.SECRET)
    assert found.severity.at_least(Severity.MEDIUM)
    assert value not in found.model_dump_json()
    assert value[8:24] not in found.model_dump_json()


@pytest.mark.parametrize("kind", KNOWN)
def test_known_forms_are_nothing_inside_a_longer_word(kind: str) -> None:
    value = KNOWN[kind]
    blob = drawn(40)
    assert [f for f in scan(f"data = x{blob}{value}{blob}y\n") if kind in f.source] == []


def test_every_kind_names_hints_that_its_own_matches_contain() -> None:
    """A hint that is missing from a match would hide the kind for ever."""
    for value in KNOWN.values():
        kinds = [k for k in KINDS if any(p.search(value) for p in k.patterns())]
        assert kinds, value[:6]
        for kind in kinds:
            assert any(hint in value for hint in kind.hints), kind.name


def test_what_is_shown_never_holds_the_secret_even_with_two_on_a_line() -> None:
    first, second = KNOWN["stripe-live-key"], "AKIA" + drawn(16, UPPER, 8)
    password = "Zr8" + "!kLm20xQ"
    found = scan(f'login(key="{first}", aws="{second}", password="{password}")\n')
    assert {f.source.rpartition("/")[2] for f in found} == {
        "stripe-live-key",
        "aws-access-key",
        "hard-coded-secret",
    }
    for each in found:
        shown = each.model_dump_json()
        assert not any(value[5:] in shown for value in (first, second, password))
        assert "…" in each.evidence


def test_ids_differ_for_two_secrets_that_look_alike_when_masked() -> None:
    two = [github_token(seed=1), github_token(seed=2)]
    found = scan("".join(f"T = '{value}'\n" for value in two))
    assert len(found) == 2
    assert len({each.id for each in found}) == 2


def test_only_added_lines_and_nothing_that_only_moved() -> None:
    token = github_token()
    base = f"a = 1\nb = '{token}'\nc = 3\n"
    assert scan(base + "d = 4\n", base=base) == []
    assert scan(f"c = 3\nif c:\n    TOKEN = '{token}'\n", base=base) == []
    moved = [source("old.py", "a = 1\n", base), source("new.py", f"b = '{token}'\n")]
    assert list(Secrets().run(moved, Files.of(*moved))) == []


def test_the_line_is_the_heads_number() -> None:
    base = "".join(f"x{n} = {n}\n" for n in range(50))
    head = base.replace("x30 = 30\n", f"x30 = 30\nKEY = '{KNOWN['stripe-live-key']}'\n")
    [found] = scan(head, base=base)
    assert found.line == 32


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA" + "X" * 16,
        "ghp_" + "a" * 36,
        "ghp_" + "x1" * 18,
        "sk_live_" + "0123456789" * 3,
        "xoxb-123456789012-123456789012-" + "abcdefghijklmnopqrstuvwx",
        "sk-ant-api03-your-key-goes-here-and-is-long",
        "SG." + "x" * 22 + "." + "y" * 43,
        "npm_" + "0" * 36,
    ],
)
def test_placeholders_of_a_known_form(value: str) -> None:
    assert scan(f"KEY = '{value}'\n") == []


def test_a_checksum_tells_a_real_token_from_a_mock_in_tests() -> None:
    real = github_token()
    mock = real[:-1] + ("a" if real[-1] != "a" else "b")
    assert checksum_holds(real) and not checksum_holds(mock)
    assert [f.confidence for f in scan(f"t = '{real}'\n")] == [0.95]
    assert [f.confidence for f in scan(f"t = '{mock}'\n")] == [0.75]
    assert [f.confidence for f in scan(f"t = '{real}'\n", "tests/test_api.py")] == [0.7]
    assert scan(f"t = '{mock}'\n", "tests/test_api.py") == []


BODY = "\n".join(drawn(64, LETTERS + "+/", seed) for seed in range(10))


def pem(kind: str, body: str = BODY) -> str:
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----\n"


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH "])
def test_a_private_key_needs_a_body(kind: str) -> None:
    [found] = scan(pem(kind), "deploy/server.key")
    assert (found.line, found.severity) == (1, Severity.CRITICAL)
    assert BODY[:20] not in found.model_dump_json()
    assert scan(f"if b'-----BEGIN {kind}PRIVATE KEY-----' in data:\n    load(data)\n") == []
    assert scan(pem(kind, "MIIE..."), "deploy/server.key") == []


def test_a_private_key_in_one_line_of_json() -> None:
    line = json.dumps({"private_key": pem("")})
    [found] = scan(line + "\n", "service.json")
    assert found.source == "detector:secrets/private-key"
    assert BODY[:20] not in found.model_dump_json()


def test_an_encrypted_private_key_is_less_bad_and_a_public_one_is_nothing() -> None:
    [found] = scan(pem("ENCRYPTED "), "deploy/server.key")
    assert found.severity is Severity.MEDIUM
    assert scan(pem("").replace("PRIVATE", "PUBLIC"), "deploy/server.pub") == []


@pytest.mark.parametrize("path", ["tests/certs/server.key", "examples/tls/key.pem", "docs/tls.md"])
def test_private_keys_of_tests_and_examples_are_theirs(path: str) -> None:
    assert scan(pem("RSA "), path) == []


def test_a_json_web_token_that_opens_something_for_long() -> None:
    assert rules(jwt({"role": "service_role", "iss": "supabase", "ref": "kqzwfjx"})) == [
        "json-web-token"
    ]
    assert rules(jwt({"role": "anon", "iss": "supabase", "ref": "kqzwfjx"})) == []
    assert rules(jwt({"iss": "a", "iat": 1_700_000_000, "exp": 1_700_003_600})) == []
    assert rules(jwt({"iss": "a", "iat": 1_700_000_000, "exp": 2_000_000_000})) == [
        "json-web-token"
    ]
    assert rules(jwt({"sub": "1234567890", "name": "John Doe", "iat": 1516239022})) == []
    assert rules("eyJhbGciOiJIUzI1NiJ9.eyJub3QganNvbg" + "A" * 20 + "." + drawn(43)) == []


def rules(value: str, path: str = "src/a.ts") -> list[str]:
    return [f.source.rpartition("/")[2] for f in scan(f"const t = '{value}'\n", path)]


STRONG = {
    "src/config.py": f'DB_PASSWORD = "{"Pr0d-9x!" + "kLm20wQ"}"',
    "src/app.ts": f"const clientSecret = '{drawn(40)}';",
    "config/app.yml": f"  client_secret: {drawn(40)}",
    ".env": f"export API_KEY={drawn(32, HEX)}",
    "conf/db.json": f'  "password": "{"kJ8#mQ2$" + "vL9xw"}",',
    "main.go": f'apiKey := "{drawn(32)}"',
    "Dockerfile": f"ENV SIGNING_KEY={drawn(44)}",
    "src/db.rs": f'connect("postgres://app:{drawn(14)}@db.prod.acme.io/app")',
}


@pytest.mark.parametrize("path", STRONG)
def test_a_strong_literal_under_a_telling_name(path: str) -> None:
    [found] = scan(STRONG[path] + "\n", path)
    assert found.source in {
        "detector:secrets/hard-coded-secret",
        "detector:secrets/password-in-a-url",
    }
    assert found.confidence < 0.8


@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "docs/setup.md", "examples/app.py", "a/fixtures/x.yml"]
)
def test_weak_evidence_counts_nowhere_near_tests_and_prose(path: str) -> None:
    for line in STRONG.values():
        assert scan(line + "\n", path) == []


@pytest.mark.parametrize(
    "line",
    [
        'password = "changeme"',
        'password = "hunter2"',
        'PASSWORD = os.environ["DB_PASSWORD_2"]',
        'secret = "${DB_SECRET_V2}"',
        'token = "<your-token-here-123>"',
        'token: "{{ vault_token_v2 }}"',
        'secret_name = "prod/db/password-v2"',
        'SECRET_KEY_HASH = "5f4dcc3b5aa765d61d8327deb882cf99"',
        'api_key_id = "a8d9f0c2b1e34567"',
        'token_url = "https://auth.acme.io/oauth2/v2/token1"',
        'csrf_token = "f3a9c1e84b7d2056"',
        'const tokenType = "urn:ietf:params:oauth:token-type:jwt2"',
        'password = "correct-horse-battery-staple9"',
        'secretKeyRef = "my-app-secret-2"',
        'password_hash = "$2b$12$KIXQJ0o9Yx3lN1R5z8vT7u"',
        'password = "3fa85f64-5717-4562-b3fc-2c963f66afa6"',
        'url = "postgres://user:password123@localhost:5432/db"',
        'url = "redis://:q8Kd02mXq9z@redis:6379/0"',
        'url = "https://user:p4ssw0rd9x@example.com/"',
        'secret = getSecret("prod-db-7f3a9c1e84b7")',
        'publicKey = "pk_9f8a7c6b5d4e3f2a1b0c"',
    ],
)
@pytest.mark.parametrize("path", ["src/config.py", "config/app.yml"])
def test_what_only_looks_like_a_secret(line: str, path: str) -> None:
    assert scan(line + "\n", path) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("package-lock.json", f'"integrity": "sha512-{drawn(86, LETTERS + "+/")}=="'),
        ("poetry.lock", f'hash = "sha256:{drawn(64, HEX)}"'),
        ("index.html", f'<script integrity="sha384-{drawn(64, LETTERS + "+/")}"></script>'),
        ("src/logo.ts", f'const secretLogo = "data:image/png;base64,{drawn(200, LETTERS + "+/")}"'),
        ("ci.yml", f"- uses: actions/checkout@{drawn(40, HEX)}"),
        ("src/rev.py", f'COMMIT = "{drawn(40, HEX)}"'),
        ("key.pub", f"ssh-ed25519 {drawn(68, LETTERS + '+/')} me@host"),
        ("aws.py", f'AWS_SOURCE_KEY_SHA = "{drawn(40, HEX)}"'),
    ],
)
def test_hashes_keys_and_pictures_of_the_public_kind(path: str, line: str) -> None:
    assert scan(line + "\n", path) == []


def test_a_comment_of_the_author_silences_weak_evidence_only() -> None:
    note = "  # pragma: allowlist secret\n"
    assert len(scan(f"T = '{github_token()}'{note}")) == 1
    assert scan(STRONG["src/config.py"] + note) == []


OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise SystemExit(f"attempted: {event}")

import hypothesis, pytest, anyio, anyio._backends._asyncio  # what these load is not ours
sys.addaudithook(refuse)
from tests.reviewer.detectors.test_secrets import KNOWN, scan
print(len(scan("".join(f"V = '{value}'\\n" for value in KNOWN.values()))))
print("detect_secrets.plugins.aws" in sys.modules)
"""


def test_the_plugins_never_ask_the_network() -> None:
    """To verify a secret is a method of the plugins that only their own scanner calls."""
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == [str(len(KNOWN)), "True"], done.stderr


@pytest.mark.parametrize("mark", ["# ", "// ", " * ", "-- ", "<!-- "])
def test_comments_explain_with_made_up_values(mark: str) -> None:
    assert scan(mark + STRONG["src/config.py"] + "\n") == []
    assert len(scan(mark + f"T = '{github_token()}'\n")) == 1


def test_a_firebase_configuration_is_for_every_visitor() -> None:
    key = "AIza" + drawn(35)
    assert len(scan(f'apiKey: "{key}",\n')) == 1
    assert scan(f'apiKey: "{key}",\nauthDomain: "x.firebaseapp.com",\n') == []


@given(st.text(max_size=300))
@settings(max_examples=examples(150), deadline=None)
def test_any_text_is_searched_without_an_error(text: str) -> None:
    one = source("src/any.py", text)
    for each in Secrets().run([one], Files.of(one)):
        assert isinstance(each, Finding)
    masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" * 300_000,
        "sk-" * 300_000,
        "a" * 1_000_000,
        "secret=" * 150_000,
        "password='" * 100_000,
        "://a:" * 200_000,
        "xoxb-1-" * 150_000,
        "-----BEGIN PRIVATE KEY-----" * 40_000,
        "aws_key " * 120_000,
        "twilio " * 150_000,
        "AccountKey=" * 90_000,
        ("token" * 150 + "\n") * 1_200,
        ('password = "' + "a1" * 400 + "\n") * 1_000,
        ("api_key = '" + "aB3" * 60 + "'\n") * 5_000,
    ],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    """A megabyte each; a quadratic expression would take minutes."""
    big = _added(text)
    began = time.monotonic()
    list(Secrets().run([big], Files({})))
    assert time.monotonic() - began < 6


def _added(text: str) -> Source:
    """Make a new file by hand: difflib, which the helper uses, is quadratic itself."""
    lines = tuple(Line("+", line, None, n) for n, line in enumerate(text.split("\n"), 1))
    hunk = Hunk("h", "src/any.py", 0, 0, 1, len(lines), "", lines)
    file = FileChange(
        path="src/any.py", old_path=None, new_path="src/any.py", status=Status.ADDED,
        kind=Kind.TEXT, old_mode=None, new_mode="100644", old_sha=None, new_sha="2" * 40,
        added=len(lines), deleted=0, hunk_count=1, parse=lambda: (hunk,),
    )  # fmt: skip
    return Source(file, text.encode(), None)


def test_masks_show_a_quarter_at_the_most() -> None:
    assert mask("abcdefghijklmnopqrst") == "abcd…"
    assert mask("abcdefgh") == "ab…"
    assert mask("abc") == "…"


def test_masked_leaves_ordinary_code_alone() -> None:
    line = "from app.render.markdown import render_summary_of_findings_with_links"
    assert masked(line) == line


def test_entropy_and_randomness() -> None:
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
    assert looks_random(drawn(30))
    assert not looks_random("abcdefghijklmnop")
    assert not looks_random("k" * 30)
