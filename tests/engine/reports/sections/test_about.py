"""Facts about a run in its report."""

from __future__ import annotations

from capt_engine.data.class_lists import names_of
from capt_engine.reports.sections.about import asked_about


def test_a_report_names_the_list_of_classes() -> None:
    """A list that ships is named as the terminal names it; any other is counted, and one that was not recorded is said to be so."""
    assert asked_about(names_of("everyday")) == "130 (everyday)"
    assert asked_about(names_of("imagenet")) == "1,000 (imagenet)"
    assert asked_about(names_of("everyday")[::-1]) == "130"
    assert asked_about(()) == "not recorded"
