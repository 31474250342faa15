"""Which module imports which, read from the sources without importing them."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Arrow:
    """Module `source` imports module `target`, ours or not, in line `line` of its file."""

    source: str
    target: str
    line: int
    when: Literal["import", "call", "types"] = "import"  # in a function; below `if TYPE_CHECKING:`

    def __str__(self) -> str:
        return f"{self.source} -> {self.target} (line {self.line})"

    def reaches(self, modules: set[str]) -> bool:
        """Whether the target is one of them, or in one that is a package: that is loaded too."""
        parts = self.target.split(".")
        return any(".".join(parts[:k]) in modules for k in range(1, len(parts) + 1))


def sources(*folders: str) -> dict[str, Path]:
    """The .py files below the folders, by the names of their modules."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {_name(path): path for path in files}


def arrows(modules: dict[str, Path]) -> set[Arrow]:
    """Every import, also inside functions, and `import_module("a literal name")`."""
    return {arrow for name, path in modules.items() for arrow in _arrows(name, path, modules)}


def needing(package: str, modules: dict[str, Path]) -> set[str]:
    """The modules that cannot be imported without the package, directly or through others."""
    found = arrows(modules)
    needed = {package}
    while more := {a.source for a in found if a.when == "import" and a.reaches(needed)} - needed:
        needed |= more
    return needed - {package}


def circle(pairs: set[tuple[str, str]]) -> list[str]:
    """Names of which each imports the one before it, from one back to itself; empty if none."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for source, target in sorted(pairs):
        order.add(source, target)
    try:
        order.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _arrows(name: str, path: Path, modules: dict[str, Path]) -> Iterator[Arrow]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    blocks = [block for block in ast.walk(tree) if isinstance(block, ast.If)]
    types = _inside(block for block in blocks if "TYPE_CHECKING" in ast.unparse(block.test))
    calls = _inside(block for block in ast.walk(tree) if isinstance(block, FUNCTION))
    for node in ast.walk(tree):
        when = "types" if node in types else "call" if node in calls else "import"
        for target in _targets(node, package, modules):
            yield Arrow(name, target, node.lineno, when)


def _inside(blocks: Iterable[ast.If | ast.FunctionDef | ast.AsyncFunctionDef]) -> set[ast.AST]:
    """Every node of the blocks' bodies; an `else` is not in the body."""
    return {node for block in blocks for line in block.body for node in ast.walk(line)}


def _targets(node: ast.AST, package: str, modules: dict[str, Path]) -> list[str]:
    """The modules that a statement or call imports: `from a import b` is a.b where that is a module
    of ours, else a.
    """
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        home = _absolute("." * node.level + (node.module or ""), package)
        return [
            inner if (inner := f"{home}.{alias.name}") in modules else home for alias in node.names
        ]
    match node:
        case ast.Call(func=function, args=[ast.Constant(value=str(target)), *_]):
            if ast.unparse(function).endswith(("import_module", "__import__")):
                return [_absolute(target, package)]
    return []


def _absolute(target: str, package: str) -> str:
    """Without leading dots, each of which but the first leaves a package."""
    dots = len(target) - len(target.lstrip("."))
    if not dots:
        return target
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - dots + 1], *filter(None, target[dots:].split("."))])
