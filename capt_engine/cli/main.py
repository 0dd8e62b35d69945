"""`capt`: finds the verb, runs it, and turns expected failures into a sentence and an exit code. Help needs nothing heavy."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from capt_engine.cli import interrupts, terminal
from capt_engine.cli.terminal import JobEnded, put, tell
from capt_engine.errors import CaptError, ExitCode

VERBS = {
    "analyze": "predict, attack and compare unlabelled pictures",
    "evaluate": "predict and attack labelled pictures, and count what stays right",
    "compare": "rank up to six variants (prompts, models) on labelled pictures, with paired tests",
    "tune": "learn robust prompts from a few labelled pictures per class",
    "protocol": "the tables of the paper: few-shot, base-to-new, cross-dataset, shift, ablation; resumable; and a check of their data sets",
    "run": "repeat a run from its manifest and print every difference; exit code 6 where there are any",
    "report": "write a report of runs: PDF, HTML, CSV or JSON",
    "merge": "join the parts of an evaluation (--shard) into one run",
    "models": "models: bundled, installed, and importing published weights",
    "prompts": "prompt checkpoints: those that ship with the program, and your own",
    "lpips": "weights of yours for LPIPS, a distance of pictures that `--lpips` measures",
    "cache": "results that are stored so that nothing is computed twice: show, trim, clear",
    "demo": "pictures of the bundled toy world, and the tiny CLIP that knows it",
    "photo": "the CLIP that knows photographs, trained and measured again",
    "doctor": "device, versions, folders, free space, what is wrong and the command that mends it",
}
"""Each command and what it does: what `--help` lists, for which no command is imported."""

_EXIT_CODES = f"exit codes: {', '.join(f'{code} {code.meaning}' for code in ExitCode)}"


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the program's name and version on standard output, and leave."""
        put(f"capt-explorer {_version()}")
        parser.exit()


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser for the command line `argv`: all subcommands, and the options of the one that it names.

    This loads neither torch nor Qt, and of the subcommands only that one.
    """
    top = argparse.ArgumentParser(
        prog="capt", description="See whether an image model can be trusted.", epilog=_EXIT_CODES, allow_abbrev=False
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, sentence in VERBS.items():
        whole = f"{sentence[0].upper()}{sentence[1:]}."
        verb = verbs.add_parser(name, help=sentence, description=whole, epilog=_EXIT_CODES, allow_abbrev=False)
        if name in argv[:1]:
            importlib.import_module(f"capt_engine.cli.{name}").configure(verb)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: that of the process) and return its exit code.

    A failure of the command is printed, never raised. Raises SystemExit for options that cannot be parsed, and for
    --help.
    """
    given = sys.argv[1:] if argv is None else argv
    args = parser(given).parse_args(given)
    if terminal.is_closed("stdout") and not getattr(args, "quiet", False):
        tell("Standard output is closed: results are not printed.")
    terminal.print_logs(is_verbose=getattr(args, "verbose", False))
    if getattr(args, "offline", False):
        os.environ["HF_HUB_OFFLINE"] = "1"
    if getattr(args, "no_plugins", False):
        os.environ["CAPT_NO_PLUGINS"] = "1"
    interrupts.work_begins()
    try:
        code: int = args.run(args) or 0
        sys.stdout.flush()
    except CaptError as error:
        tell(str(error))
        return error.exit_code
    except JobEnded as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        tell("Cancelled.")
        return interrupts.exit_code()
    except BrokenPipeError:
        # The reader has seen enough (`capt … | head`); nothing is left to flush to.
        terminal.silence(sys.stdout.fileno())
        return 0
    except Exception as error:
        from capt_engine import files, plugins

        if (expected := plugins.blamed(error) or files.disk_problem(error)) is not None:
            tell(str(expected))
            return expected.exit_code
        from capt_engine import crash_log

        tell(f"Something went wrong that should not have: {error}")
        tell(f"This is a bug in CAPT Explorer. {crash_log.keep(traceback.format_exc())}")
        return ExitCode.BUG
    return code


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("capt-explorer")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"
