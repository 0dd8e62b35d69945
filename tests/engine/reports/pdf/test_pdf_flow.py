"""How the PDF breaks its pages and its lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capt_engine.reports.pdf import fonts
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece, flow
from capt_engine.reports.pdf.text import visual
from capt_engine.reports.pdf.theme import BODY, BOTTOM, TOP

ROOM = BOTTOM - TOP


def laid(pieces: list[tuple[str, float, bool]], again: Piece | None = None) -> list[list[str]]:
    """The names of the pieces of each page; nothing may reach below the page."""
    result: list[list[str]] = []

    def piece(name: str, height: float, keep: bool) -> Piece:
        def draw(top: float) -> None:
            assert height > ROOM or top + height <= BOTTOM + 1e-6
            result[-1].append(name)

        return Piece(height, draw, gap=1.0, keep=keep, again=again)

    flow([piece(*one) for one in pieces], lambda: result.append([]))
    return result


@pytest.mark.parametrize("filled", range(200, int(ROOM)))
def test_a_heading_goes_with_what_it_announces(filled: int) -> None:
    """However full the page is, a heading is never its last line."""
    pages = laid([("filler", float(filled), False), ("heading", 6.0, True), ("line", 5.0, True), ("line", 5.0, False)])
    assert all(page[-1] != "heading" for page in pages)
    assert sum(map(len, pages)) == 4


def test_what_is_longer_than_a_page_is_split_after_all() -> None:
    """Nothing is lost where everything wants to stay together."""
    pages = laid([(str(number), 20.0, True) for number in range(30)])
    assert [name for page in pages for name in page] == [str(number) for number in range(30)]
    assert len(pages) > 1


def test_what_is_repeated_stands_on_top_of_each_later_page() -> None:
    """A table's header is drawn again where its rows go on."""
    drawn: list[float] = []
    laid([(str(number), 10.0, False) for number in range(60)], again=Piece(8.0, drawn.append))
    assert drawn == [TOP, TOP]


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    """A canvas with the bundled font alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fonts, "font_folders", tuple)
        canvas = Canvas(("猫",))
        yield canvas
        canvas.fonts.close()


def test_no_line_is_wider_than_it_may_be(canvas: Canvas) -> None:
    """Words, one long word, letters without spaces, and a width that holds hardly a letter."""
    for text in ("some words " * 30, "x" * 500, "猫" * 200, "a/b_c-" * 99, "mixed 猫猫猫 words " * 20):
        for width in (4.0, 20.0, 100.0):
            lines = canvas.wrap(text, BODY, width)
            assert all(canvas.width(line, BODY) <= width for line in lines)
            assert "".join("".join(lines).split()) == "".join(text.split())


def test_figures_stay_with_their_units_and_names_with_their_endings(canvas: Canvas) -> None:
    """No line ends before a percent sign, inside "ε = 4/255" or before the "png" of a file, in any width that they fit in."""
    text = "moon (91.2 %), ε = 4/255, p < 0.0001, folder/night-purple-wood-moon.png"
    for width in range(24, 90):
        lines = canvas.wrap(text, BODY, width)
        assert "".join(" ".join(lines).split()) == "".join(text.split())
        assert not [line for line in lines if line.startswith(("%", "=", "4/255", "<", "0.0001", "png", "."))], lines


def test_what_cannot_be_drawn_is_named_or_boxed(canvas: Canvas) -> None:
    """A few strange characters are named by their code points, many are boxes; a lone surrogate is never left in a text."""
    assert canvas.readable("猫.png") == "猫(U+732B).png"
    assert canvas.readable("猫" * 9) == "猫" * 9
    assert list(canvas.fonts.runs("猫.png", BODY)) == [("dejavu", "", "□.png")]
    assert canvas.readable("a\udcffb") == "a□(U+DCFF)b"
    assert canvas.readable("\x00" * 5) == "□" * 5
    assert canvas.readable("a\u202eb") == "a□(U+202E)b"
    assert canvas.readable("café, кошка, γάτα, قطة, חתול") == "café, кошка, γάτα, قطة, חתול"


def test_names_from_right_to_left_are_put_in_order() -> None:
    """Hebrew is turned, its brackets mirrored; Arabic letters are joined; other texts are left as they are."""
    assert visual("cat (1).png") == "cat (1).png"
    assert visual("חתול (1)") == "(1) לותח"
    assert visual("قطة") == "\ufe94\ufec4\ufed7"
    assert visual("a قطة.png") == "a \ufe94\ufec4\ufed7.png"
