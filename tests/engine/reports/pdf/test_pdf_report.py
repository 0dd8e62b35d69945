"""The PDF of a report: what it says of itself, that all that was given is in it, and that nothing a name holds can break it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from capt_engine.records import BarChart, Chart, ConfusionMatrix, LineChart, Series
from capt_engine.reports.document import (
    Attachment,
    Block,
    Column,
    Facts,
    Grid,
    Lights,
    Paragraph,
    Report,
    Section,
    Strip,
)
from capt_engine.reports.pdf.report import write
from tests.engine.reports.pdf.test_pdf_sample import HOSTILE, confusion, curve, long_grid, numbers, sample

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def pdf() -> bytes:
    """The sample, written once."""
    return write(sample())


def pages(content: bytes) -> list[str]:
    """The text of each page."""
    with pypdfium2.PdfDocument(content) as document:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append(text.get_text_range())
            text.close()
            page.close()
        return found


def bare(text: str) -> str:
    """Without white space."""
    return "".join(text.split())


def report_of(*blocks: Block) -> Report:
    """A report of one section."""
    return Report("r-1", "A report", "", "2026-11-22T21:45:59+00:00", (Section("one", "One section", blocks),))


def strings(content: bytes) -> str:
    """All that the objects of a file say in text strings, as letters."""
    found = [bytes.fromhex(part.decode()).decode("utf-16") for part in re.findall(rb"<(feff[0-9a-f]+)>", content)]
    return "\n".join([*found, content.decode("latin-1")])


def test_it_is_tagged_and_has_a_language_and_a_title(pdf: bytes) -> None:
    """A screen reader finds the tree, the language and the title."""
    assert b"/MarkInfo <</Marked true>>" in pdf
    assert b"/Lang (en)" in pdf
    assert b"/DisplayDocTitle true" in pdf
    for tag in ("Document", "Sect", "H1", "P", "Table", "TR", "TH", "TD", "Figure", "Caption"):
        assert f"/S /{tag}\n".encode() in pdf
    with pypdfium2.PdfDocument(pdf) as document:
        assert document.get_metadata_value("Title") == sample().title
        assert [item.get_title() for item in document.get_toc()] == [
            *(s.title for s in sample().sections),
            "Files inside this PDF",
        ]


def test_every_mark_of_a_page_is_in_the_tree(pdf: bytes) -> None:
    """The numbers of marked contents run from 0 without a gap on each page, and each begins and ends."""
    contents = [
        zlib.decompress(part) for part in re.findall(rb"/FlateDecode[^>]*>>\s*stream\n(.*?)\nendstream", pdf, re.DOTALL)
    ]
    drawn = [text for text in contents if b"/MCID" in text]
    assert drawn
    for text in drawn:
        marks = [int(number) for number in re.findall(rb"/MCID (\d+)>> BDC", text)]
        assert marks == list(range(len(marks)))
        assert len(re.findall(rb"\b(?:BDC|BMC)\b", text)) == len(re.findall(rb"\bEMC\b", text))


def test_every_chart_and_picture_has_its_alternative_text(pdf: bytes) -> None:
    """The words of each block that is drawn are in the file."""
    said = strings(pdf)
    alts = []
    for section in sample().sections:
        for block in section.blocks:
            if isinstance(block, Chart):
                alts.append(block.alt)
            if isinstance(block, Strip):
                alts += [example.alt for example in block.examples]
    assert len(alts) == 8
    assert all(alt in said for alt in alts)


def test_every_number_of_every_table_can_be_read(pdf: bytes) -> None:
    """Each figure of each cell is found in the text of the pages."""
    text = bare("".join(pages(pdf)))
    # Beside a name that runs from right to left, the sign of percent is read before its number.
    wanted = [number.replace("%", "") for number in numbers(sample())]
    assert len(wanted) > 200
    assert [number for number in wanted if number not in text.replace("%", "")] == []


def test_page_numbers_and_the_reports_id_stand_on_each_page(pdf: bytes) -> None:
    """The footer says page x of y and whose report it is."""
    found = pages(pdf)
    for number, text in enumerate(found, 1):
        assert f"page {number} of {len(found)}" in text
        assert "Report r-3f9a1c2b" in text


def test_the_verdict_is_on_the_first_page(pdf: bytes) -> None:
    """Title, date and verdict are read without turning a page."""
    first = pages(pdf)[0]
    assert "22 November 2026, 21:45 UTC" in first
    assert "keep 41.7 % of 60 pictures" in first
    assert "FAILED" in first


def test_files_inside_come_out_as_they_went_in(pdf: bytes) -> None:
    """Names, bytes and descriptions of the attachments survive, an empty one too."""
    with pypdfium2.PdfDocument(pdf) as document:
        inside = {}
        for number in range(document.count_attachments()):
            one = document.get_attachment(number)
            inside[one.get_name()] = bytes(one.get_data()) if one.get_name() != "empty.log" else b""
    assert inside == {one.name: one.content for one in sample().attachments}
    assert all(one.description in strings(pdf) for one in sample().attachments)


def test_two_files_of_one_name_are_told_apart() -> None:
    """Neither is lost."""
    twice = (Attachment("a.csv", b"1", "first"), Attachment("a.csv", b"2", "second"))
    with pypdfium2.PdfDocument(write(replace(report_of(), attachments=twice))) as document:
        found = {document.get_attachment(n).get_name(): bytes(document.get_attachment(n).get_data()) for n in range(2)}
    assert found == {"a.csv": b"1", "2 a.csv": b"2"}


def test_the_same_report_gives_the_same_bytes(pdf: bytes) -> None:
    """Also in another process, which orders its sets in another way and stands in another zone of time."""
    program = (
        "import hashlib; from tests.engine.reports.pdf.test_pdf_sample import sample; from capt_engine.reports.pdf.report import write;"
        "print(hashlib.sha256(write(sample())).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == hashlib.sha256(pdf).hexdigest()


def test_written_again_it_is_the_same() -> None:
    """Nothing of a first file is left over in a second one."""
    short = report_of(Paragraph("猫"), Grid("t", (Column("a"),), (("1",),)))
    assert write(short) == write(short)


def test_ten_thousand_rows_are_cut_and_quick() -> None:
    """The first and the last 200 rows, a line that says what is missing, few pages, little time."""
    started = time.process_time()
    content = write(report_of(long_grid(10_000)))
    assert time.process_time() - started < 20
    found = pages(content)
    text = "".join(found)
    assert len(found) <= 60
    assert all(f"picture-{n:05d}.png" in text for n in (0, 199, 9800, 9999))
    assert "picture-05000.png" not in text
    assert "9,600 rows are left out here" in text


def test_the_header_of_a_long_table_stands_on_each_of_its_pages() -> None:
    """Whoever opens the third page knows what the columns are."""
    found = pages(write(report_of(long_grid(200))))
    assert len(found) > 3
    assert all("Confidence" in text for text in found)


def test_no_name_breaks_the_page() -> None:
    """Names with anything in them, everywhere a name can stand, leave the words around them in place."""
    sections = []
    for number, name in enumerate(HOSTILE):
        blocks: tuple[Block, ...] = (
            Paragraph(name),
            Paragraph(name, "limit"),
            Facts(((name, name),)),
            Lights(name, ()),
            Grid(name, (Column(name), Column("Right", "right")), ((name, f"{number}.5 %"),)),
            LineChart(name, name, name, (replace(curve("", 0.9, 0.1), name=name),), name),
            confusion((name, "b")),
            Paragraph(f"the end of name {number}"),
        )
        sections.append(Section(name, name, blocks))
    files = tuple(Attachment(name, b"x", name) for name in HOSTILE)
    text = "".join(pages(write(replace(sample(), sections=tuple(sections), attachments=files))))
    for number in range(len(HOSTILE)):
        assert f"the end of name {number}" in text
        assert f"{number}.5" in text


@pytest.mark.parametrize("name", ["", "a\x00\udcff{nb} 猫 قطة" * 20])
def test_no_name_breaks_the_title(name: str) -> None:
    """Neither an empty title nor a wild one."""
    assert "One section" in "".join(pages(write(replace(report_of(), title=name, subtitle=name, id=name))))


def test_odd_numbers_do_not_stop_a_chart() -> None:
    """No points, one point, figures that are none, one place for all of them, values beyond one."""
    charts = (
        LineChart("none", "x", "y", (), "a"),
        LineChart("nan", "x", "y", (Series("s", ((float("nan"), 1, 1, 1),)),), "b"),
        LineChart("one", "x", "y", (Series("s", ((2, 0.5, 0.5, 0.5),)),), "c"),
        LineChart("large", "x", "y", (Series("s", ((0, -40, -50, -30), (1, 900, 800, 1000))),), "d"),
        LineChart("many", "x", "y", tuple(curve(f"line {n}", 0.9, n / 20) for n in range(14)), "e"),
        LineChart("wide", "x", "y", (Series("s", tuple((x, 0.5, 0.4, 0.6) for x in (0, 0.1, 1, 10, 100))),), "f"),
        BarChart("none", (), "g"),
        ConfusionMatrix("none", (), (), "h"),
        confusion(tuple(f"class {n}" for n in range(100))),
        Grid("none", (), ()),
        Grid("wide", tuple(Column(f"column {n}") for n in range(30)), (tuple(f"cell-{n}" for n in range(30)),)),
        Strip("none", ()),
        Facts(()),
        Paragraph(""),
    )
    text = bare("".join(pages(write(report_of(*charts)))))
    assert all(f"cell-{n}" in text for n in range(30))
    assert "class0class3class6class9" in text


def test_a_date_without_a_zone_or_none_at_all_is_no_reason_to_fail() -> None:
    """An old run may lack it."""
    for made, shown in (
        ("2026-11-22T21:45:59", "22 November 2026, 21:45"),
        ("2026-01-02T03:04:05.6+05:30", "03:04 UTC+05:30"),
        ("", "r-1"),
    ):
        assert shown in pages(write(replace(report_of(), made=made)))[0]
