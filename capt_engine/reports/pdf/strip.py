"""Examples of a report: clean, perturbation and adversarial side by side, with what was said of them."""

from __future__ import annotations

from collections.abc import Iterator

from fpdf.structure_tree import StructElem
from PIL import Image

from capt_engine.records import Picture, SignedPicture, SignedScale, palette
from capt_engine.reports.document import Example, Strip
from capt_engine.reports.pdf.blocks import caption_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.theme import HAIRLINE, LEFT, NOTE, RULE, SMALL, SMALL_STRONG, WIDTH

_SIDE = 30.0
_BETWEEN = 3.0
_CRISP = 240  # pixels: a picture smaller than this is enlarged in whole steps, so that no viewer blurs it
_LARGEST = 640
_BAR = 1.3


def strip_pieces(canvas: Canvas, parent: StructElem, block: Strip) -> Iterator[Piece]:
    """Yield the examples in `block` as PDF pieces, one each: clean, perturbation and adversarial side by side.

    Their names and words stand beside them. canvas: the PDF to draw on. parent: the structure element that takes the
    examples.
    """
    yield from caption_pieces(canvas, parent, block.caption)
    for number, example in enumerate(block.examples):
        yield _example_piece(canvas, canvas.tree.branch("Div", parent), example, number)


def _example_piece(canvas: Canvas, element: StructElem, example: Example, number: int) -> Piece:
    shown: list[tuple[str, Image.Image]] = [("clean", picture(example.clean))]
    if example.perturbation is not None:
        shown.append(("perturbation", perturbation(example.perturbation)))
    if example.adversarial is not None:
        shown.append(("adversarial", picture(example.adversarial)))
    left = LEFT + 3 * (_SIDE + _BETWEEN) + 2
    width = LEFT + WIDTH - left
    names = canvas.wrap(example.name, SMALL_STRONG, width)[:6]
    caption = canvas.wrap(example.words, SMALL, width)[:24]
    text_height = len(names) * SMALL_STRONG.line_height + 1 + len(caption) * SMALL.line_height
    below = NOTE.line_height * (2 if example.perturbation is not None else 1)
    height = max(_SIDE + below + 0.8, text_height) + 4.5

    def draw(top: float) -> None:
        with canvas.artifact():
            canvas.rule(top, weight=0.12, color=HAIRLINE)
        top += 2.5
        with canvas.marked(element, "Figure", example.alt):
            for place, (title, image) in enumerate(shown):
                x = LEFT + place * (_SIDE + _BETWEEN)
                scale = _SIDE / max(image.size)
                w, h = image.width * scale, image.height * scale
                canvas.picture(image, x + (_SIDE - w) / 2, top + (_SIDE - h) / 2, w, h)
                canvas.pdf.set_draw_color(*RULE)
                canvas.pdf.set_line_width(0.12)
                canvas.pdf.rect(x + (_SIDE - w) / 2, top + (_SIDE - h) / 2, w, h)
                canvas.line_of_text(x + _SIDE / 2, top + _SIDE + 0.6, title, NOTE, "center")
            if example.perturbation is not None:
                place_below = top + _SIDE + 0.6 + NOTE.line_height
                _draw_scale(canvas, SignedScale(example.perturbation.scale), LEFT + _SIDE + _BETWEEN, place_below)
        with canvas.marked(element, "P"):
            under = canvas.lines(left, top - 0.4, names, SMALL_STRONG)
            canvas.lines(left, under + 1, caption, SMALL)

    return Piece(height, draw, gap=2.0 if number == 0 else 1.0, keep=False)


def _draw_scale(canvas: Canvas, scale: SignedScale, left: float, top: float) -> None:
    """Draw the bar of the scale between the labels of its ends, as wide as the picture above it."""
    low, _, high = scale.labels
    canvas.line_of_text(left, top, low, NOTE)
    canvas.line_of_text(left + _SIDE, top, high, NOTE, "right")
    start, end = (canvas.width(label, NOTE) + 1.2 for label in (low, high))
    colours = palette()
    bar = Image.frombytes("RGB", (len(colours) // 3, 1), colours)
    canvas.picture(bar, left + start, top + (NOTE.line_height - _BAR) / 2, _SIDE - start - end, _BAR)


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
