"""The pictures of one class: which of them are usable, which are not and why, and which are left out."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from capt_engine.records import Duplicates, ScanResult
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.view_models.data_warnings import Picked
from capt_gui.view_models.picture_list import PictureList, Tile
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.scan_model import ScanModel, unreadable_of
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.input import put_after
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picture_grid import PictureGrid
from capt_gui.widgets.segments import Segments

ALL, UNREADABLE, TINY, COPIES = "all", "unreadable", "tiny", "copies"


class ClassDetails(QFrame):
    """The pictures of one class; they are left out and taken back with Space, Delete or the button."""

    def __init__(self, theme: Theme, project: TuneProject, scan: ScanModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._project = project
        self._scan = scan
        self._name = ""
        self._kind = ALL
        self._kinds: tuple[str, ...] = ()
        self.setProperty("card", True)
        self._title = ElidedLabel(text_role="heading")
        self._counts = text(role="caption")
        self.leave_out = QPushButton()
        self._switch: Segments | None = None
        self._switch_room = QVBoxLayout()
        self._pictures = PictureList(scan.thumbnails, self)
        self.grid = PictureGrid(theme)
        self.grid.setModel(self._pictures)
        self.grid.setMinimumHeight(120)
        self.grid.setAccessibleDescription(self.tr("The arrows choose a picture, Space leaves it out or takes it back"))
        self._about = text(role="caption")
        self.leave_out_pictures = QPushButton()
        self._lay_out()
        self.leave_out.clicked.connect(self.on_leave_out_class)
        self.leave_out_pictures.clicked.connect(self.on_leave_out_pictures)
        self.grid.toggled.connect(self.on_toggled)
        self.grid.selectionModel().selectionChanged.connect(self.on_selection_changed)

    def show_class(self, name: str) -> None:
        """Show the pictures of the class called `name`, brought up to date if it is shown already; hide all for an unknown name."""
        if name != self._name:
            self._name, self._kind = name, ALL
        self.refresh()

    def show_kind(self, kind: str) -> None:
        """Show only one kind of pictures of the class: `kind` is "all", "unreadable", "tiny" or "copies"."""
        self._kind = kind
        self.refresh()

    def refresh(self) -> None:
        """Show the present state of the class: its counts, its pictures, and which of them are left out of tuning."""
        result = self._scan.result
        own = next((each for each in result.classes if each.name == self._name), None) if result is not None else None
        self.setVisible(own is not None)
        if own is None or result is None:
            return
        state = self._project.state
        gone = self._name in state.excluded_classes
        self._title.set_text(self._name)
        left = self._scan.left_out(self._name)
        parts = [
            self.tr("1 picture") if own.listed == 1 else self.tr("{:,} pictures").format(own.listed),
            self.tr("{:,} usable").format(self._scan.usable(self._name)),
        ]
        if left:
            parts.append(self.tr("{:,} left out").format(left))
        self._counts.setText(self.tr("The whole class is left out.") if gone else " · ".join(parts))
        self.leave_out.setText(self.tr("Take this class back") if gone else self.tr("Leave out this class"))
        tiles = self._tiles(result, set(state.excluded))
        self._offer_kinds(tuple(kind for kind in (UNREADABLE, TINY, COPIES) if tiles[kind]))
        self._pictures.show(tiles[self._kind])
        self.on_selection_changed()

    def on_leave_out_class(self) -> None:
        """Leave the shown class out of tuning, or take it back if it is left out; its files stay as they are."""
        self._scan.toggle(Picked(classes=(self._name,)))

    def on_leave_out_pictures(self) -> None:
        """Leave the selected pictures out of tuning, or take them back if all are left out; unreadable ones are ignored."""
        self.on_toggled(self.grid.selected_keys())

    def on_toggled(self, paths: list[str]) -> None:
        """Leave the pictures with the file paths `paths` out of tuning, or take them back if all are left out.

        Unreadable ones are ignored, and nothing is done while tuning runs.
        """
        usable = [path for path in paths if (tile := self._pictures.tile(path)) is not None and not tile.broken]
        if usable and not self._project.is_busy:
            self._scan.toggle(Picked(pictures=tuple(usable)))

    def on_selection_changed(self) -> None:
        """Show the file name and remarks of the selected picture, and label the button that leaves it out or takes it back."""
        tiles = [tile for path in self.grid.selected_keys() if (tile := self._pictures.tile(path)) is not None]
        usable = [tile for tile in tiles if not tile.broken]
        back = bool(usable) and all(tile.left_out for tile in usable)
        label = self.tr("Take back") if back else self.tr("Leave out")
        self.leave_out_pictures.setText(label)
        self.leave_out_pictures.setAccessibleName(self.tr("{} the chosen pictures").format(label))
        self.leave_out_pictures.setVisible(bool(usable))
        self.leave_out_pictures.setEnabled(not self._project.is_busy)
        self.leave_out.setEnabled(not self._project.is_busy)
        if not tiles:
            self._about.setText(self.tr("Choose a picture; Space leaves it out or takes it back."))
        elif len(tiles) > 1:
            self._about.setText(self.tr("{} pictures are chosen.").format(len(tiles)))
        else:
            self._about.setText("\n".join(part for part in (PurePath(tiles[0].path).name, tiles[0].text) if part))

    def _tiles(self, result: ScanResult, away: set[str]) -> dict[str, list[Tile]]:
        """The tiles of each kind; a picture that is of several kinds shows the worst."""
        broken = [
            Tile(
                own.path,
                self.tr("unreadable"),
                "warning",
                f"{spoken(own.message)} {spoken(own.hint)}".strip(),
                broken=True,
            )
            for own in unreadable_of(result, self._name)
        ]
        small = {own.path: f"{own.width} × {own.height}" for own in result.tiny}
        copies = self._copies(result)
        found: dict[str, list[Tile]] = {ALL: list(broken), UNREADABLE: broken, TINY: [], COPIES: []}
        # groups side by side, in the order of their numbers, with the members of other classes among them
        found[COPIES] = [
            Tile(path, self.tr("group {}").format(number), "clean", likeness, path in away)
            for path, (number, likeness) in copies.items()
        ]
        copied = {tile.path: tile for tile in found[COPIES]}
        for path in self._scan.pictures.get(self._name, ()):
            tile = Tile(path, "", "", "", path in away)
            if path in small:
                about = self.tr("Tiny: the model enlarges it many times.")
                tile = Tile(path, small[path], "warning", about, path in away)
                found[TINY].append(tile)
            found[ALL].append(copied.get(path, tile))
        return found

    def _copies(self, result: ScanResult) -> dict[str, tuple[int, str]]:
        """The number of its group and what is said of it, by path: the groups this class has a part in."""
        found: dict[str, tuple[int, str]] = {}
        own: list[tuple[Duplicates, str]] = [
            *((group, self.tr("The same file")) for group in result.same),
            *((group, self.tr("The same picture")) for group in result.alike),
        ]
        number = 0
        for group, likeness in own:
            if all(member.class_name != self._name for member in group.members):
                continue
            number += 1
            for member in group.members:
                others = [each for each in group.members if each.path != member.path]
                where = ", ".join(f"{each.class_name}/{PurePath(each.path).name}" for each in others[:3])
                more = self.tr(" and {} more").format(len(others) - 3) if len(others) > 3 else ""
                found.setdefault(member.path, (number, self.tr("{} as {}{}").format(likeness, where, more)))
        return found

    def _offer_kinds(self, kinds: tuple[str, ...]) -> None:
        if self._kind not in (ALL, *kinds):
            self._kind = ALL
        if kinds != self._kinds or self._switch is None:
            self._kinds = kinds
            if self._switch is not None:
                self._switch_room.removeWidget(self._switch)
                self._switch.hide()
                self._switch.deleteLater()
            labels = {
                ALL: (self.tr("All"), self.tr("All pictures of the class")),
                UNREADABLE: (self.tr("Unreadable"), self.tr("What cannot be read, with the reason")),
                TINY: (self.tr("Under 32 px"), self.tr("Less than 32 pixels wide or high")),
                COPIES: (self.tr("Look-alikes"), self.tr("Pictures that look alike, side by side")),
            }
            self._switch = Segments(self._theme, self.tr("Show"), [(kind, *labels[kind]) for kind in (ALL, *kinds)])
            self._switch.picked.connect(self.show_kind)
            self._switch_room.addWidget(self._switch)
            put_after(self.leave_out, self._switch.findChildren(QToolButton))
        self._switch.set_choice(self._kind)
        self._switch.setVisible(bool(kinds))

    def _lay_out(self) -> None:
        names = fill(QVBoxLayout(), self._title, self._counts, spacing=1)
        head = fill(QHBoxLayout(), (names, 1), self.leave_out, spacing=12)
        below = fill(QHBoxLayout(), (self._about, 1), self.leave_out_pictures, spacing=12)
        fill(QVBoxLayout(self), head, self._switch_room, (self.grid, 1), below, margins=(16, 14, 16, 14))
