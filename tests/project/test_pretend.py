"""The pretended CUDA device is as strict as a real one."""

import numpy as np
import pytest
import torch

from tests.support.pretend import Card, memory, pretended


@pytest.fixture
def machine():
    with pretended() as machine:
        yield machine


def test_tensors_say_where_they_are(machine):
    a = torch.zeros(3, device="cuda")
    b = torch.tensor([1.0, 2.0, 3.0]).to("cuda:1")
    assert (str(a.device), str(b.device), a.is_cuda) == ("cuda:0", "cuda:1", True)
    for like in (b + 1, b[None], b.new_ones(2), torch.zeros_like(b), b.to(torch.float64), b.sum()):
        assert isinstance(like, Card)
        assert str(like.device) == "cuda:1"
    assert torch.as_tensor(b, device="cuda:1") is b
    assert not b.cpu().is_cuda
    assert not torch.as_tensor(b, device="cpu").is_cuda


def test_places_do_not_mix(machine):
    a, b = torch.ones(3, device="cuda:0"), torch.ones(3, device="cuda:1")
    for wrong in (
        lambda: a + torch.ones(3),
        lambda: a + b,
        lambda: torch.where(a > 0, a, torch.ones(3)),
        lambda: torch.cat([a, b]),
        lambda: a.index_copy_(0, torch.tensor([0]), a[:1]),
        lambda: a[b > 0],
    ):
        with pytest.raises(RuntimeError, match="same device"):
            wrong()
    with pytest.raises(TypeError, match="numpy"):
        np.asarray(a)
    assert (a + torch.tensor(2.0) == 3).all()  # a number is welcome everywhere


@pytest.mark.parametrize(
    ("work", "waits"),
    [
        (lambda a: a + a, 0),
        (lambda a: a[:2], 0),
        (lambda a: torch.where(a > 0, a, 0.0), 0),
        (lambda a: a.masked_fill_(a > 0, 1.0), 0),
        (lambda a: a.__setitem__(a > 0, 1.0), 0),  # no indices for a number
        (lambda a: a[torch.zeros_like(a, dtype=torch.int64)], 0),
        (lambda a: torch.linalg.cholesky_ex(a[:, None] * a), 0),
        (lambda a: bool(a.any()), 1),
        (lambda a: float(a[0]), 1),
        (lambda a: torch.nonzero(a), 1),
        (lambda a: a[a > 0], 1),
        (lambda a: a.__setitem__(a > 0, 2 * a), 1),
        (lambda a: a.cpu(), 1),
        (lambda a: a.copy_(torch.ones(3)), 1),
        (lambda a: a[torch.tensor([0])], 1),
        (lambda a: torch.linalg.eigvalsh(a[:, None] * a), 1),
    ],
)
def test_waits_are_counted(machine, work, waits):
    a = torch.ones(3, device="cuda")
    work(a)
    assert machine.waits.total() == waits, machine.waits


def captured(machine, device="cuda:0", work=lambda a: a.add_(1.0)):
    """A tensor, and a graph that does some work on it."""
    a, graph = torch.zeros(3, device="cuda:0"), torch.cuda.CUDAGraph()
    with torch.cuda.device(device), torch.cuda.graph(graph, stream=torch.cuda.Stream()):
        work(a)
    return a, graph


def test_a_graph_computes_when_it_is_replayed(machine):
    a, graph = captured(machine, work=lambda a: a.copy_(2 * a + 1))
    assert memory(a).tolist() == [0.0] * 3
    for expected in (1.0, 3.0, 7.0):
        graph.replay()
        assert memory(a).tolist() == [expected] * 3


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda a: bool(a.any()), "stream is capturing"),
        (lambda a: a.cpu(), "stream is capturing"),
        (lambda a: torch.ones(3, device="cuda:1") + 1, "while cuda:0 captures"),
        (lambda a: None, "empty"),
    ],
)
def test_captures_keep_the_rules(machine, work, words):
    with pytest.raises(RuntimeError, match=words):
        captured(machine, work=work)


def test_a_capture_belongs_to_one_card(machine):
    with pytest.raises(RuntimeError, match="while cuda:1 captures"):
        captured(machine, "cuda:1")


def test_nothing_is_left_behind():
    available, tensor = torch.cuda.is_available(), torch.ones(1)
    with pretended():
        a = tensor.to("cuda")
        assert torch.cuda.is_available()
    assert torch.cuda.is_available() == available
    with pytest.raises(RuntimeError, match="outside"):
        a + 1
