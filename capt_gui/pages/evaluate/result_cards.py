"""Cards of a result: main figures with intervals, attack by attack, what outlives saving, and the curve."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.formatting import norm_symbol, percent
from capt_engine.records import LOG, SAVINGS, AnalyzeResult, scale_for
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.view_models import formatting
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.widgets.before_after import BeforeAfter, Measured, Pair, measured
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import Part, fill
from capt_gui.widgets.line_chart import Level, Line, LineChart
from capt_gui.widgets.score_table import Cell, ScoreTable

# of the attacked pictures, so many outlive a PNG where nothing is wrong; the engine's check asks the same
_MOST = 0.9


class ResultCard(QWidget):
    """A heading over some parts; `show_run` fills them and returns whether there is anything to show."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = text(role="heading")

    def lay_out(self, title: str, *parts: Part) -> None:
        """Put `title` as a heading above `parts`, widgets or layouts in their order from top to bottom."""
        self.heading.setText(title)
        fill(QVBoxLayout(self), self.heading, *parts)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show the result of `run` on this card; return False when the run has nothing for it.

        Each kind of card overrides this; here it raises NotImplementedError.
        """
        raise NotImplementedError


class FiguresCard(ResultCard):
    """Card with clean and robust accuracy of A and B as bars, and the paired tests."""

    def __init__(self, theme: Theme, model: ModelChoice) -> None:
        super().__init__()
        self._model = model
        self.bars = BeforeAfter(theme, self.tr("How many are right, with 95 % intervals"), "A", "B")
        self.tests = text(role="caption")
        self.lay_out(self.tr("How many are right"), self.bars, self.tests)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show clean and robust accuracy of the variants (a model with its prompts) A and B of `run`, and the paired tests.

        Return False when no picture was measured.
        """
        results = run.results()
        if not results or results[0].n == 0:
            return False
        label = self._model.sides.label
        names = [label(result.prompts) for result in results]
        self.bars.set_names(*([f"A  {names[0]}", f"B  {names[1]}"] if len(names) > 1 else names))
        rows: list[tuple[str, list[Measured | None]]] = [
            (self.tr("Clean"), [measured(one.clean_accuracy, one.clean_interval) for one in results]),
            (self.tr("Under attack"), [measured(one.robust_accuracy, one.robust_interval) for one in results]),
            (self.tr("Under common corruptions, on average"), self._means(results)),
        ]
        self.bars.set_pairs(tuple(Pair(title, *values) for title, values in rows if values and values[0] is not None))
        tests = formatting.paired_tests(results[0], self.tr("with A"), self.tr("with B"))
        self.tests.setText("\n".join((*tests, self.tr("Whiskers: 95 % intervals."))))
        return True

    def _means(self, results: tuple[AnalyzeResult, ...]) -> list[Measured | None]:
        means = [one.mean for one in results[0].corruptions]
        return [
            measured(mean.accuracy, (mean.low, mean.high) if mean.low is not None and mean.high is not None else None)
            for mean in means[: len(results)]
        ]


class AttacksCard(ResultCard):
    """Card with a table of what each attack found on each side."""

    def __init__(self, model: ModelChoice) -> None:
        super().__init__()
        self._model = model
        self.table = ScoreTable(self.tr("Attack by attack"))
        self.notes = text(role="caption")
        self.lay_out(self.tr("Attack by attack"), self.table, self.notes)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show a table row for each attack of `run` on each variant (a model with its prompts), A and B.

        Return False when nothing was attacked.
        """
        results = run.results()
        if not results or not results[0].attacks:
            return False
        sides = len(results) > 1
        headings = [
            (self.tr("Attack"), ""),
            *([(self.tr("Side"), self.tr("Whose answers"))] if sides else []),
            (
                self.tr("Still right"),
                self.tr("Of all pictures, right under this attack and under all attacks above it"),
            ),
            (self.tr("Pictures"), self.tr("Pictures this attack was run on")),
            (self.tr("Of these"), self.tr("Of the pictures this attack was run on, how many stayed right")),
            (self.tr("Success"), self.tr("Of those of them that had been right, how many were turned")),
            (self.tr("Left out"), self.tr("Wrong before, or broken by an attack above: not attacked again")),
            (self.tr("Seconds"), self.tr("Time this attack took, with its measurements")),
        ]
        names = [attack.name for attack in results[0].attacks]
        rows = []
        for order, name in enumerate(names):
            for letter, result in zip("AB", results, strict=False):
                found = next((one for one in result.attacks if one.name == name), None)
                if found is None:
                    continue
                rows.append(
                    [
                        Cell(self._model.attack_label(name), order),
                        *([Cell(letter, letter)] if sides else []),
                        _share(found.cumulative_accuracy, found.n + found.skipped),
                        Cell(f"{found.n:,}", found.n),
                        _share(found.accuracy, found.n),
                        _share(found.success_rate, found.n),
                        Cell(f"{found.skipped:,}" if found.skipped else "–", found.skipped),
                        Cell(f"{found.seconds:.1f}", found.seconds),
                    ]
                )
        self.table.set_table(headings, rows)
        self.table.show_rows(24)
        notes = [spoken(one) for one in results[0].notes]
        if any(one.skipped for one in results[0].attacks):
            notes.insert(
                0,
                self.tr(
                    "Attacks run one after the other, each on the pictures that are still right. "
                    "“Still right” is of all pictures, after each of them."
                ),
            )
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))
        return True


class ReencodingCard(ResultCard):
    """Card that counts the attacked pictures that still fool the model after being saved and read again."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._badge = Symbol(theme, 16)
        self.note = text()
        self.table = ScoreTable(self.tr("Attacked pictures that still fool the model after saving"))
        line = fill(QHBoxLayout(), (self._badge, 0, Qt.AlignmentFlag.AlignTop), (self.note, 1))
        self.lay_out(self.tr("After saving as PNG or JPEG"), line, self.table)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show how many attacked pictures of `run` still fool the model after each way of saving; return False when none was saved."""
        sides = run.sides
        if run.result is None or not any(run.tally.outlived(side, "png").n for side in sides):
            return False
        names = {
            "png": self.tr("PNG, 8 bits"),
            "jpeg95": self.tr("JPEG, quality 95"),
            "jpeg75": self.tr("JPEG, quality 75"),
            "resize": self.tr("Half as large and back"),
        }
        headings = [(self.tr("Saved as"), "")]
        for letter, side in zip("AB", sides, strict=False):
            n = run.tally.outlived(side, "png").n
            title = self.tr("{}: still fooled").format(letter) if len(sides) > 1 else self.tr("Still fooled")
            headings.append((title, self.tr("Of the {} attacked pictures that fooled the model").format(n)))
        rows = []
        for order, way in enumerate(SAVINGS):
            cells = [Cell(names[way], order)]
            for side in sides:
                one = run.tally.outlived(side, way)
                share = one.kept / one.n if one.n else -1.0
                shown = self.tr("{} of {}  ({})").format(one.kept, one.n, percent(share)) if one.n else "–"
                cells.append(Cell(shown, share))
            rows.append(cells)
        self.table.set_table(headings, rows)
        self.table.show_rows(len(rows))
        total = sum(run.tally.outlived(side, "png").n for side in sides)
        kept = sum(run.tally.outlived(side, "png").kept for side in sides)
        message = self.tr("{} of {} attacked pictures still fool the model once they are saved as PNG.")
        if kept >= _MOST * total:
            self._badge.set_icon("check", "ok")
        else:
            self._badge.set_icon("warning", "warning")
            message = self.tr("Only {} of {} attacked pictures still fool the model once they are saved as PNG.")
        self.note.setText(message.format(kept, total))
        return True


class CurveCard(ResultCard):
    """Card with robust accuracy against the budget ε, its intervals as bands, and the level of chance."""

    def __init__(self, theme: Theme, model: ModelChoice) -> None:
        super().__init__()
        self._model = model
        empty = self.tr("A curve is drawn when the switch “Curve” is on.")
        self.chart = LineChart(theme, self.tr("Accuracy against ε"), "ε", self.tr("accuracy"), empty, share=True)
        self.chart.setMinimumHeight(230)
        self.note = text(role="caption")
        self.lay_out("", self.chart, self.note)
        self.heading.hide()

    def show_run(self, run: EvaluateRun) -> bool:
        """Draw accuracy against the budget ε for each variant (a model with its prompts) of `run`, A and B.

        Return False when no curve was measured.
        """
        results = run.results()
        if not results or len(results[0].curve) < 2:
            return False
        norm = results[0].threat_model.norm
        unit = 255 if norm == "linf" else 1
        lines = [
            Line(
                letter if len(results) > 1 else self.tr("right"),
                role,
                tuple(point.eps * unit for point in result.curve),
                tuple(point.robust_accuracy for point in result.curve),
                tuple(point.low for point in result.curve),
                tuple(point.high for point in result.curve),
                Qt.PenStyle.SolidLine if letter == "A" else Qt.PenStyle.DashLine,
                marks=True,
            )
            for letter, role, result in zip("AB", ("side_a", "side_b"), results, strict=False)
        ]
        levels = (Level(self.tr("chance"), "control", 1 / results[0].classes),) if results[0].classes else ()
        scale = scale_for([x for line in lines for x in line.xs])
        x_title = self.tr("ε in 1/255") if norm == "linf" else f"ε ({norm_symbol(norm)})"
        self.chart.set_lines(tuple(lines), levels, scale=scale, x_title=x_title)
        axis = self.tr("ε in 255ths of the range") if norm == "linf" else self.tr("ε as a length")
        if scale == LOG:
            axis += self.tr(", on a logarithmic scale")
        verdict = self.tr("{}. The verdict is about {}. Bands: 95 % intervals.")
        self.note.setText(verdict.format(axis, formatting.threat(results[0].threat_model)))
        return True


def _share(share: float, n: int) -> Cell:
    """A share of `n` pictures; a share of none comes last when the column is sorted."""
    return Cell(percent(share), share) if n else Cell("–", -1.0)
