"""A table of token embeddings in which all tokens that were never trained share one row, and are stored once."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint

ROWS = "token_embedding.weight"
IDS = "token_embedding.ids"


def packed(rows: Tensor, ids: Tensor) -> dict[str, Tensor]:
    """Name the tensors of a table as they are stored.

    Args:
        rows: (k + 1, d); row i is that of token ids[i], the last that of every other token.
        ids: the trained tokens (k,), each once.

    Returns:
        Both under the names that they have in the weights file.
    """
    return {ROWS: rows, IDS: ids.to(torch.int32)}


def unpacked(state: dict[str, Tensor], vocab_size: int) -> dict[str, Tensor]:
    """Give each token its row again.

    Args:
        state: tensors of a model, with a packed table among them or without.
        vocab_size: tokens of the tokenizer.

    Returns:
        The same tensors, with the table (vocab_size, d) as open_clip has it.

    Raises:
        BadCheckpoint: the packed table does not fit the tokenizer.
    """
    if IDS not in state:
        return state
    ids, rows = state[IDS].long(), state[ROWS]
    if len(rows) != len(ids) + 1 or not len(ids) or int(ids.min()) < 0 or int(ids.max()) >= vocab_size:
        raise BadCheckpoint(
            "The table of token embeddings does not fit the tokenizer.",
            "Copy the model again; a file of it was changed.",
        )
    table = rows[-1].repeat(vocab_size, 1)
    table[ids] = rows[:-1]
    return {name: value for name, value in state.items() if name != IDS} | {ROWS: table}
