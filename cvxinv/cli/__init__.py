"""The command line: `cvxinv demo`, `invert`, `verify`, `check`; one file per command.

Commands import what they need when they run: `cvxinv --help` loads neither cvxpy nor torch nor matplotlib.
"""

import sys
from collections.abc import Sequence

import typer

from ..errors import MissingSolverError, SolverError
from . import check, demo, invert, verify

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=False)
for command in (demo.demo, invert.invert, verify.verify, check.check):
    app.command()(command)


@app.callback()
def _about() -> None:
    """Invert ReLU generators layer by layer as convex problems, and prove each answer right."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors of the user are one line on stderr and code 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind `cvxinv`; `sys.argv[1:]` by default.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return int(app(arguments or ["--help"], prog_name="cvxinv", standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", 130)
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except (ValueError, TypeError, MissingSolverError, SolverError, MemoryError) as error:
        return _complain(str(error))
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of click, which typer may ship under a private name
            return _complain(error.format_message())
        raise


def _complain(message: str, code: int = 2) -> int:
    print(f"cvxinv: {' '.join(message.split())}", file=sys.stderr)
    return code
