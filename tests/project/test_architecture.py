"""The order of the house: every import goes down, none goes round in a circle."""

import pytest

from tests.support.imports import Arrow, arrows, circle, sources

# A room imports from the floors below its own, never from beside or above. Ground floor last.
HOUSE = """
    __main__
    cli
    testing      run          bench
    inversion
    pursuits
    guarantees
    reference    fast
    solution
    certificate
    newton
    problems     generator
    activations
    progress
    rows         checks
    arrays       memory       record
    errors       files        version
"""
# The same inside `fast`; the face `fast` hands out `solve` and `latent`.
FAST = """
    solve
    few
    default      printed      alike
    unsure
    latent       methods      compiled
    core
"""
LOADS_TORCH = ("fast", "cvxinv.generator.from_torch", "cvxinv.generator.nn")  # when imported

MODULES = sources("cvxinv", "fast")
ARROWS = arrows(MODULES)
INSIDE = {arrow for arrow in ARROWS if arrow.target in MODULES and arrow.source != "cvxinv"}


def floors(plan):
    """Each room and its floor, the ground floor being 0."""
    lines = reversed(plan.split("\n"))
    return {room: i for i, line in enumerate(filter(str.strip, lines)) for room in line.split()}


def room(module):
    """cvxinv.problems.layers is in `problems`, all of fast.* in `fast`."""
    parts = module.split(".")
    return "fast" if parts[0] == "fast" else parts[1]


def up(arrows, floor, room):
    """The arrows between two rooms that do not go down."""
    between = [(arrow, room(arrow.source), room(arrow.target)) for arrow in arrows]
    return sorted(str(arrow) for arrow, a, b in between if a != b and floor[a] <= floor[b])


def imports(package):
    return {arrow for arrow in ARROWS if arrow.target.split(".")[0] == package}


def within(module, packages):
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_every_room_has_its_floor():
    assert {room(module) for module in MODULES if "." in module} - {"fast"} <= set(floors(HOUSE))


def test_imports_go_down():
    assert not up(INSIDE, floors(HOUSE), room), "also those that only type checkers follow"


def test_imports_inside_fast_go_down():
    arrows = {a for a in INSIDE if a.source.startswith("fast.") and a.target.startswith("fast")}
    assert "fast" not in {arrow.target for arrow in arrows}, "its face is for others"
    assert not up(arrows, floors(FAST), lambda module: module.split(".")[1])


def test_there_is_no_circle_of_modules():
    assert not circle({(a.source, a.target) for a in INSIDE if a.when != "types"})


def test_nothing_inside_imports_the_face():
    assert not sorted(str(arrow) for arrow in INSIDE if arrow.target == "cvxinv")


def test_nothing_inside_imports_what_is_not_installed():
    assert not imports("tests") | imports("validation")


def test_the_reference_alone_imports_cvxpy():
    assert {room(arrow.source) for arrow in imports("cvxpy")} == {"reference"}


def test_torch_is_loaded_by_those_that_compute_with_it():
    loads = {arrow for arrow in imports("torch") if arrow.when == "import"}
    assert not sorted(str(arrow) for arrow in loads if not within(arrow.source, LOADS_TORCH))


def test_tests_share_what_is_in_support():
    shared = {arrow for arrow in arrows(sources("tests")) if within(arrow.target, ["tests"])}
    assert not sorted(str(arrow) for arrow in shared if not within(arrow.target, ["tests.support"]))


# -- that these tests can fail --------------------------------------------------------------------


def test_imports_of_every_form_are_seen(tmp_path):
    text = """
        import a.b
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from house import roof
        else:
            from . import roof
        def f():
            from ..street import lamp
            import_module("torch")
    """
    file = tmp_path / "cellar.py"
    file.write_text("\n".join(line[8:] for line in text.split("\n")))
    seen = arrows({"town.house.cellar": file, "town.house.roof": file, "house.roof": file})
    expected = {
        Arrow("town.house.cellar", "a.b", 2),
        Arrow("town.house.cellar", "typing", 3),
        Arrow("town.house.cellar", "house.roof", 5, "types"),
        Arrow("town.house.cellar", "town.house.roof", 7),
        Arrow("town.house.cellar", "town.street", 9, "call"),
        Arrow("town.house.cellar", "torch", 10, "call"),
    }
    assert {arrow for arrow in seen if arrow.source == "town.house.cellar"} == expected


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ({("a", "b"), ("b", "c"), ("a", "c")}, []),
        ({("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")}, ["b", "c", "b"]),
        (set(), []),
    ],
)
def test_circles_are_found(pairs, found):
    assert circle(pairs) in (found, found[::-1])


def test_arrows_up_and_beside_are_found():
    plan = "attic\nhall kitchen\ncellar"
    down, beside, upwards = (Arrow("hall", t, 1) for t in ("cellar", "kitchen", "attic"))
    assert up({down, beside, upwards}, floors(plan), str) == [str(upwards), str(beside)]
