"""A file is read in one sitting: none of ours has more than 300 lines."""

import pytest

from tests.support.imports import sources

LONGEST = 300
FILES = sources("cvxinv", "fast", "tests", "validation")


def test_all_rooms_are_looked_at():
    assert {name.split(".")[0] for name in FILES} == {"cvxinv", "fast", "tests", "validation"}
    assert len(FILES) > 200


@pytest.mark.parametrize("room", ["cvxinv", "fast", "tests", "validation"])
def test_no_file_is_too_long(room):
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in FILES.items()}
    assert not {f"{k}: {n}" for k, n in lengths.items() if n > LONGEST and k.startswith(room)}
