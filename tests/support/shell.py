"""What the tests of the command line share."""

SIZES = (3, 8, 16, 30)  # of the generator in g.safetensors


def complains(answer, *words):
    code, _, err = answer
    assert code == 2
    assert err.startswith("cvxinv: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
