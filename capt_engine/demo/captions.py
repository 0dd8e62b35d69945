"""The words of the toy world: synonyms of every class, the sentences they come in, and how a caption is drawn."""

from __future__ import annotations

from numpy.random import Generator

from capt_engine.demo.domains import Subject

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
_COLOURS_MORE = ("the colour is {}.", "an object painted {}.", "a thing coloured {}.", "a photo of a {} object.")
_MATERIALS_MORE = ("an object made of {}.", "a thing made from {}.", "a photo of a {} object.", "the material is {}.")
_JOINED_SENTENCES = (
    "a photo of a {}.", "a photo of a {}.", "a {}.", "{}", "a picture of a {}.", "an image of a {}.",
    "a render of a {}.", "this is a {}.", "a {} on the floor.", "there is a {} here.",
)  # fmt: skip


def _one(rng: Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _word(rng: Generator, synonyms: tuple[str, ...]) -> str:
    """The canonical word half of the time, any of the synonyms otherwise."""
    return synonyms[0] if rng.random() < 0.5 else _one(rng, synonyms)


def _said(sentence: str, words: str, rng: Generator) -> str:
    """The sentence with its words, with "an" before a vowel most of the time; class lists put "a" before anything."""
    if words[0] in "aeiou" and rng.random() < 0.6:
        sentence = sentence.replace("a {}", "an {}")
    return sentence.format(words)


def class_caption(family: str, name: str, rng: Generator) -> str:
    """A sentence that says one class of a family and nothing else.

    `family` is `shapes`, `colours`, `materials`, or joined by `-` (`colour-shape`, `shape-material`,
    `colour-material-shape`), where `name` holds the canonical words in the order colour, material, shape.
    """
    if family == "shapes":
        return _said(_one(rng, _SHAPE_SENTENCES), _word(rng, SHAPES[name]), rng)
    if family == "colours":
        return _said(_one(rng, _QUALITY_SENTENCES + _COLOURS_MORE), _word(rng, COLOURS[name]), rng)
    if family == "materials":
        return _said(_one(rng, _QUALITY_SENTENCES + _MATERIALS_MORE), _word(rng, MATERIALS[name]), rng)
    words = []
    for part in name.split(" "):
        table = COLOURS if part in COLOURS else MATERIALS if part in MATERIALS else SHAPES
        words.append(_word(rng, table[part]))
    if "material" in family and rng.random() < 0.25:
        words.pop(-2)
        material = name.split(" ")[-2]
        return _said(_one(rng, _JOINED_SENTENCES), f"{' '.join(words)} made of {material}", rng)
    return _said(_one(rng, _JOINED_SENTENCES), " ".join(words), rng)


def class_name(family: str, subject: Subject) -> str:
    """The canonical class of a subject in a family, e.g. `metal cube` in `shape-material`."""
    colour, material, shape = subject.colour, subject.material, subject.shape
    return {
        "shapes": shape,
        "colours": colour,
        "materials": material,
        "shape-material": f"{material} {shape}",
        "colour-shape": f"{colour} {shape}",
        "colour-material-shape": f"{colour} {material} {shape}",
    }[family]


def caption(subject: Subject, rng: Generator) -> str:
    """A sentence about a subject: all three factors, or only one or two of them."""
    families = ("colour-material-shape", "colour-shape", "shape-material", "shapes", "colours", "materials")
    family = families[int(rng.choice(len(families), p=(0.4, 0.2, 0.15, 0.1, 0.08, 0.07)))]
    return class_caption(family, class_name(family, subject), rng)
