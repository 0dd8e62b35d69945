"""The packed table of token embeddings."""

from __future__ import annotations

import pytest
import torch

from capt_engine.errors import BadCheckpoint
from capt_engine.model.token_table import IDS, ROWS, packed, unpacked


def test_trained_tokens_get_their_rows_and_all_others_share_the_last() -> None:
    """Rows stand where their tokens do; what was never trained has one row."""
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]])
    state = unpacked(packed(rows, torch.tensor([4, 1])) | {"other": torch.zeros(1)}, 6)
    assert set(state) == {ROWS, "other"}
    assert state[ROWS].tolist() == [[9, 9], [3, 4], [9, 9], [9, 9], [1, 2], [9, 9]]


def test_a_whole_table_is_left_alone() -> None:
    """A model without a packed table loads as it is."""
    state = {ROWS: torch.zeros(6, 2)}
    assert unpacked(state, 6) is state


@pytest.mark.parametrize("ids", [[1], [1, 6], [-1, 2], []])
def test_a_table_that_does_not_fit_is_refused(ids: list[int]) -> None:
    """Too few rows, a token that the tokenizer lacks, or no token at all end in a sentence."""
    with pytest.raises(BadCheckpoint, match="does not fit the tokenizer"):
        unpacked({ROWS: torch.zeros(3 if ids else 1, 2), IDS: torch.tensor(ids, dtype=torch.int32)}, 6)
