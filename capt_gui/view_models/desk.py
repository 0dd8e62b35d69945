"""Everything a page works with, made once and handed to each of them."""

from __future__ import annotations

from dataclasses import dataclass

from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.analysis_model import AnalysisModel
from capt_gui.view_models.choices import Choices
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.gallery_model import GalleryModel
from capt_gui.view_models.token_check import TokenCheck


@dataclass(frozen=True)
class Desk:
    """The view models of one window, and what they share."""

    bridge: Bridge
    settings: Settings
    theme: Theme
    engine: EngineState
    choices: Choices
    gallery: GalleryModel
    analysis: AnalysisModel
    tokens: TokenCheck


def lay_out(bridge: Bridge, settings: Settings, theme: Theme) -> Desk:
    """Make the view models, children of the bridge, and let each hear the engine."""
    engine = EngineState(bridge)
    choices = Choices(settings, bridge)
    gallery = GalleryModel(bridge)
    analysis = AnalysisModel(bridge, gallery, choices, bridge)
    tokens = TokenCheck(bridge, choices, bridge)
    engine.ready.connect(choices.on_ready)
    for listener in (engine, analysis, tokens):
        bridge.event_arrived.connect(listener.on_event)
    return Desk(bridge, settings, theme, engine, choices, gallery, analysis, tokens)
