"""PDF/UA-1 (ISO 14289-1) by a reader that is not ours: qpdf, through pikepdf, walks the tree and every page of a report.

veraPDF, the usual judge, is in no package registry that the project uses; what a machine can check of its profile is checked here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from capt_engine.reports.build import build, chosen
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Report
from capt_engine.reports.pdf.report import write
from tests.engine.reports.made_runs import kept
from tests.engine.reports.pdf.test_pdf_sample import sample

pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not installed; nox -s oracles brings it")

# ISO 32000-1, 14.8.4: what a tag may be called without a role map.
STANDARD = {
    "Document",
    "Part",
    "Art",
    "Sect",
    "Div",
    "BlockQuote",
    "Caption",
    "TOC",
    "TOCI",
    "Index",
    "NonStruct",
    "Private",
    "P",
    "H",
    "H1",
    "H2",
    "H3",
    "H4",
    "H5",
    "H6",
    "L",
    "LI",
    "Lbl",
    "LBody",
    "Table",
    "TR",
    "TH",
    "TD",
    "THead",
    "TBody",
    "TFoot",
    "Span",
    "Quote",
    "Note",
    "Reference",
    "BibEntry",
    "Code",
    "Link",
    "Annot",
    "Figure",
    "Formula",
    "Form",
}
INSIDE = {
    "TR": {"Table", "THead", "TBody", "TFoot"},
    "TH": {"TR"},
    "TD": {"TR"},
    "TOCI": {"TOC"},
    "Caption": {"Table", "Figure", "L", "TOC"},
}
PAINTS = {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "Tj", "TJ", "'", '"', "EI"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """A report with every block, a long and a short one of a run, and one of two runs."""
    run = kept(tmp_path_factory.mktemp("kept") / "run")
    return {
        "sample": sample(),
        "long": build(run),
        "short": chosen(build(run), (), short=True),
        "two": compare([run, run]),
    }


@pytest.fixture(scope="module", params=["sample", "long", "short", "two"])
def pdf(request: pytest.FixtureRequest, reports: dict[str, Report]) -> Iterator[pikepdf.Pdf]:
    """One of them as a file, opened by pikepdf."""
    with pikepdf.open(io.BytesIO(write(reports[request.param]))) as opened:
        yield opened


def elements(node: pikepdf.Object, parent: str = "") -> Iterator[tuple[pikepdf.Object, str]]:
    """Every structure element below a node, with the tag of its parent, in reading order."""
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid, parent
            yield from elements(kid, str(kid.S)[1:])


def attribute(element: pikepdf.Object, name: str) -> str:
    """An attribute of an element; "" where it has none of that name."""
    return str(element.get("/A", pikepdf.Dictionary()).get(name, ""))


def test_the_file_says_what_it_is(pdf: pikepdf.Pdf) -> None:
    """Marked, titled, in a language, PDF/UA-1 by its metadata, and the dates are those of the run."""
    root = pdf.Root
    assert bool(root.MarkInfo.Marked)
    assert not root.MarkInfo.get("/Suspects", False)
    assert str(root.Lang) == "en"
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    with pdf.open_metadata() as told:
        assert told["pdfuaid:part"] == "1"
        assert told["dc:title"] == str(pdf.docinfo.Title)
        assert told["dc:creator"] == ["CAPT Explorer"]
        assert told["xmp:CreateDate"] == told["xmp:ModifyDate"]
    assert pdf.pdf_version >= "1.7"
    assert pdf.check_pdf_syntax() == []


def test_the_tree_is_of_standard_tags_in_their_places(pdf: pikepdf.Pdf) -> None:
    """Every tag is known, stands where it may, headings skip no level, and rows of a table are equally wide."""
    level = 0
    for element, parent in elements(pdf.Root.StructTreeRoot):
        tag = str(element.S)[1:]
        assert tag in STANDARD
        assert parent in INSIDE.get(tag, {parent}), (tag, parent)
        if tag.startswith("H") and tag[1:].isdigit():
            assert 1 <= int(tag[1:]) <= level + 1
            level = int(tag[1:])
        if tag == "Table":
            rows = [[*elements(row)] for row, _ in elements(element) if str(row.S) == "/TR"]
            widths = {sum(int(attribute(cell, "/ColSpan") or 1) for cell, _ in row) for row in rows}
            assert len(widths) <= 1, widths
    assert level >= 1


def test_figures_have_words_and_headers_a_scope(pdf: pikepdf.Pdf) -> None:
    """Each figure has its alternative text and its place, each header cell says what it is the header of."""
    seen = set()
    for element, _ in elements(pdf.Root.StructTreeRoot):
        tag = str(element.S)[1:]
        seen.add(tag)
        if tag == "Figure":
            assert str(element.Alt).strip()
            assert attribute(element, "/BBox")
        if tag == "TH":
            assert attribute(element, "/Scope") in ("/Row", "/Column")
    assert {"Figure", "TH", "TD", "P"} <= seen


def test_nothing_is_drawn_outside_the_tags(pdf: pikepdf.Pdf) -> None:
    """Every mark of ink lies in marked content, which is in the tree under its number, or is decoration."""
    numbers = dict(zip(*[iter(pdf.Root.StructTreeRoot.ParentTree.Nums)] * 2, strict=True))
    for page in pdf.pages:
        assert str(page.obj.Tabs) == "/S"
        depth, marks = 0, []
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                depth += 1
                if name == "BDC" and "/MCID" in operands[1]:
                    marks.append(int(operands[1].MCID))
            elif name == "EMC":
                depth -= 1
            else:
                assert depth or name not in PAINTS, (page.index, name)
        assert depth == 0
        assert sorted(marks) == list(range(len(marks)))
        assert len(numbers[int(page.obj.StructParents)] if marks else ()) == len(marks)


def test_links_are_in_the_tree(pdf: pikepdf.Pdf) -> None:
    """Every link has words, leads to a page of the file, and belongs to an element."""
    numbers = dict(zip(*[iter(pdf.Root.StructTreeRoot.ParentTree.Nums)] * 2, strict=True))
    assert list(numbers) == sorted(numbers)
    links = [one for page in pdf.pages for one in page.obj.get("/Annots", [])]
    for one in links:
        element = numbers[int(one.StructParent)]
        assert str(element.S) == "/Link"
        assert any(isinstance(kid, pikepdf.Dictionary) and kid.Obj.objgen == one.objgen for kid in element.K)
        assert str(one.Contents)
        assert one.Dest[0].objgen in {page.obj.objgen for page in pdf.pages}
    tags = [str(element.S) for element, _ in elements(pdf.Root.StructTreeRoot)]
    assert len(links) == tags.count("/TOCI")


def test_every_font_is_embedded(pdf: pikepdf.Pdf) -> None:
    """A font comes with its outlines and with what its letters mean."""
    fonts = {font.objgen: font for page in pdf.pages for font in page.obj.Resources.get("/Font", {}).values()}
    assert fonts
    for font in fonts.values():
        assert "/ToUnicode" in font
        (inner,) = font.DescendantFonts
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(inner.FontDescriptor.keys())


def test_files_inside_have_both_names(tmp_path: Path) -> None:
    """An attachment is named for old readers and for new ones."""
    with pikepdf.open(io.BytesIO(write(build(kept(tmp_path / "run", 2))))) as pdf:
        names = pdf.Root.Names.EmbeddedFiles.Names
        assert all({"/F", "/UF"} <= set(one.keys()) for one in list(names)[1::2])
