from datetime import date

import pytest

from archive import boxes, documents, lists, loans, search
from archive.scans import Scans
from archive.schema import connect

DAY = date(2026, 5, 4)


def made():
    db = connect()
    box = boxes.add(db, "C 12")
    return db, box, documents.add(db, box, "Bridge, plans", 1871)


def test_a_list_has_the_oldest_first():
    db, box, _ = made()
    documents.add(db, box, "Market rights", 1604)
    assert lists.paper(db, box) == "Shelf C 12\n1604  Market rights\n1871  Bridge, plans"


def test_an_export_has_a_head_line():
    db, box, bridge = made()
    assert lists.exported(db, box) == f'id,label,year\n{bridge},"Bridge, plans",1871\n'


def test_a_document_can_be_corrected():
    db, _, bridge = made()
    documents.relabel(db, bridge, "Mill bridge, plans")
    assert documents.get(db, bridge)["label"] == "Mill bridge, plans"
    with pytest.raises(KeyError):
        documents.relabel(db, bridge + 1, "Nothing")


def test_a_search_takes_signs_as_they_are():
    db, box, bridge = made()
    tithe = documents.add(db, box, "Tithe of 10%", 1702)
    assert [row["id"] for row in search.labelled(db, "bridge")] == [bridge]
    assert [row["id"] for row in search.labelled(db, "0%")] == [tithe]


def test_who_has_a_document_for_long_is_reminded():
    db, _, bridge = made()
    loans.lend(db, bridge, "Ada", DAY)
    assert loans.reminders(db, DAY) == ["Ada: Bridge, plans, since 2026-05-04"]
    loans.take_back(db, bridge, DAY)
    assert loans.reminders(db, DAY) == []


def test_a_scan_lies_under_its_digest(tmp_path):
    scans = Scans(tmp_path)
    digest = scans.store(b"We, the council")
    assert scans.store(b"We, the council") == digest
    assert scans.read(digest) == b"We, the council"
