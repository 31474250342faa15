"""The table of faults and the tests: no row without a test, no test without a row."""

from collections import Counter

from tests.support.calls import CALLS
from tests.support.faults import cells, covered, rows
from tests.support.spoilt import SPOILT


def test_rows_are_tests_and_tests_are_rows():
    assert Counter(rows()) == Counter(covered())


def test_every_form_of_an_array_has_its_cells():
    columns = {call.column for call in CALLS}
    assert set(cells()) == {(fault, column) for fault in SPOILT for column in columns}
    assert {*cells().values()} == {"accepted", "status", "replaced", "refused", "-"}
