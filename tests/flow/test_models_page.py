"""The Models page on the real engine: a model fetched from a hub of our own, weights and prompts brought in, verified, removed."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capt_gui.bridge import Bridge, real_engine
from capt_gui.pages.models.import_dialog import ImportModelDialog, ImportPromptsDialog
from capt_gui.pages.models.page import ModelsPage
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from tests.conftest import TINY_CONFIG
from tests.engine.download.hub_server import Hub, serving
from tests.engine.model.importers import forms, published

PATIENCE_MS = 120_000
MODEL, LOOK = TINY_CONFIG["model_cfg"], TINY_CONFIG["preprocess_cfg"]

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with a tiny CLIP, and a user without any model."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    made = forms.open_clip_folder(tmp_path / "made", forms.random_clip(MODEL), MODEL, LOOK)
    with serving(Hub({path.name: path.read_bytes() for path in made.iterdir()})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def desk(qapp: QApplication, hub: Hub) -> Iterator[Desk]:
    """Everything a page works with, on the real engine."""
    del hub
    before = set(threading.enumerate())
    bridge = Bridge(real_engine("cpu"))
    desk = lay_out(bridge, Settings(), Theme(qapp, "light"))
    bridge.open()
    yield desk
    assert bridge.close(60)
    bridge.deleteLater()
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


@pytest.fixture
def page(desk: Desk, qtbot: QtBot) -> ModelsPage:
    """The page, with its list."""
    page = ModelsPage(desk)
    qtbot.addWidget(page)
    page.resize(1200, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(desk.models.offered) and desk.model.catalogue is not None, timeout=PATIENCE_MS)
    return page


def installed(desk: Desk) -> set[str]:
    """What can be chosen as a model."""
    catalogue = desk.model.catalogue
    return {model.id for model in catalogue.models} if catalogue is not None else set()


def test_a_model_is_fetched_used_verified_and_removed(page: ModelsPage, desk: Desk, hub: Hub, qtbot: QtBot) -> None:
    """After one yes it is among the models everywhere; a byte that changes is noticed; then it is gone again."""
    assert not hub.asked
    # Only the hub's own id keeps this test off a real model's size.
    desk.models.download("hf-hub:somebody/tiny")
    qtbot.waitUntil(lambda: "somebody--tiny" in installed(desk), timeout=PATIENCE_MS)
    assert hub.asked
    page.on_chosen(["somebody--tiny"])
    # the catalogue and the page's list are two answers; a button that is not there yet would hear no click
    qtbot.waitUntil(page.details.verify.isVisible, timeout=PATIENCE_MS)
    with qtbot.waitSignal(page.install.done, timeout=PATIENCE_MS):
        page.details.verify.click()
    folder = Path(os.environ["XDG_DATA_HOME"], "capt-explorer", "models", "somebody--tiny")
    weights = folder / "open_clip_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with qtbot.waitSignal(page.install.failed, timeout=PATIENCE_MS):
        page.details.verify.click()
    assert "was changed since" in page.banner.accessibleName()
    page.sure = lambda _: True  # type: ignore[method-assign]
    page.details.remove.click()
    qtbot.waitUntil(lambda: "somebody--tiny" not in installed(desk), timeout=PATIENCE_MS)
    assert not folder.exists()


def test_weights_and_prompts_of_others_are_brought_in(
    page: ModelsPage, desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    """A pickled state dict becomes a model; a published prompts file for it is installed, with what was assumed."""
    file = forms.state_dict(tmp_path / "theirs.pt", forms.random_clip(MODEL))
    dialog = ImportModelDialog(desk.theme, page.install, desk.model.catalogue.models)  # type: ignore[union-attr]
    qtbot.addWidget(dialog)
    dialog.path.setText(str(file))
    dialog.head_width.setText(str(MODEL["vision_cfg"]["head_width"]))
    with qtbot.waitSignal(page.install.done, timeout=PATIENCE_MS):
        dialog.go.click()
    assert "Assumed:" in dialog.banner.accessibleDescription()
    qtbot.waitUntil(lambda: "theirs" in installed(desk), timeout=PATIENCE_MS)
    width = MODEL["text_cfg"]["width"]
    prompts = published.dassl(tmp_path / "model.pth.tar-50", {"ctx": torch.randn(4, width)})
    other = ImportPromptsDialog(desk.theme, page.install, desk.model.catalogue.models)  # type: ignore[union-attr]
    qtbot.addWidget(other)
    other.model.setCurrentIndex(other.model.findData("theirs"))
    other.path.setText(str(prompts))
    other.name.setText("their-words")
    with qtbot.waitSignal(page.install.done, timeout=PATIENCE_MS):
        other.go.click()
    qtbot.waitUntil(lambda: desk.model.sides.info("their-words") is not None, timeout=PATIENCE_MS)
    page.on_kind("prompts")
    page.on_chosen(["their-words"])
    assert page.prompts.title.text() == "their-words"
    note = json.loads(
        Path(os.environ["XDG_DATA_HOME"], "capt-explorer", "prompts", "their-words.installed.json").read_text()
    )
    assert "their-words.safetensors" in note["files"]
