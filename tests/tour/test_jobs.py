"""Somebody starts long work, asks for something short meanwhile, and looks after both in the list of jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guest import Guest
from PySide6.QtWidgets import QAbstractButton

from capt_gui.panels.jobs_pane import JobsPane
from capt_gui.view_models.jobs_model import CANCELLED, FINISHED, RUNNING, JobEntry
from capt_gui.view_models.navigation import EVALUATE, EXPLORE
from capt_gui.widgets.page_rail import RailButton


def job(guest: Guest, words: str) -> JobEntry:
    """The job of the list whose title begins so."""
    found = [one for one in guest.desk.jobs.entries if one.title.startswith(words)]
    assert found, [one.title for one in guest.desk.jobs.entries]
    return found[0]


def says(guest: Guest, page: str) -> str:
    """The words of the mark on the button of a page."""
    return guest.find(RailButton, page).accessibleDescription()


def test_a_short_job_is_answered_while_a_long_one_runs(
    guest: Guest, samples: tuple[Path, ...], labelled: Path, shot: Callable[..., None]
) -> None:
    """An evaluation under way is seen from Explore; a dropped picture is answered before its end; each can be stopped and opened."""
    desk = guest.desk
    desk.jobs.clear()
    guest.keys("Ctrl+2")
    guest.drop(labelled)
    guest.settle()
    desk.evaluation.choices.attack.set_attack("pgd")
    desk.evaluation.choices.attack.set_steps(400)
    guest.click("Run")
    evaluation = job(guest, "Evaluate “night pictures”")
    guest.until(lambda: evaluation.state == RUNNING and evaluation.share is not None)

    guest.keys("Ctrl+1")
    assert says(guest, "Evaluate").startswith("Evaluate “night pictures”")
    guest.drop(samples[0])
    guest.until(lambda: any(one.page == EXPLORE and one.state == FINISHED for one in desk.jobs.entries))
    assert evaluation.state == RUNNING

    guest.keys("Ctrl+J")
    pane = guest.find(JobsPane, "Jobs")
    guest.until(lambda: "left" in guest.words(pane))
    shot("jobs-under-way")
    assert "Analyse " in guest.words(pane)
    guest.click(f"Cancel: {evaluation.title}", pane)
    guest.until(lambda: evaluation.state == CANCELLED)
    shot("jobs-cancelled")
    assert guest.find(QAbstractButton, f"Retry: {evaluation.title}", pane).isEnabled()

    guest.click(f"Open: {job(guest, 'Analyse').title}", pane)
    assert guest.find(RailButton, "Explore").isChecked()
    guest.keys("Esc", pane)
    assert not pane.isVisible()
    guest.keys("Ctrl+2")
    assert says(guest, "Evaluate") == ""
    assert desk.jobs.mark(EVALUATE).kind == ""
