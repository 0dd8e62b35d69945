"""The texts that published prompts keep beside their learned vectors, read back by looking their embeddings up.

CoOp and all its relatives save `token_suffix` (k, length, d): the embeddings of everything behind the learned vectors, of every class.
The rows are copies out of the model's own table, so each is found there exactly, and the class names and what is left of the sentence
come back. Where a row is not found, the prompts were tuned on another model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.vocabulary import spoken

_MOST_CLASSES = 3000


@dataclass(frozen=True)
class SuffixTexts:
    """The text of every class behind the learned vectors, and its token ids."""

    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]


def suffix_texts(suffix: Tensor | None, backbone: Backbone) -> SuffixTexts | None:
    """Read back the text behind the learned tokens, class by class, from its embeddings in a published file.

    Args:
        suffix: `token_suffix` (k, length, d_t) of a published file; None where it has none.
        backbone: the model in whose table of embeddings the rows are looked up.

    Returns:
        The texts without the end token; None where there are none, or where this model's table does not hold them.
    """
    tokenizer = backbone.tokenize
    if suffix is None or suffix.dim() != 3 or not hasattr(tokenizer, "decode") or len(suffix) > _MOST_CLASSES:
        return None
    table = backbone.clip.token_embedding.weight.detach().cpu()
    if suffix.shape[2] != table.shape[1]:
        return None
    # By fp16, which is what most of them were saved in; two tokens with the same 512 half-precision numbers are not to be feared.
    known = {row.tobytes(): number for number, row in enumerate(table.half().numpy())}
    end = getattr(tokenizer, "eot_token_id", len(table) - 1)
    found = []
    for rows in suffix.half().numpy():
        ids: list[int] = []
        for row in rows:
            number = known.get(row.tobytes())
            if number is None:
                return None
            if number == end:
                break
            ids.append(number)
        found.append(tuple(ids))
    return SuffixTexts(tuple(tokenizer.decode(ids).strip() for ids in found), tuple(found))


def names_behind(found: SuffixTexts, backbone: Backbone, sentence: str) -> tuple[str, ...] | None:
    """Return the class names if every text is `sentence` followed by a name and a full stop; None otherwise.

    found: the texts read back from a file. sentence: words that stand in front of the name, "" for none. backbone: the
    model whose tokenizer is used.
    """
    encode = backbone.tokenize.encode  # type: ignore[attr-defined]
    start = tuple(encode(sentence))
    names = []
    for ids in found.ids:
        name = backbone.tokenize.decode(list(ids[len(start) :])).strip()  # type: ignore[attr-defined]
        if ids[: len(start)] != start or not name.endswith("."):
            return None
        names.append(name[:-1].strip())
    return tuple(names) if all(names) else None


def common_start(found: SuffixTexts, backbone: Backbone) -> str:
    """Return the words that all texts read back from a file begin with, to the last shared token; "" for none."""
    shared = takewhile(lambda column: len(set(column)) == 1, zip(*found.ids, strict=False))
    text: str = backbone.tokenize.decode([column[0] for column in shared]).strip()  # type: ignore[attr-defined]
    return text


def require_same_names(given: Sequence[str], found: Sequence[str] | None, backbone: Backbone) -> None:
    """Raise BadRequest where the user's class names differ from the file's, in order or as the tokenizer reads them.

    given: the user's names. found: the file's, None where it holds none. Nothing is raised where either is missing.
    """
    encode = backbone.tokenize.encode  # type: ignore[attr-defined]
    if given and found and [encode(spoken(name)) for name in given] != [encode(name) for name in found]:
        raise BadRequest(
            f"The file was tuned on other classes, or in another order: {', '.join(found[:6])} …",
            "Give the classes in the order of training, or none.",
        )
