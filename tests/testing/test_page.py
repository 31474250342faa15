"""What docs/testing.md says of the sweep is what the sweep does."""

import re
from pathlib import Path

from cvxinv.testing import LEVELS, Traits, check_solver
from cvxinv.testing.levels import SWEEP
from cvxinv.testing.traits import asked

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_levels_are_named_in_their_order():
    (part,) = re.findall(r"<!-- levels -->(.*?)<!-- /levels -->", PAGE, re.DOTALL)
    names = re.findall(r'"([^"]+)"', part)
    assert tuple(" ".join(name.split()) for name in names) == LEVELS


def test_the_largest_sizes_are_those_of_the_levels():
    drawn = [asked(**level.traits) for level in SWEEP]
    most = [max(getattr(one, name)[1] for one in drawn) for name in ("rows", "columns")]
    words = "{} x {}".format(*most)
    assert f"The largest W drawn is {words}" in PAGE
    assert f"W up to {words}" in check_solver.__doc__


def test_every_trait_is_named():
    (part,) = re.findall(r"Strategies take (.*?)\(", PAGE, re.DOTALL)
    assert re.findall(r"`(\w+)`", part) == list(Traits.__annotations__)
