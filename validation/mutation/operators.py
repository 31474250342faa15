"""The changes: which there are of a source text. Strings, type hints, errors' texts, assertions,
decorators and `__repr__` are left alone.
"""

import ast
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

# what an operator becomes, one mutant each
COMPARED: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
COMPUTED: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
SIGNS: dict[type[ast.unaryop], str] = {ast.Not: "not", ast.USub: "-", ast.Invert: "~"}
FAR = 1000.0  # floats become so many times larger, and smaller
SYMMETRIC = {"min", "max", "minimum", "maximum", "logical_and", "logical_or", "hypot", "cast"}
PRINTED = {"__repr__", "__str__"}
COMPILED = {"jit", "njit", "entry"}


@dataclass(frozen=True)
class Mutant:
    """A change: `before` becomes `after`, in bytes `start` to `end` of the file.

    It lies in the statement, or the head of a statement, of lines `first` to `last`, in the
    function `scope`; "" is the module itself.
    """

    file: str
    scope: str
    line: int
    operator: str
    before: str
    after: str
    start: int
    end: int
    first: int
    last: int
    unseen: str  # why it is not seen which tests run that: "import", or "compiled"; else ""

    @property
    def change(self) -> str:
        """In a line."""
        return " ".join(f"{self.before} -> {self.after}".split())

    def applied(self, source: bytes) -> bytes:
        """The source with the change."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def told(self) -> dict[str, Any]:
        """For the record."""
        shown = {k: v for k, v in asdict(self).items() if k in ("file", "scope", "line")}
        return shown | {"operator": self.operator, "change": self.change}


def mutants(file: str, source: bytes) -> list[Mutant]:
    """All changes of a source, but for those that change nothing, or are no Python."""
    finder = _Finder(file, source)
    finder.visit(ast.parse(source))
    found = [mutant for mutant in finder.found if mutant.before != mutant.after]
    return [mutant for mutant in found if _parses(mutant.applied(source))]


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _names(node: ast.AST) -> Iterator[str]:
    """What a node reads like: name, or the last one of a.b.name."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr


class _Finder(ast.NodeVisitor):
    """Goes through a tree, and keeps the changes that it finds."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source, self.found = file, source, list[Mutant]()
        lengths = [len(line) for line in source.splitlines(keepends=True)]
        self.offsets = [sum(lengths[:k]) for k in range(len(lengths) + 1)]
        self.scope, self.bound = list[str](), list[dict[str, int]]()
        self.first = self.last = 1
        self.unseen = "import"

    # -- where things are, and the change of a part

    def begin(self, node: Any) -> int:
        return int(self.offsets[node.lineno - 1] + node.col_offset)

    def end(self, node: Any) -> int:
        return int(self.offsets[node.end_lineno - 1] + node.end_col_offset)

    def text(self, start: int, end: int) -> str:
        return self.source[start:end].decode()

    def change(self, name: str, start: int, end: int, after: str) -> None:
        line = self.source[:start].count(b"\n") + 1
        scope, before = ".".join(self.scope), self.text(start, end)
        where = (start, end, self.first, self.last, self.unseen)
        self.found.append(Mutant(self.file, scope, line, name, before, after, *where))

    def replace(self, name: str, node: Any, after: str) -> None:
        self.change(name, self.begin(node), self.end(node), after)

    def between(self, name: str, left: Any, right: Any, old: str, new: str) -> None:
        """What stands between two nodes, with another operator; the nodes are shown, too."""
        start, end = self.end(left), self.begin(right)
        there = self.text(start, end).replace(old, new, 1)
        whole = self.text(self.begin(left), start) + there + self.text(end, self.end(right))
        self.change(name, self.begin(left), self.end(right), whole)

    # -- statements

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            inner = [s for s in ast.iter_child_nodes(node) if isinstance(s, ast.stmt)]
            self.first = node.lineno
            self.last = (
                max(node.lineno, inner[0].lineno - 1) if inner else int(node.end_lineno or 0)
            )
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        decorated = {name for d in node.decorator_list for name in _names(d)}
        if node.name in PRINTED or "overload" in decorated:
            return
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        bound = {argument.arg: 0 for argument in arguments}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                bound.setdefault(inner.id, inner.lineno)
        before, self.unseen = self.unseen, "compiled" if COMPILED & decorated else ""
        self.scope.append(node.name)
        self.bound.append(bound)
        for statement in node.body:
            self.visit(statement)
        self.bound.pop()
        self.scope.pop()
        self.unseen = before

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if "Protocol" in {name for base in node.bases for name in _names(base)}:
            return
        self.scope.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self.scope.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        known = self.bound[-1] if self.bound else {}
        for target in node.targets:
            for name in (n for n in ast.walk(target) if isinstance(n, ast.Name)):
                if isinstance(name.ctx, ast.Store) and known.get(name.id, 10**9) >= node.lineno:
                    break
            else:
                self.replace("statement left out", node, "pass")
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        old, *others = COMPUTED.get(type(node.op), ("",))
        for new in others:
            self.between("arithmetic", node.target, node.value, old, new)
        self.replace("statement left out", node, "pass")
        self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.replace("statement left out", node, "pass")
        self.visit(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and ast.unparse(node.value) != "None":
            self.replace("returns None", node.value, "None")
            self.visit(node.value)

    def visit_If(self, node: ast.If | ast.While | ast.IfExp) -> None:
        if "TYPE_CHECKING" in _names(node.test):
            return
        if not isinstance(node.test, ast.Compare | ast.Constant | ast.UnaryOp):
            test = self.text(self.begin(node.test), self.end(node.test))
            self.replace("condition", node.test, f"(not ({test}))")
        self.generic_visit(node)

    visit_While = visit_IfExp = visit_If  # noqa: N815

    def visit_Raise(self, node: ast.AST) -> None:
        """Texts of errors, and what stands in their place, are left alone."""

    visit_Assert = visit_JoinedStr = visit_Raise  # noqa: N815

    # -- expressions

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self.replace("constant", node, str(not value))
        elif isinstance(value, int):
            self.replace("constant", node, str(value + 1))
            self.replace("constant", node, str(value - 1) if value else "(-1)")
        elif isinstance(value, float):
            for other in (value * FAR, value / FAR) if value else (1.0,):
                self.replace("constant", node, f"{other:.6g}" if other % 1 else f"{other:.1f}")

    def visit_Compare(self, node: ast.Compare) -> None:
        pairs = zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)
        for left, op, right in pairs:
            old, *others = COMPARED[type(op)]
            for new in others:
                self.between("comparison", left, right, old, new)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        old, *others = COMPUTED.get(type(node.op), ("",))
        for new in others:
            self.between("arithmetic", node.left, node.right, old, new)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.between("and, or", left, right, old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if (sign := SIGNS.get(type(node.op))) is not None:
            start = self.begin(node)
            rest = self.text(start + len(sign), self.end(node)).lstrip()
            self.change("sign or not", start, self.end(node), rest)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        plain = not any(isinstance(argument, ast.Starred) for argument in node.args[:2])
        if len(node.args) > 1 and plain and not SYMMETRIC & set(_names(node.func)):
            a, b = node.args[:2]
            texts = [self.text(self.begin(n), self.end(n)) for n in (b, a)]
            middle = self.text(self.end(a), self.begin(b))
            self.change("arguments swapped", self.begin(a), self.end(b), middle.join(texts))
        before: Any = node.func
        for k, keyword in enumerate(node.keywords):
            places = [*node.args, *node.keywords[:k]]
            if keyword.arg is not None and places:
                before = max(places, key=self.end)
                whole = self.text(self.begin(before), self.end(before))
                self.change("keyword left out", self.begin(before), self.end(keyword), whole)
        self.generic_visit(node)
