"""The commands, gathered. They import what they need when they run: `--help` loads neither cvxpy nor torch nor matplotlib."""

import typer

from . import bench, check, demo, invert, verify

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
for command in (demo.demo, invert.invert, verify.verify, check.check, bench.bench):
    app.command()(command)


@app.callback()
def _about() -> None:
    """Invert ReLU generators layer by layer as convex problems, and prove each answer right."""
