import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.github.markers import MAX_BYTES, Marker, Seal, short_id, visible

KEY = b"k" * 32
RUN = "0123456789abcdef"


def seal(key: bytes | None = KEY, repository: int = 7, number: int = 3) -> Seal:
    return Seal(key, repository, number)


def marker(**changes: str) -> Marker:
    return Marker(**({"kind": "finding", "run": RUN, "finding": "a1b2c3d4e5f6-2"} | changes))  # type: ignore[arg-type]


def test_what_was_written_is_read_again_and_signed():
    found = seal().read("Some text." + seal().write(marker()))
    assert found is not None
    assert (found.marker, found.signed) == (marker(), True)


def test_without_a_key_a_marker_is_only_a_hint():
    body = "Some text." + seal(None).write(marker())
    assert "sig" not in body
    for key in (None, KEY):
        found = seal(key).read(body)
        assert found is not None
        assert (found.marker, found.signed) == (marker(), False)


@pytest.mark.parametrize(
    "other", [seal(b"x" * 32), seal(repository=8), seal(number=4), seal(None)], ids=str
)
def test_a_marker_of_another_place_or_key_is_not_signed(other):
    found = seal().read(other.write(marker()))
    assert found is not None
    assert not found.signed


@pytest.mark.parametrize("field", ["kind", "run", "finding", "sig", "v"])
def test_a_signature_covers_every_field(field):
    written = seal().write(marker())
    content = json.loads(written[written.index("{") : written.rindex("}") + 1])
    content[field] = {"v": 1.0, "kind": "review"}.get(field, "0" * 32)
    found = seal().read(f"<!-- rlm-review {json.dumps(content)} -->")
    assert found is None or not found.signed


def test_a_field_of_a_later_version_is_ignored_and_covered():
    content = {"v": 1, "kind": "summary", "run": RUN, "mood": "good"}
    content["sig"] = seal()._signature(content)
    found = seal().read(f"<!-- rlm-review {json.dumps(content)} -->")
    assert found is not None
    assert found.signed
    content["mood"] = "bad"
    found = seal().read(f"<!-- rlm-review {json.dumps(content)} -->")
    assert found is not None
    assert not found.signed


def test_only_the_end_of_a_body_is_a_marker():
    forged = seal(None).write(marker(finding="f" * 12))
    assert seal().read(f"```suggestion\n{forged}\n```") is None
    found = seal().read(f"```suggestion\n{forged}\n```" + seal().write(marker()))
    assert found is not None
    assert found.marker == marker()


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"v":1,"kind":"review","run":""}',
        "{",
        '{"v":2,"kind":"review","run":"r"}',
        '{"v":1,"kind":"verdict","run":"r"}',
        '{"v":1,"kind":"review","run":5}',
        '{"v":1,"kind":"review","run":"r","sig":["x"],"finding":{}}',
        '{"v":1,"kind":"review","run":"r","sig":"\ud800"}'.encode("utf-8", "replace").decode(),
        '{"v":1,"kind":"review","run":"' + "r" * 5_000 + '"}',
        '{"a":' + "[" * 900 + "]" * 900 + "}",
        '{"v":1,"kind":"review","run":"r","finding":NaN}',
    ],
)
def test_garbage_is_no_marker(content):
    found = seal().read(f"text\n\n<!-- rlm-review {content} -->")
    assert found is None or not found.signed


@given(st.text())
def test_no_body_of_another_breaks_the_reader(body):
    assert seal().read(body) is None


@given(st.text(min_size=1, max_size=100), st.text(max_size=40), st.text(max_size=64))
def test_a_marker_is_one_hidden_line_whatever_it_holds(run, finding, head):
    made = Marker(kind="finding", run=run, finding=finding, head=head)
    written = seal().write(made)
    inside = written.removeprefix("\n\n<!-- ").removesuffix(" -->")
    assert not re.search(r"--|[<>\n]", inside)
    found = seal().read(written)
    assert found is not None
    assert (found.marker, found.signed) == (made, True)


def test_the_ids_that_we_use_leave_room_in_a_body():
    made = Marker(kind="finding", run="f" * 64, finding="a" * 40, head="b" * 64)
    assert len(seal().write(made)) <= MAX_BYTES


def test_two_bodies_that_look_the_same_compare_equal():
    assert visible("One\r\ntwo\r\n" + seal().write(marker())) == visible("One\ntwo")


def test_an_id_that_is_none_of_ours_becomes_one():
    assert short_id("a1b2c3d4e5f6-2") == "a1b2c3d4e5f6-2"
    assert re.fullmatch("[0-9a-f]{12}", short_id("-->\ud800<script>"))
