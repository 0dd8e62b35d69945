"""The vocabulary of the toy world: synonyms of every class, the sentences they come in, and how a caption is drawn."""

from __future__ import annotations

from numpy.random import Generator

from capt_engine.demo.domains import Subject
from capt_engine.model.vocabulary import words

# The first word of each line is the canonical class name; a later word is a synonym that captions also use.
SHAPES: dict[str, tuple[str, ...]] = {
    "sphere": ("sphere", "ball"),
    "cube": ("cube", "box", "block"),
    "cylinder": ("cylinder", "drum"),
    "cone": ("cone",),
    "donut": ("donut", "torus", "ring"),
    "pyramid": ("pyramid",),
    "capsule": ("capsule", "pill"),
    "diamond": ("diamond", "octahedron", "gem"),
    "star": ("star",),
    "cross": ("cross", "plus sign"),
    "heart": ("heart",),
    "mug": ("mug", "cup"),
    "arch": ("arch", "gate"),
    "moon": ("moon", "crescent"),
}
COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson"),
    "orange": ("orange",),
    "yellow": ("yellow", "golden yellow"),
    "green": ("green",),
    "cyan": ("cyan", "turquoise"),
    "blue": ("blue",),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose"),
}
MATERIALS: dict[str, tuple[str, ...]] = {
    "rubber": ("rubber", "matte rubber"),
    "plastic": ("plastic", "shiny plastic"),
    "metal": ("metal", "brushed metal", "metallic"),
    "wood": ("wood", "wooden"),
    "marble": ("marble", "veined marble"),
}

FAMILIES = ("shapes", "colours", "materials", "shape-material", "colour-shape", "colour-material-shape")

# The families of one factor: the synonyms of each of their classes.
SIMPLE = {"shapes": SHAPES, "colours": COLOURS, "materials": MATERIALS}

_SYNONYMS = SHAPES | COLOURS | MATERIALS

SHAPE_TEMPLATE = "a photo of a {}."
QUALITY_TEMPLATE = "a photo of a {} object."

_SHAPE_SENTENCES = (
    "a photo of a {}.", "a photo of a {}.", "a {}.", "{}", "a picture of a {}.", "an image of a {}.",
    "a {} on the floor.", "a render of a {}.", "there is a {} here.", "this is a {}.", "a small {}.",
    "a photo of one {}.",
)  # fmt: skip
_QUALITY_SENTENCES = (
    "a photo of a {} object.", "a {} object.", "a {} thing.", "a photo of a {}.", "{}", "a photo of something {}.",
    "a picture of a {} object.", "something {}.", "a {} toy.", "this is a {} object.", "a photo of a {} thing.",
)  # fmt: skip
_SENTENCES = {
    "shapes": _SHAPE_SENTENCES,
    "colours": (
        *_QUALITY_SENTENCES,
        "the colour is {}.", "an object painted {}.", "a thing coloured {}.", "a photo of a {} object.",
    ),
    "materials": (
        *_QUALITY_SENTENCES,
        "an object made of {}.", "a thing made from {}.", "a photo of a {} object.", "the material is {}.",
    ),
}  # fmt: skip
_MADE_OF = "{} made of {}"
_BEFORE_VOWEL = "an {}"
_JOINED_SENTENCES = (
    "a photo of a {}.", "a photo of a {}.", "a {}.", "{}", "a picture of a {}.", "an image of a {}.",
    "a render of a {}.", "this is a {}.", "a {} on the floor.", "there is a {} here.",
)  # fmt: skip


def _one(rng: Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _word(rng: Generator, synonyms: tuple[str, ...]) -> str:
    """The canonical word half of the time, any of the synonyms otherwise."""
    return synonyms[0] if rng.random() < 0.5 else _one(rng, synonyms)


def _filled(sentence: str, name: str, rng: Generator) -> str:
    """The sentence about a name, with "an" before a vowel most of the time; class lists put "a" before anything."""
    if name[0] in "aeiou" and rng.random() < 0.6:
        sentence = sentence.replace("a {}", _BEFORE_VOWEL)
    return sentence.format(name)


def class_caption(family: str, name: str, rng: Generator) -> str:
    """Draw a random English caption that names one class, with random synonyms and sentence, and nothing else.

    family: one of FAMILIES, such as "shapes" or "shape-material". name: the class, in canonical words; in a joined
    family they stand in the order colour, material, shape, as in "metal cube". rng: the source of the draws.
    """
    if family in SIMPLE:
        return _filled(_one(rng, _SENTENCES[family]), _word(rng, _SYNONYMS[name]), rng)
    canonical = name.split(" ")
    drawn = [_word(rng, _SYNONYMS[word]) for word in canonical]
    if "material" in family and rng.random() < 0.25:
        drawn.pop(-2)
        return _filled(_one(rng, _JOINED_SENTENCES), _MADE_OF.format(" ".join(drawn), canonical[-2]), rng)
    return _filled(_one(rng, _JOINED_SENTENCES), " ".join(drawn), rng)


def class_name(family: str, subject: Subject) -> str:
    """Return the class of a subject in a family of classes, in canonical words, as "metal cube" in "shape-material"."""
    if family in SIMPLE:
        return str(getattr(subject, family.removesuffix("s")))
    parts = (("colour", subject.colour), ("material", subject.material), ("shape", subject.shape))
    return " ".join(name for part, name in parts if part in family)


def vocabulary() -> tuple[str, ...]:
    """Return every word that a caption or a plain sentence of training may hold, in lower case and in the order of the alphabet."""
    names = (one for some in _SYNONYMS.values() for one in some)
    sentences = (one for some in _SENTENCES.values() for one in some)
    texts = (SHAPE_TEMPLATE, QUALITY_TEMPLATE, *sentences, *_JOINED_SENTENCES, _MADE_OF, _BEFORE_VOWEL, *names)
    return tuple(sorted({word for text in texts for word in words(text)}))
