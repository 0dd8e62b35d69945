"""The learning rate of each epoch against the values that a published run printed."""

from __future__ import annotations

import pytest

from capt_engine.tuning.schedule import learning_rate


def test_ten_epochs_as_a_published_log_has_them() -> None:
    """Ten epochs at 0.0035 give 1e-5, 3.5e-3, 3.4143e-3 …, and end at 3.3e-4, not at zero."""
    rates = [learning_rate(epoch, 10, 0.0035) for epoch in range(1, 11)]
    assert rates[:3] == pytest.approx([1e-5, 3.5e-3, 3.4143e-3], rel=1e-4)
    assert rates[-1] == pytest.approx(3.3e-4, rel=0.02)
    assert rates[1:] == sorted(rates[1:], reverse=True)


@pytest.mark.parametrize("epoch", [0, 4])
def test_epochs_outside_the_run_are_refused(epoch: int) -> None:
    """There is no rate before the first epoch or after the last."""
    with pytest.raises(ValueError, match="of 3"):
        learning_rate(epoch, 3, 0.1)
