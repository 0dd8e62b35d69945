"""Names of classes, which are folders' names and words for a model at once: which cannot be used, and which a user should think about."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from capt_engine.data.labelled_set import is_text, shown
from capt_engine.records.data import LongName
from capt_engine.records.vocabulary import alike

LONG = 100
"""A name of more characters than this is told of, whatever the model."""

NAME_FOLDERS = "A file classes.csv (folder,name) beside the folders, or --classes with such a map, says what they hold."

CountTokens = Callable[[list[str]], tuple[int, ...]]

# Words as CLIP's tokenizer tells them apart, before it cuts them into pieces.
_WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")

_LISTED = 5
_LONGEST = 40


def listed(names: Sequence[str], notes: Sequence[object] = (), *, between: str = ", ") -> str:
    """Join the first five names for a sentence, each cut to 40 characters, and add "and N more" where there are more.

    notes: remarks in the order of the names, such as counts, each put in parentheses behind its name; empty for none.
    between: what stands between two names.
    """
    short = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in map(shown, names[:_LISTED])]
    if notes:
        short = [f"{name} ({note})" for name, note in zip(short, notes[:_LISTED], strict=True)]
    more = len(names) - _LISTED
    return between.join(short) + (f" and {more} more" if more > 0 else "")


def as_read(name: str) -> str:
    """Return a class name as the classifier writes it into a sentence: underscores become spaces, outer spaces go."""
    return name.replace("_", " ").strip()


def as_tokens(name: str) -> tuple[str, ...]:
    """Return the words of a class name as CLIP's tokenizer tells them apart: small letters, no spaces, accents composed.

    Names with the same words are the same tokens to a model. Source: CLIP's simple_tokenizer.py.
    """
    clean = unicodedata.normalize("NFC", html.unescape(as_read(name))).replace("’", "'")
    return tuple(_WORDS.findall(clean.lower()))


def wordless(names: Sequence[str]) -> str:
    """Return a sentence on names without a letter, such as those of numbered folders; "" where there are none."""
    without = [name for name in names if is_text(name) and as_read(name) and not any(map(str.isalpha, name))]
    return f"Names without a letter say little to a model that reads words: {listed(without)}." if without else ""


def refusals(names: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each reason why a model cannot be asked about these class names, with what to do about it.

    The reasons: bytes that are no letters, nothing but spaces or underscores, and several classes that read the same.
    Yields nothing where all names can be used.
    """
    unwritable = [name for name in names if not is_text(name)]
    if unwritable:
        yield (
            f"The name holds bytes that are no letters, so that no model can read it: {listed(unwritable)}. "
            "Rename the folder, or exclude the class."
        )
    empty = [name for name in names if not as_read(name)]
    if empty:
        yield (
            f"No name but spaces or underscores: {listed([repr(name) for name in empty])}. "
            "Rename the folder, or exclude the class."
        )
    read = Counter(map(as_read, names))
    twice = [name for name, count in read.items() if name and count > 1]
    if twice:
        yield (
            f"Several classes have the same name, so that no model can tell them apart: {listed(twice)}. "
            "Rename a folder, or exclude one of them."
        )


def remarks(names: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each trouble to expect from class names that can be used.

    Examples: no letters, a script that CLIP hardly knows, or two names that are the same tokens.
    """
    plain = [name for name in names if is_text(name) and as_read(name)]
    if sentence := wordless(plain):
        yield sentence
    foreign = [
        name
        for name in plain
        if any(map(str.isalpha, name)) and not any(letter.isascii() and letter.isalpha() for letter in name)
    ]
    if foreign:
        yield f"CLIP learned from English captions and knows few names in other scripts: {listed(foreign)}."
    edges = [name for name in plain if name.strip() != name or name.endswith(".")]
    if edges:
        yield (
            "Names that begin or end with a space, or end with a dot, are lost where pictures are copied to Windows: "
            f"{listed([repr(name) for name in edges])}."
        )
    broken = [name for name in plain if any(letter < " " or letter == "\x7f" for letter in name)]
    if broken:
        yield f"Names with line breaks or other control characters: {listed([repr(name) for name in broken])}."
    long = [name for name in plain if len(name) > LONG]
    if long:
        yield f"Names of more than {LONG} characters, which a model would read in part at most: {listed(long)}."
    same = alike(plain, map(as_tokens, plain))
    if some := [group for group in same if len({as_read(name) for name in group}) > 1]:
        yield (
            "Several classes share a name but for spaces, the writing of accents or capital letters, which CLIP does not read, "
            f"so that no model can tell them apart: {listed([name for group in some for name in group])}."
        )


def long_names(names: Sequence[str], template: str, count_tokens: CountTokens, limit: int) -> tuple[LongName, ...]:
    """Return the class names, with their numbers of tokens, whose sentence has more than `limit` tokens.

    template: the sentence, `{}` being the class name. count_tokens: gives the number of tokens of each of some
    sentences. Names that are not valid text are passed over.
    """
    readable = [name for name in names if is_text(name)]
    # As the classifier asks: underscores are spaces there.
    tokens = count_tokens([template.replace("{}", name.replace("_", " ")) for name in readable]) if readable else ()
    return tuple(LongName(name, count) for name, count in zip(readable, tokens, strict=True) if count > limit)
