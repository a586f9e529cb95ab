"""Kinds of secret that are known by their exact form, and what makes a value real rather than mock.

Most forms are detect-secrets' (only its expressions are used: nothing of it that reads settings,
loads plugins or asks a service whether a secret works). Every expression starts at a border and is
bounded, so that no line, however long, costs more than its length.
"""

import base64
import binascii
import functools
import hashlib
import itertools
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from reviewer.finding import Severity

# Placeholders ------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(
    r"example|sample|dummy|placeholder|change[-_]?me|change[-_]?this|your[-_]?|xxxx|fake|mock|redacted"
    r"|insert|replace|todo|lorem|foobar|deadbeef|notreal|not[-_]a[-_]|s3cr3t|secret|password|test"
    r"|0123|1234|abcd|qwerty|aaaa|bbbb|\.\.\.|\*\*\*|…",
    re.IGNORECASE,
)
_RUN = re.compile(r"(.)\1{4,}")  # by chance in one of 100,000 random tokens

# Values that a vendor's documentation or emulator publishes, as SHA-256.
_DOCUMENTED = frozenset(
    (
        "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",  # Azure's emulator
        "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",  # Cosmos DB's emulator
        "0114c1456f2504384f9111557e6dc0dd99de9fbc6644c6afa8a1bcac8ef391b1",  # Amazon S3
        "3543c50b0cb9cea8e55eb1f529b79f043cb250d485fde7b66cabbb5183add7da",  # GitHub's REST pages
        "976b57ee8acdfcf45f76bcc5e329a23655bd0e1e7eeffd8ec98bab6ca6cdd660",  # on its token format
    )
)


def entropy(value: str) -> float:
    """Return Shannon's entropy in bits for each character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts) if value else 0.0


def looks_random(value: str) -> bool:
    """Could a machine have drawn this value? No word of a mock, no run, no sequence of keys."""
    if _PLACEHOLDER.search(value) or _RUN.search(value) or _is_sequence(value):
        return False
    return entropy(value) >= min(3.0, math.log2(max(2, len(value))) * 0.75)


def is_documented(secret: str) -> bool:
    """Is this a value that a vendor publishes for people to try things with?"""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
    return digest in _DOCUMENTED


def _is_sequence(value: str, steps: int = 6) -> bool:
    """Does it hold so many neighbours of an alphabet in a row, as typed by a person?"""
    run = 0
    for left, right in itertools.pairwise(value):
        run = run + 1 if ord(right) - ord(left) == 1 else 0
        if run >= steps - 1:
            return True
    return False


# Checks of single kinds --------------------------------------------------------------------------

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_CHARS = 6


def checksum_holds(token: str) -> bool:
    """Do the last six characters hold the CRC-32 of the rest, as GitHub's and npm's tokens do?"""
    body = token.partition("_")[2]
    number, digits = zlib.crc32(body[:-_CHECKSUM_CHARS].encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(_CHECKSUM_CHARS, "0") == body[-_CHECKSUM_CHARS:]


def _body_random(token: str) -> bool:
    """Judge what stands behind the prefix: `sk_test_` is no sign of a mock."""
    body = re.split(r"[-_.:]", token)[-1]
    return looks_random(body if len(body) >= 12 else token[-32:])


def _is_discord(token: str) -> bool:
    """The first part is the bot's number in base64."""
    first = token.partition(".")[0]
    try:
        return base64.b64decode(first + "=" * (-len(first) % 4)).isdigit() and _body_random(token)
    except (binascii.Error, ValueError):
        return False


_SHORT_LIVED_S = 30 * 24 * 3600


def _is_lasting_jwt(token: str) -> bool:
    """A signed token that opens something for long: no session's, no key made for browsers."""
    parts = token.split(".")
    try:
        header, payload = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in parts[:2]
        )
    except (ValueError, RecursionError):
        return False
    if not isinstance(header, dict) or not isinstance(payload, dict) or "alg" not in header:
        return False
    if payload.get("role") == "anon" or payload.get("sub") == "1234567890":
        return False
    if len(payload) < 2 or _PLACEHOLDER.search(json.dumps(payload)):
        return False
    start, end = payload.get("iat", payload.get("nbf")), payload.get("exp")
    if isinstance(end, int | float):
        return isinstance(start, int | float) and end - start > _SHORT_LIVED_S
    return looks_random(parts[2])


def _mixed(value: str) -> bool:
    """Both cases and digits: not the hexadecimal name of a commit or a file."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, value)) for kind in kinds) and looks_random(value)


# The table ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One form of secret.

    Every match contains one of `hints`, in this case, so that most files are never searched.
    The secret is the group "secret" of a pattern, or all of it. `everywhere` is False for what
    tests and examples are full of. `checksum` is True where the form has one: a token whose
    checksum does not hold opens nothing, unless its vendor has changed the form. `public_near`
    is a word that, close by, says that the value is meant to be public.
    """

    name: str
    hints: tuple[str, ...]
    patterns: Callable[[], tuple[re.Pattern[str], ...]]
    severity: Severity = Severity.HIGH
    confidence: float = 0.95
    real: Callable[[str], bool] = _body_random
    everywhere: bool = True
    checksum: bool = False
    public_near: str = ""


def _own(*expressions: str) -> Callable[[], tuple[re.Pattern[str], ...]]:
    return lambda: tuple(_bounded(expression) for expression in expressions)


@functools.cache
def _bounded(expression: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_]){expression}(?![A-Za-z0-9])")


def _library(name: str) -> Callable[[], tuple[re.Pattern[str], ...]]:
    """Take the expressions of a detect-secrets plugin, once a file has one of its hints."""

    def patterns() -> tuple[re.Pattern[str], ...]:
        # Imported late: it brings an HTTP client along, 0.3 s that most runs never need.
        from detect_secrets.plugins import (  # noqa: PLC0415
            aws,
            discord,
            gitlab_token,
            mailchimp,
            pypi_token,
            sendgrid,
            square_oauth,
            stripe,
        )

        plugins = {
            "aws": aws.AWSKeyDetector.denylist[:1],
            "discord": discord.DiscordBotTokenDetector.denylist,
            "gitlab": gitlab_token.GitLabTokenDetector.denylist,
            "mailchimp": mailchimp.MailchimpDetector.denylist,
            "pypi": pypi_token.PypiTokenDetector.denylist[:1],
            "sendgrid": sendgrid.SendGridDetector.denylist,
            "square": square_oauth.SquareOAuthDetector.denylist,
            "stripe": stripe.StripeDetector.denylist,
        }
        return tuple(_bounded(f"(?:{pattern.pattern})") for pattern in plugins[name])

    return patterns


_GITLAB = ("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "GR1348941", "glcbt-", "glimt-")
_GITLAB_TOO = ("glptt-", "glagent-", "gloas-")
_CRITICAL, _MEDIUM = Severity.CRITICAL, Severity.MEDIUM

KINDS: tuple[Kind, ...] = (
    Kind("AWS access key", ("AKIA", "ASIA", "ABIA", "ACCA"), _library("aws"), _CRITICAL),
    Kind(
        "AWS secret key",
        ("aws", "AWS", "Aws"),
        _own(
            r"(?i:aws)[\w.\- ]{0,20}(?i:secret|key)[\w.\- ]{0,20}[\"']?\s{0,4}[:=(,]{1,2}\s{0,4}"
            r"[\"']?(?P<secret>[0-9a-zA-Z/+]{40})(?![/+=])"
        ),
        _CRITICAL,
        real=_mixed,
        everywhere=False,
    ),
    Kind(
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        _own(r"gh[pour]_[A-Za-z0-9]{36}", r"ghs_[A-Za-z0-9._-]{36,1024}"),
        _CRITICAL,
        checksum=True,
    ),
    Kind("GitHub token", ("github_pat_",), _own(r"github_pat_[A-Za-z0-9_]{36,255}"), _CRITICAL),
    Kind("GitLab token", _GITLAB + _GITLAB_TOO, _library("gitlab"), _CRITICAL),
    Kind("Slack token", ("xox",), _own(r"xox[abeoprs]-(?:\d{1,14}-){1,4}[A-Za-z0-9]{10,80}")),
    Kind("Slack token", ("xapp-",), _own(r"xapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-f0-9]{32,128}")),
    Kind(
        "Slack webhook",
        ("hooks.slack.com/services/",),
        _own(r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/\w{20,40}"),
        _MEDIUM,
    ),
    Kind("Stripe live key", ("k_live_",), _own(r"[rs]k_live_[0-9a-zA-Z]{24,247}"), _CRITICAL),
    Kind("Stripe webhook secret", ("whsec_",), _own(r"whsec_[A-Za-z0-9+/=]{32,64}")),
    Kind(
        "Azure storage key",
        ("AccountKey=",),
        _own(r"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)"),
        _CRITICAL,
    ),
    Kind("SendGrid key", ("SG.",), _library("sendgrid")),
    Kind("Mailchimp key", tuple(f"-us{digit}" for digit in range(1, 10)), _library("mailchimp")),
    Kind("Square secret", ("sq0csp-",), _library("square")),
    Kind("PyPI token", ("pypi-AgEIcHlwaS5vcmc",), _library("pypi"), _CRITICAL),
    Kind("npm token", ("npm_",), _own(r"npm_[A-Za-z0-9]{36}"), _CRITICAL, checksum=True),
    Kind("npm token", (":_authToken=",), _own(r":_authToken=(?P<secret>[a-f0-9-]{36})")),
    Kind("RubyGems key", ("rubygems_",), _own(r"rubygems_[a-f0-9]{48}"), _CRITICAL),
    Kind("Docker token", ("dckr_pat_",), _own(r"dckr_pat_[A-Za-z0-9_-]{27}")),
    Kind("Anthropic key", ("sk-ant-",), _own(r"sk-ant-[A-Za-z0-9_-]{24,200}"), _CRITICAL),
    Kind(
        "OpenAI key",
        ("sk-",),
        _own(
            r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}",
            r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
        ),
        _CRITICAL,
    ),
    Kind("Hugging Face token", ("hf_",), _own(r"hf_[A-Za-z]{34}")),
    Kind("Google OAuth secret", ("GOCSPX-",), _own(r"GOCSPX-[A-Za-z0-9_-]{28}")),
    Kind(
        # Made for browsers and apps as often as for servers, hence lower and not in samples.
        "Google API key",
        ("AIza",),
        _own(r"AIza[0-9A-Za-z_-]{35}"),
        _MEDIUM,
        0.7,
        everywhere=False,
        public_near="authDomain",  # a Firebase configuration, which every visitor gets
    ),
    Kind(
        "DigitalOcean token",
        ("dop_v1_", "doo_v1_", "dor_v1_"),
        _own(r"do[opr]_v1_[a-f0-9]{64}"),
        _CRITICAL,
    ),
    Kind("Shopify token", ("shp",), _own(r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}")),
    Kind("Databricks token", ("dapi",), _own(r"dapi[a-f0-9]{32}(?:-\d)?"), _CRITICAL),
    Kind("Vault token", ("hvs.",), _own(r"hvs\.[A-Za-z0-9_-]{24,200}"), _CRITICAL),
    Kind(
        "Terraform Cloud token",
        (".atlasv1.",),
        _own(r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
        _CRITICAL,
    ),
    Kind("Atlassian token", ("ATATT3",), _own(r"ATATT3[A-Za-z0-9_=-]{100,300}")),
    Kind("Grafana token", ("glsa_",), _own(r"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}")),
    Kind("New Relic key", ("NRAK-",), _own(r"NRAK-[A-Z0-9]{27}")),
    Kind("Postman key", ("PMAK-",), _own(r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}")),
    Kind("Linear key", ("lin_api_",), _own(r"lin_api_[A-Za-z0-9]{40}")),
    Kind("Doppler token", ("dp.pt.",), _own(r"dp\.pt\.[A-Za-z0-9]{43}")),
    Kind("age secret key", ("AGE-SECRET-KEY-1",), _own(r"AGE-SECRET-KEY-1[0-9A-Z]{58}")),
    Kind("Telegram bot token", (":AA",), _own(r"\d{8,10}:AA[0-9A-Za-z_-]{33}")),
    Kind("Discord bot token", ("iscord", "ISCORD"), _library("discord"), real=_is_discord),
    Kind(
        "Twilio key",
        ("wilio", "WILIO"),
        _own(r"(?i:twilio)[^\n]{0,60}?\b(?P<secret>SK[0-9a-f]{32})"),
        _MEDIUM,
        0.8,
    ),
    Kind(
        "JSON Web Token",
        ("eyJ",),
        _own(r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,1000}"),
        _MEDIUM,
        0.7,
        _is_lasting_jwt,
        everywhere=False,
    ),
)
