"""The whole words that a model was trained on, where a file beside its weights lists them; of other models nothing is claimed.

A word made of pieces that the tokenizer knows is as unknown as any other: only whole words were trained. Needs no torch.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from capt_engine.errors import BadCheckpoint
from capt_engine.model.store.model_store import TOWER_CONFIG, folder_named
from capt_engine.reading import json_if_sound
from capt_engine.records import UnknownWord

FILE = "vocabulary.txt"

_WORD = re.compile(r"[^\W_]+(?:['\-]+[^\W_]+)*")
# A WordNet id, or the number of a name that stands several times in a list.
_ASIDE = re.compile(r" \((?:n\d{8}|#\d+)\)$")
_MOST_BYTES = 8 << 20
_HINT = "Copy the model again; the file lists one word a line."
# Nearer words than this only (difflib's ratio): farther ones have little in common.
_NEAR = 0.7
_OFFERED = 3
# So many words of a long list are looked for; the others are only counted.
_SEARCHED = 10


def words(sentence: str) -> tuple[str, ...]:
    """Return the words of a sentence in lower case: letters and digits, with hyphens and apostrophes inside."""
    return tuple(_WORD.findall(sentence.replace("’", "'").lower()))


def spoken(name: str) -> str:
    """Return a class name as sentences say it: underscores are spaces; an id of WordNet or a number, as "(#2)", behind it goes."""
    return _ASIDE.sub("", name.replace("_", " ").strip())


WORDINGS = ("", "tecoa")
"""Ways to write class names into sentences: as they are, or as TeCoA does: in lower case, with spaces for - and /."""


def worded(name: str, wording: str = "") -> str:
    """Return a class name as sentences say it, in one of WORDINGS."""
    name = spoken(name)
    return name.lower().replace("-", " ").replace("/", " ") if wording == WORDINGS[1] else name


def listed(known: Iterable[str]) -> str:
    """Return the text of a vocabulary file: each word once, one a line, in the order of the alphabet."""
    return "".join(f"{word}\n" for word in sorted(set(known)))


@dataclass(frozen=True)
class Vocabulary:
    """The whole words that a model knows, in lower case and in the order of the alphabet; it knows no others."""

    words: tuple[str, ...]

    def __contains__(self, word: object) -> bool:
        """Return True if the model was trained on this word, spelled in lower case."""
        return word in self._set

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """Return the words of `text`, a class name or a template, that the model was never trained on, each once, in lower case.

        The `{}` of a template is no word. A class name without letter or digit is one word as it stands.
        """
        found = words(text) or (() if "{}" in text else (text.strip(),))
        return tuple(word for word in dict.fromkeys(found) if word and word not in self)

    def nearest(self, word: str) -> tuple[str, ...]:
        """Return up to three known words that are spelled like `word`, the nearest first; of a word and its plural only the nearer.

        For a word with hyphens whose parts are all known, these parts with spaces stand first.
        """
        parts = word.split("-")
        apart = [" ".join(parts)] if len(parts) > 1 and all(part in self for part in parts) else []
        near = difflib.get_close_matches(word, self.words, 3 * _OFFERED, _NEAR)
        for one in near:
            if not any(_is_plural(one, other) or _is_plural(other, one) for other in apart):
                apart.append(one)
        return tuple(apart[:_OFFERED])

    def unknown(
        self, classes: Sequence[str], template: str = "", tuned: Collection[str] = ()
    ) -> tuple[UnknownWord, ...]:
        """Return the words of the template, and then of the class names, that the model was never trained on.

        tuned: the class names that prompts or an image tower were tuned on; their pictures have said what the words mean.
        """
        holders: dict[str, list[str]] = {}
        for name in map(spoken, classes):
            for word in self.unknown_words(name):
                holders.setdefault(word, []).append(name)
        places = [*((word, []) for word in self.unknown_words(template)), *holders.items()]
        learned = set(map(spoken, tuned))
        return tuple(
            UnknownWord(
                word,
                len(self.words),
                tuple(names),
                self.nearest(word) if number < _SEARCHED else (),
                tuned=bool(names) and learned.issuperset(names),
            )
            for number, (word, names) in enumerate(places)
        )

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(self.words)


def of_folder(folder: Path) -> Vocabulary | None:
    """Return the vocabulary that lies beside the weights in `folder`; None where there is none, and nothing is known of its words.

    Raises BadCheckpoint where the file is no text, holds no word, or is too large to be a list of words.
    """
    path = folder / FILE
    try:
        stamp = path.stat()
        return None if not path.is_file() else _read(path, stamp.st_mtime_ns, stamp.st_size)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadCheckpoint(f"{str(path)!r} cannot be read: {error.strerror or error}.", _HINT) from error


def of_model(model_id: str) -> Vocabulary | None:
    """Return the vocabulary of a model by its id, of a tuned image tower that of its base; None where nothing is known of its words.

    The model itself is not loaded. Raises BadCheckpoint where the file of words is damaged.
    """
    folder = folder_named(model_id)
    if folder is None:
        return None
    if (folder / TOWER_CONFIG).is_file():
        tower = json_if_sound(folder / TOWER_CONFIG, _Tower)
        # A base that is a tower itself is refused when it is loaded.
        folder = folder_named(tower.base) if tower is not None else None
    return of_folder(folder) if folder is not None else None


@dataclass(frozen=True)
class _Tower:
    """The part of a tower.json that is read. base: the id of the model that was tuned."""

    base: str


@lru_cache(maxsize=8)
def _read(path: Path, modified_ns: int, size: int) -> Vocabulary:
    """Read a list of words; the same file is read once."""
    del modified_ns
    if size > _MOST_BYTES:
        raise BadCheckpoint(f"{str(path)!r} is longer than {_MOST_BYTES:,} bytes.", _HINT)
    try:
        known = sorted({line.strip().lower() for line in path.read_text(encoding="utf-8").splitlines()} - {""})
    except UnicodeDecodeError as error:
        raise BadCheckpoint(f"{str(path)!r} is not UTF-8.", _HINT) from error
    if not known:
        raise BadCheckpoint(f"{str(path)!r} holds no word.", _HINT)
    return Vocabulary(tuple(known))


def _is_plural(many: str, one: str) -> bool:
    return many in (f"{one}s", f"{one}es", f"{one.removesuffix('y')}ies")
