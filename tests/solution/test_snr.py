import numpy as np
import pytest
import torch

import cvxinv


def test_snr_in_decibel():
    x = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(
        cvxinv.snr(x, x + [[0, 0.5], [0.1, 0], [1, 1]]), [20, 20, 0], atol=1e-9
    )
    assert cvxinv.snr(x, x).tolist() == [np.inf] * 3
    assert cvxinv.snr(x[0], x[0] + [0.05, 0]) == pytest.approx(40)
    tensors = torch.tensor(x[0]), torch.tensor(x[0] + [0.05, 0])
    assert float(cvxinv.snr(*tensors)) == pytest.approx(40)
    assert np.isnan(cvxinv.snr(x[0], np.array([np.nan, 0])))
