"""The HTML page: it asks nobody for anything, believes no name it is given, says all there is to say, and is the same twice."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import os
import re
import subprocess
import sys
import tracemalloc
from functools import cache
from html.parser import HTMLParser

from PIL import Image

from capt_engine.records import Bar, BarChart, ConfusionMatrix, LineChart, Picture, Series, SignedPicture
from capt_engine.reports.document import Attachment, Block, Facts, Grid, Lights, Paragraph, Report, Section, Strip
from capt_engine.reports.html import pictures
from capt_engine.reports.html import report as html_report
from capt_engine.reports.html.text import bound, plain
from tests.engine.reports.html.test_html_sample import HOSTILE, SCRIPTS, grid, matrix, sample

_VOID = {"meta", "link", "img"}
_TAGS = set(
    re.findall(
        r"\S+",
        "html head meta title link style script body a div header h1 h2 p span time bdi nav ol li main section dl dt dd code ul b small "
        "figure figcaption svg g path text rect circle desc details summary table caption thead tbody tr th td img footer",
    )
)
_ATTRIBUTES = set(
    re.findall(
        r"\S+",
        "lang charset http-equiv content name rel href class id role aria-label aria-labelledby aria-hidden datetime tabindex scope "
        "data-sort data-filter data-step width height viewbox d x y cx cy r transform src alt download "
        "xmlns fill fill-opacity stroke stroke-width stroke-linejoin stroke-dasharray font-family font-size font-weight text-anchor",
    )
)


class _Page(HTMLParser):
    """What a browser would make of the page: elements with their attributes, and the text of each."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element; names of attributes must be unique."""
        assert len({key for key, _ in attrs}) == len(attrs)
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in _VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        """Every element is closed by its own end."""
        if tag in {"path", "rect", "circle"} and self._open[-1][0] != tag:
            return
        opened, parts = self._open.pop()
        assert opened == tag
        self.texts.append((tag, "".join(parts)))

    def handle_data(self, data: str) -> None:
        """Text belongs to all that is open around it."""
        for _, parts in self._open:
            parts.append(data)

    def handle_comment(self, data: str) -> None:
        """The page has no comments, so one would come from a name."""
        raise AssertionError(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of a kind."""
        return [attributes for found, attributes in self.elements if found == tag]

    def said(self, *tags: str) -> list[str]:
        """The text of every element of these kinds."""
        return [words for tag, words in self.texts if tag in tags]


@cache
def _drawn(rows: int = 60) -> tuple[str, _Page]:
    source = html_report.write(sample(rows)).decode("utf-8")
    return source, _Page(source)


def _report(*blocks: Block, attachments: tuple[Attachment, ...] = ()) -> Report:
    return Report("id", "Title", "", "", (Section("one", "One", blocks),), attachments)


def test_no_element_or_attribute_comes_from_a_name() -> None:
    """Whatever files are called, the page holds only elements and attributes that we wrote."""
    _, page = _drawn()
    assert {tag for tag, _ in page.elements} <= _TAGS
    assert {key for _, attributes in page.elements for key in attributes} <= _ATTRIBUTES
    assert len(page.all("script")) == len(page.all("style")) == len(page.all("title")) - len(_svg_titles(page)) == 1


def _svg_titles(page: _Page) -> list[str]:
    kinds = [tag for tag, _ in page.elements]
    return [tag for tag in kinds[kinds.index("body") :] if tag == "title"]


def test_hostile_names_stay_readable() -> None:
    """Every hostile name and every script is found again as text, with what cannot be seen written out."""
    _, page = _drawn()
    heads = page.said("th")
    assert all(plain(name) in heads for name in (*HOSTILE, *SCRIPTS))
    assert plain("photo\u202egnp.exe") == "photo\\u202egnp.exe"
    assert plain("half\udc80byte") == "half\\udc80byte"
    assert plain("bell\x07null\x00") == "bell\\x07null\\x00"
    assert plain(SCRIPTS[-1]) == SCRIPTS[-1]


def test_nothing_is_asked_of_anybody() -> None:
    """Addresses point into the page or hold their own content; style and script name no other place."""
    source, page = _drawn()
    for _, attributes in page.elements:
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert attributes.get("href", "#").startswith(("#", "data:"))
    ours = "".join(re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", source, re.DOTALL))
    assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch|XMLHttp|innerHTML|eval\(", ours)


def test_only_our_style_and_script_may_run() -> None:
    """The policy forbids all but pictures inside the page and the very style and script that stand in it."""
    source, page = _drawn()
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert source.index("Content-Security-Policy") < source.index("<style>")


def test_inner_links_lead_somewhere() -> None:
    """Every link of the contents has its target, and no two elements share an id."""
    _, page = _drawn()
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [one for _, attributes in page.elements for one in attributes.get("aria-labelledby", "").split()]
    assert {one["href"][1:] for one in page.all("a") if one["href"].startswith("#")} | set(named) <= set(ids)


def test_sections_of_one_name_are_told_apart() -> None:
    """Section ids that would give the same address, or none, still give addresses of their own."""
    report = Report("id", "Title", "", "", tuple(Section(one, one, ()) for one in ("a b", "a-b", "", "é", '"><b>')))
    page = _Page(html_report.write(report).decode())
    ids = [one["id"] for one in page.all("h2")]
    assert len(set(ids)) == 5


def test_the_page_is_marked_up_for_those_who_listen() -> None:
    """Language, one title, landmarks, headings in order, captions, scopes and names of pictures and charts are there."""
    _, page = _drawn()
    kinds = [tag for tag, _ in page.elements]
    assert page.all("html") == [{"lang": "en"}]
    assert all(kinds.count(one) == 1 for one in ("header", "nav", "main", "footer", "h1"))
    assert all(one["alt"] for one in page.all("img"))
    charts = [one for one in page.all("svg") if one.get("aria-hidden") != "true"]
    assert len(charts) == 3
    assert all(one["role"] == "img" and len(one["aria-labelledby"].split()) == 2 for one in charts)
    assert kinds.count("caption") == len([one for one in page.all("table") if one.get("class") == "grid"])
    assert all(one.get("scope") in {"row", "col"} for one in page.all("th"))


def test_every_cell_is_there() -> None:
    """A table's cells are all found again, in order."""
    _, page = _drawn()
    cells = [words for tag, words in page.texts if tag in {"th", "td"}]
    wanted = [bound(plain(cell)) for row in grid(60).rows for cell in row]
    start = cells.index(wanted[0], cells.index("Broken"))
    assert cells[start : start + len(wanted)] == wanted


def test_checks_say_their_status_in_words() -> None:
    """A check's status is a word beside a shape, and never a colour alone."""
    _, page = _drawn()
    said = [words.strip() for words in page.said("span")]
    assert [said.count(word) for word in ("Pass", "Fail", "Not run")] == [2, 1, 1]


def test_a_perturbation_has_the_colours_of_its_bar() -> None:
    """Darker by the whole budget is the bar's left end, no change its middle, brighter its right end; the ends are named."""
    change = SignedPicture(3, 1, 4 / 255, bytes((129, 129, 129, 0, 0, 0, 127, 127, 127)))
    drawn, bar = (_pixels(address) for address in (pictures.perturbation(change), pictures.scale_bar()))
    assert drawn == [bar[0], bar[127], bar[-1]] == [(33, 102, 172), (247, 247, 247), (204, 96, 10)]
    _, page = _drawn()
    assert {"\u22124/255", "+4/255"} <= set(page.said("span"))


def _pixels(address: str) -> list[tuple[int, ...]]:
    """The colours of a picture inside a page, rows from the top."""
    encoded = io.BytesIO(base64.b64decode(address.split(",")[1]))
    return [tuple(one) for one in Image.open(encoded).convert("RGB").get_flattened_data()]


def test_pictures_are_kept_exactly() -> None:
    """A picture inside the page has the very pixels it was given."""
    rgb = bytes(range(36))
    drawn = Image.open(io.BytesIO(base64.b64decode(pictures.picture(Picture(4, 3, rgb)).split(",")[1])))
    assert (drawn.size, drawn.tobytes()) == ((4, 3), rgb)


def test_files_travel_inside_the_page_up_to_a_size() -> None:
    """Small files can be saved from the page, byte for byte; of large ones it says where they are."""
    small = Attachment("rows.csv", bytes(range(256)) * 1000, "rows")
    page = _Page(html_report.write(_report(attachments=(small,))).decode())
    (link,) = [one for one in page.all("a") if "download" in one]
    assert link["download"] == "rows.csv"
    assert base64.b64decode(link["href"].removeprefix("data:text/csv;base64,")) == small.content
    large = dataclasses.replace(small, content=bytes(html_report.CARRIED + 1))
    page = _Page(html_report.write(_report(attachments=(large,))).decode())
    assert not [one for one in page.all("a") if "download" in one]
    assert any("too large to travel inside this page" in words for words in page.said("p"))


def test_the_same_report_gives_the_same_bytes() -> None:
    """Neither the clock nor the order of a hash shows in the page."""
    code = (
        "import hashlib; from capt_engine.reports.html.report import write; from tests.engine.reports.html.test_html_sample import sample;"
        "print(hashlib.sha256(write(sample())).hexdigest())"
    )
    # Another order of hashes than this process has: seeds are of 32 bits, and its own was drawn.
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": "."}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(_drawn()[0].encode()).hexdigest()


def test_ten_thousand_rows_are_complete_and_small() -> None:
    """A long table is whole, in a few bytes a cell, and in memory of a small multiple of the file."""
    report = _report(grid(10_000))
    tracemalloc.start()
    drawn = html_report.write(report)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(drawn) < 4_000_000
    assert peak < 3 * len(drawn)
    assert drawn.count(b"<tr>") == 10_001


def test_rows_that_were_left_out_are_told_of() -> None:
    """A table that is cut says how many rows there would be."""
    cut = dataclasses.replace(grid(20), total=12_345)
    page = _Page(html_report.write(_report(cut)).decode())
    assert any("20 of 12,345 rows" in words for words in page.said("p"))


def test_a_matrix_of_many_classes_is_drawn_as_dots() -> None:
    """Hundreds of classes make a few shapes, one a colour, not a hundred thousand elements; its names are thinned."""
    drawn = html_report.write(_report(matrix(200)))
    page = _Page(drawn.decode())
    assert len(drawn) < 700_000
    assert len(page.elements) < 250
    assert 60 < len(page.said("text")) < 120


def test_odd_blocks_are_drawn_without_complaint() -> None:
    """Nothing to draw, figures that are no numbers, unknown kinds and empty tables give a page all the same."""
    nan = float("nan")
    report = _report(
        LineChart("empty", "x", "y", (), "nothing"),
        LineChart("nan", "x", "y", (Series("s", ((nan, nan, nan, nan),)),), "nothing"),
        LineChart("point", "x", "y", (Series("s", ((2, 0.5, 0.5, 0.5),)),), "one point"),
        LineChart("large", "x", "margin", (Series("s", ((0, -8, -9, -7), (1, 12, 11, 14))),), "beyond percent"),
        BarChart("none", (), "nothing"),
        BarChart("beyond", (Bar("b", 1.5, -1, nan),), "beyond"),
        ConfusionMatrix("none", (), (), "nothing"),
        ConfusionMatrix("zero", ("a",), ((0,),), "no pictures"),
        Grid("empty", (), ()),
        Facts(()),
        Lights("", ()),
        Strip("none", ()),
        Paragraph("", "no such kind"),
    )
    page = _Page(html_report.write(report).decode())
    assert "There is nothing to draw." in page.said("p")
    assert not re.search(r"nan|inf\b", " ".join(one.get("d", "") for _, one in page.elements))
