"""`cvxinv convert`: a checkpoint becomes a generator file."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvxinv.cli.output import output
from cvxinv.errors import one_line

if TYPE_CHECKING:
    from torch import nn

    from cvxinv.generator import Generator


def convert(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="A state dict: safetensors, or a file of torch.save, of which nothing but tensors"
            " is unpickled.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Argument(help="The generator file (safetensors).", show_default=False)
    ],
    module: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE:NAME",
            help="The module whose weights these are: file.py:Class or package.module:name, a"
            " class or function to call without arguments, or a module. This runs that code.",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(help="Without --module: the output activation, sigmoid say."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(help="The generator's part of the model: decoder, or with --module decode."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Which of several state dicts in the file (default: the only one)."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the generator file if it exists.")
    ] = False,
) -> None:
    """Write the generator that a trained network is to a file for the other commands.

    With --module it is what the module computes, checked against the module itself. Without, a ReLU
    is taken to stand between two Linears, after their batch normalisation.
    """
    if (module is None) == (activation is None):
        raise ValueError(
            "--module: expected the module of the weights, or --activation, as a state dict holds"
            " none; got " + ("neither" if module is None else "both")
        )
    from cvxinv.generator.state_dict import loaded

    with output(out, overwrite) as draft:
        state = _state(str(checkpoint), loaded(checkpoint), key)
        if module is not None:
            G = _of_module(module, checkpoint, state, part)
        else:
            G = _of_state(checkpoint, state, part, activation or "")
        G.save(draft)
    shape = "" if G.image_shape is None else f", images {' x '.join(map(str, G.image_shape))}"
    typer.echo(f"{G!r}{shape}")
    typer.echo(f"generator: {out}")


def _state(name: str, found: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
    """The state dict in what a file holds: all of it, or the only dict of tensors inside."""
    inside = {k: v for k, v in found.items() if _is_state(v)}
    if key is not None:
        if key not in inside:
            known = ", ".join(inside) or "none"
            raise ValueError(f"--key: expected a state dict of {name} ({known}), got {key!r}")
        return {str(k): v for k, v in inside[key].items()}
    if len(inside) > 1:
        raise ValueError(f"--key: {name} holds several state dicts: {', '.join(inside)}")
    return next(iter(inside.values()), found)


def _is_state(value: Any) -> bool:
    is_dict = isinstance(value, Mapping) and len(value) > 0
    return is_dict and all(hasattr(a, "ndim") for a in value.values())


def _of_state(
    checkpoint: Path, state: Mapping[str, Any], part: str | None, phi: str
) -> "Generator":
    from cvxinv.generator import Generator
    from cvxinv.generator.state_dict import chain, has_order

    if part is not None:
        state = {k: a for k, a in state.items() if f".{part}." in f".{k}"}
        if not state:
            raise ValueError(f"--part: expected keys of {checkpoint} with {part!r}, found none")
    return Generator(*chain(state, has_order(checkpoint)), phi)


# -- modules ---------------------------------------------------------------------------------------


def _of_module(
    where: str, checkpoint: Path, state: Mapping[str, Any], part: str | None
) -> "Generator":
    from cvxinv.generator import Generator
    from cvxinv.generator.state_dict import WRAPPERS

    module = _built(where)
    weights = {WRAPPERS.sub("", key): a for key, a in state.items()}
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"{checkpoint}: these weights do not fit {where}: {one_line(error)}"
        ) from error
    return Generator.from_torch(_attribute(module, part, "--part") if part else module)


def _built(where: str) -> "nn.Module":
    """The module that `where` names."""
    from torch import nn

    source, _, name = where.rpartition(":")
    if not source or not name:
        raise ValueError(f"--module: expected file.py:Class or package.module:name, got {where!r}")
    found = _attribute(_imported(source), name, "--module")
    if not isinstance(found, nn.Module):
        try:
            found = found()
        except Exception as error:  # of a user's own code
            raise ValueError(
                f"--module: {where} cannot be called without arguments ({one_line(error)}): write a"
                " function that builds it, and name that"
            ) from error
    if not isinstance(found, nn.Module):
        raise ValueError(f"--module: {where} gives a {type(found).__name__}, no torch module")
    return found.eval()


def _imported(source: str) -> ModuleType:
    """A file, or a module as Python finds it from the folder where the command runs."""
    path = Path(source).resolve()
    is_file = path.suffix == ".py"
    if is_file and not path.is_file():
        raise FileNotFoundError(2, "No such file or directory", source)
    sys.path.insert(0, str(path.parent if is_file else Path.cwd()))
    try:
        if not is_file:
            return importlib.import_module(source)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except Exception as error:  # of a user's own code
        what = f"{type(error).__name__}: {one_line(error)}"
        raise ValueError(f"--module: {source} cannot be imported ({what})") from error
    finally:
        sys.path.pop(0)


def _attribute(found: Any, names: str, option: str) -> Any:
    for name in names.split("."):
        if not hasattr(found, name):
            owner = getattr(found, "__name__", type(found).__name__)
            raise ValueError(f"{option}: {owner} has no {name!r}")
        found = getattr(found, name)
    return found
