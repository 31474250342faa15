"""Ctrl-C in the middle: it comes through, nothing is left changed, and the next call works."""

import signal

import pytest

from tests.support.globals import unchanged
from tests.support.work import same, work


@pytest.mark.parametrize("kind", ["fast", "reference", "invert"])
def test_from_progress(kind):
    expected = work(kind, 1)
    told = []

    def stop(done, total):
        told.append(done)
        raise KeyboardInterrupt

    with unchanged(), pytest.raises(KeyboardInterrupt):
        work(kind, 1, progress=stop)
    assert len(told) == 1
    assert same(work(kind, 1), expected)


def until_interrupted(kind, seconds):
    try:
        while True:
            if not signal.getitimer(signal.ITIMER_REAL)[0]:  # Python loses those in a __del__
                signal.setitimer(signal.ITIMER_REAL, seconds)
            work(kind, 1)
    except SystemError as error:  # numba's word for what is raised while it hands back a tuple
        while error.__cause__ is not None:
            error = error.__cause__
        raise error from None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["fast", "reference", "invert"])
def test_from_a_signal(kind):
    """At different moments, by the system's timer."""
    expected = work(kind, 1)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(6):
            with unchanged(), pytest.raises(KeyboardInterrupt):
                until_interrupted(kind, 0.003 * 2**k)
            assert same(work(kind, 1), expected)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.filterwarnings("ignore:.* tasks which:UserWarning")  # joblib says what it drops
def test_workers():
    """Ctrl-C while `reference.solve` waits for its processes."""
    expected = work("reference", 1)

    def stop(done, total):
        raise KeyboardInterrupt

    with unchanged(), pytest.raises(KeyboardInterrupt):
        work("reference", 1, n_jobs=2, progress=stop)
    assert same(work("reference", 1, n_jobs=2), expected)
