"""Class names as a model reads them: words that it was never trained on, and names that are the same tokens to it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result

ABOUT_NAMES = "Class names "
"""Sentences that list class names, or the folders that they were paired with, begin so; reports that hide those leave them out."""

_SAID = 3
_LONGEST = 40


@dataclass(frozen=True)
class UnknownWord:
    """A word that a model was never trained on; it knows `known` words.

    classes: the class names that hold the word; none where it stands in the template. nearest: the known words nearest to it in
    spelling, the nearest first; only the first few words of a list have them. tuned: the prompts or the image tower were tuned on
    pictures of these classes.
    """

    word: str
    known: int
    classes: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    tuned: bool = False

    @property
    def sentence(self) -> str:
        """Return what the word means for the model's probabilities, in a sentence that quotes it."""
        word, known, many = _quoted(self.word), f"{self.known:,}", len(self.classes)
        if not self.classes:
            return (
                f"{word} in the template is not among the {known} words this model knows; "
                "it disturbs the probability of every class."
            )
        name = _quoted(self.classes[0])
        alone = many == 1 and self.classes[0].casefold() == self.word
        # each sentence stands here as a whole, as the window translates it
        if self.tuned:
            return (
                f"{word}{'' if alone else f' in {name}' if many == 1 else f' in {many} class names'} is not among the "
                f"{known} words this model knows; only the pictures that it is tuned on say what it means."
            )
        if many > 1:
            return (
                f"{word} in {many} class names is not among the {known} words this model knows; "
                "their probabilities mean nothing."
            )
        if alone:
            return f"{word} is not among the {known} words this model knows; its probability means nothing."
        return f"{word} in {name} is not among the {known} words this model knows; the probability of {name} means nothing."

    @property
    def advice(self) -> str:
        """Return the known words nearest in spelling, as a sentence; "" where none is near."""
        return f"Nearest in spelling: {', '.join(self.nearest)}." if self.nearest else ""


@dataclass(frozen=True)
class CheckWordsRequest(Request):
    """Find the words of class names and template that a model was never trained on; neither the model nor torch is loaded."""

    model: str
    classes: tuple[str, ...]
    template: str


@dataclass(frozen=True)
class WordsChecked(Result):
    """The unknown words of the template, then those of the class names in their order; none where nothing is known of the model's words."""

    unknown: tuple[UnknownWord, ...]


def unknown_sentences(unknown: Sequence[UnknownWord]) -> tuple[str, ...]:
    """Return what a reader must know of unknown words: a sentence for each of the first three with the nearest words, one for the rest."""
    said = [f"{one.sentence} {one.advice}".strip() for one in unknown[:_SAID]]
    if rest := unknown[_SAID:]:
        more = f"{len(rest):,} more word{'s' if len(rest) > 1 else ''}"
        some = ", ".join(_quoted(one.word) for one in rest[:_SAID]) + (", …" if len(rest) > _SAID else "")
        said.append(f"It does not know {more} either: {some}.")
    return tuple(said)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names with a number behind each that stood before, as in "missile (#2)"; no sentence says the number."""
    met: Counter[str] = Counter()
    found = []
    for name in names:
        key = name.replace("_", " ").strip()
        met[key] += 1
        found.append(name if met[key] == 1 else f"{name} (#{met[key]})")
    return tuple(found)


def alike(names: Sequence[str], read: Iterable[Hashable]) -> tuple[tuple[str, ...], ...]:
    """Group the names that a model cannot tell apart, in their order; a name that is alone is in no group.

    read: for each name what the model reads.
    """
    groups: dict[Hashable, list[str]] = {}
    for name, key in zip(names, read, strict=True):
        groups.setdefault(key, []).append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def alike_sentences(groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a sentence on the class names, in groups, that are the same tokens to a model; none where there are none."""
    if not groups:
        return ()
    return (
        f"{ABOUT_NAMES}with the same tokens: {alike_names(groups)}. Only the first of them can ever be the answer; rename a class.",
    )


def alike_names(groups: Sequence[Sequence[str]]) -> str:
    """List the first groups of names that a model cannot tell apart, each name in quotes, as spaces may be the difference."""
    some = "; ".join(" and ".join(_seen_apart(group[:_SAID])) for group in groups[:_SAID])
    return some + ("; …" if len(groups) > _SAID else "")


def _seen_apart(names: Sequence[str]) -> list[str]:
    """Quote names, with their accents as numbers where they would look the same."""
    composed = {unicodedata.normalize("NFC", name) for name in names}
    return [_quoted(name) if len(composed) == len(names) else ascii(name) for name in names]


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
