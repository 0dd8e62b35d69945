"""Examples of a report: clean, perturbation and adversarial side by side, with what was said of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fpdf.structure_tree import StructElem
from PIL import Image

from capt_engine.records import Picture, SignedPicture, SignedScale, palette
from capt_engine.reports.document import Example, Strip
from capt_engine.reports.pdf.blocks import caption_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.theme import LEFT, NOTE, RULE, SMALL, SMALL_STRONG, WIDTH, Style

_IN_TWO, _GUTTER = (1, 2, 4), 7.0
"""So many examples stand two in a row instead of three, where neither leaves a hole."""
_BETWEEN = 2.0
_IN_A_ROW, _APART = 3, 6.0
_CRISP = 240  # pixels: a picture smaller than this is enlarged in whole steps, so that no viewer blurs it
_LARGEST = 640
_BAR = 1.3
_END = Style(5.6, color=NOTE.color, leading=NOTE.size * NOTE.leading / 5.6)


def strip_pieces(canvas: Canvas, parent: StructElem, block: Strip) -> Iterator[Piece]:
    """Yield the examples in `block` as PDF pieces, two or three in each: clean, attacked and perturbation side by side.

    Their names and words stand below them. canvas: the PDF to draw on. parent: the structure element that takes the
    examples.
    """
    yield from caption_pieces(canvas, parent, block.caption)
    if block.side_by_side:
        if block.examples:
            yield _row_piece(canvas, parent, block.examples[:_IN_A_ROW])
        return
    columns = 2 if len(block.examples) in _IN_TWO else 3
    for first in range(0, len(block.examples), columns):
        yield _examples_piece(canvas, parent, block.examples[first : first + columns], columns, first == 0)


def _row_piece(canvas: Canvas, parent: StructElem, examples: Sequence[Example]) -> Piece:
    """Up to three examples in a row, each its clean and its attacked picture over its name and words."""
    column = (WIDTH - (_IN_A_ROW - 1) * _APART) / _IN_A_ROW
    side = (column - _BETWEEN / 2) / 2
    texts = [
        (canvas.wrap(one.name, SMALL_STRONG, column)[:2], canvas.wrap(one.words, SMALL, column)[:7]) for one in examples
    ]
    lines = max(len(names) * SMALL_STRONG.line_height + len(words) * SMALL.line_height for names, words in texts)
    elements = [canvas.tree.branch("Div", parent) for _ in examples]

    def draw(top: float) -> None:
        for number, (example, element, (names, words)) in enumerate(zip(examples, elements, texts, strict=True)):
            left = LEFT + number * (column + _APART)
            shown = [("clean", picture(example.clean))]
            shown += [("attacked", picture(example.adversarial))] if example.adversarial is not None else []
            with canvas.marked(element, "Figure", example.alt, canvas.box(left, top, column, side + NOTE.line_height)):
                for place, (title, image) in enumerate(shown):
                    x = left + place * (side + _BETWEEN / 2)
                    _framed(canvas, image, x, top, side)
                    canvas.line_of_text(x + side / 2, top + side + 0.4, title, NOTE, "center")
            below = top + side + 0.8 + NOTE.line_height
            with canvas.marked(element, "P"):
                below = canvas.lines(left, below, names, SMALL_STRONG)
            with canvas.marked(element, "P"):
                canvas.lines(left, below, words, SMALL)

    return Piece(side + NOTE.line_height + 0.8 + lines + 1, draw, gap=2.0)


def _framed(canvas: Canvas, image: Image.Image, left: float, top: float, side: float) -> None:
    """Draw a picture in the middle of a square, with a thin frame around it."""
    scale = side / max(image.size)
    w, h = image.width * scale, image.height * scale
    x, y = left + (side - w) / 2, top + (side - h) / 2
    canvas.picture(image, x, y, w, h)
    canvas.pdf.set_draw_color(*RULE)
    canvas.pdf.set_line_width(0.12)
    canvas.pdf.rect(x, y, w, h)


def _examples_piece(
    canvas: Canvas, parent: StructElem, examples: Sequence[Example], columns: int, is_first: bool
) -> Piece:
    """Two or three examples, each its clean and its attacked picture and the perturbation over its name and words."""
    column = (WIDTH - (columns - 1) * _GUTTER) / columns
    side = (column - 2 * _BETWEEN) / 3
    elements = [canvas.tree.branch("Div", parent) for _ in examples]
    texts = [
        (canvas.wrap(one.name, SMALL_STRONG, column)[:4], canvas.wrap(one.words, SMALL, column)[:24])
        for one in examples
    ]
    below = side + 0.6 + NOTE.line_height + 0.4
    lines = max(len(names) * SMALL_STRONG.line_height + len(words) * SMALL.line_height for names, words in texts)

    def draw(top: float) -> None:
        for number, (example, element, (names, words)) in enumerate(zip(examples, elements, texts, strict=True)):
            left = LEFT + number * (column + _GUTTER)
            with canvas.marked(element, "Figure", example.alt, canvas.box(left, top, column, below)):
                _draw_three(canvas, example, left, top, side)
            with canvas.marked(element, "P"):
                under = canvas.lines(left, top + below, names, SMALL_STRONG)
                canvas.lines(left, under, words, SMALL)

    return Piece(below + lines + 1.0, draw, gap=2.0 if is_first else 2.4)


def _draw_three(canvas: Canvas, example: Example, left: float, top: float, side: float) -> None:
    """Draw the pictures of one example with a word below each; below the perturbation stands its scale."""
    shown = [("clean", picture(example.clean))]
    shown += [("attacked", picture(example.adversarial))] if example.adversarial is not None else []
    for place, (title, image) in enumerate(shown):
        x = left + place * (side + _BETWEEN)
        _framed(canvas, image, x, top, side)
        canvas.line_of_text(x + side / 2, top + side + 0.6, title, NOTE, "center")
    if example.perturbation is not None:
        x = left + len(shown) * (side + _BETWEEN)
        _framed(canvas, perturbation(example.perturbation), x, top, side)
        _draw_scale(canvas, SignedScale(example.perturbation.scale), x, top + side + 0.6, side)


def _draw_scale(canvas: Canvas, scale: SignedScale, left: float, top: float, width: float) -> None:
    """Draw the bar of the scale between the labels of its ends, as wide as the picture above it."""
    low, _, high = scale.labels
    canvas.line_of_text(left, top, low, _END)
    canvas.line_of_text(left + width, top, high, _END, "right")
    start, end = (canvas.width(label, _END) + 0.8 for label in (low, high))
    colours = palette()
    bar = Image.frombytes("RGB", (len(colours) // 3, 1), colours)
    if (room := width - start - end) > 1:
        canvas.picture(bar, left + start, top + (NOTE.line_height - _BAR) / 2, room, _BAR)


def picture(value: Picture) -> Image.Image:
    """Return the picture `value` as a Pillow image in a size that prints well.

    A small one is enlarged with its pixels kept sharp; one of more than 640 pixels on its longer side is reduced.
    """
    return _sized(Image.frombytes("RGB", (value.width, value.height), value.rgb))


def perturbation(value: SignedPicture) -> Image.Image:
    """Return the perturbation `value` as a Pillow image, on the symmetric scale of its own units, in a size that prints well."""
    return picture(SignedScale(value.scale).draw(value))


def _sized(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    if longest > _LARGEST:
        return image.resize(
            (max(image.width * _LARGEST // longest, 1), max(image.height * _LARGEST // longest, 1)),
            Image.Resampling.LANCZOS,
        )
    step = max(-(-_CRISP // longest), 1)
    return image.resize((image.width * step, image.height * step), Image.Resampling.NEAREST)
