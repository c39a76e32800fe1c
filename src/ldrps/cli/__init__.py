"""The command line: thin, and without torch until there is something to compute."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import ldrps
from ldrps.cli.bench import bench
from ldrps.cli.degrade import degrade
from ldrps.cli.doctor import doctor
from ldrps.cli.helping import Command, CommandGroup
from ldrps.cli.methods import methods
from ldrps.cli.prior import info, prior_app, train
from ldrps.cli.restore import restore
from ldrps.cli.serve import serve
from ldrps.cli.stopping import Terminated
from ldrps.cli.terminal import begin, say, tell
from ldrps.errors import LdrpsError
from ldrps.log import show_fault
from ldrps.printable import printable
from ldrps.run.share import keep_memory, wait_briefly

app = typer.Typer(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Restore damaged photographs without being told what is wrong with them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (restore, serve, info, doctor, train, degrade, bench, methods):
    app.command(cls=Command)(_command)
app.add_typer(prior_app, name="prior")


def main() -> None:
    """Entry point: our own errors become one line and exit code 2, Ctrl-C becomes 130, SIGTERM 143."""
    begin()
    wait_briefly()
    keep_memory()
    try:
        code = app(standalone_mode=False)  # an Exit comes back as its code
        if code == 130:  # so newer versions of typer tell of Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code)
    except LdrpsError as error:
        say(error.on_command_line)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        say("stopped; what was written is whole")
        sys.exit(130)
    except Terminated:
        say("stopped; what was written is whole")
        sys.exit(143)
    except Exception as error:
        # What the parser refuses, it can show itself; anything else is a bug and keeps its traceback.
        if not (hasattr(error, "show") and hasattr(error, "exit_code") and hasattr(error, "message")):
            sys.excepthook = show_fault
            raise
        error.message = printable(error.message)
        error.show()
        sys.exit(error.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        tell(f"ldrps {ldrps.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
