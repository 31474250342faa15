"""Fig. 2 in miniature, stopped and taken up again."""

import json

import numpy as np
import pytest

from validation import points, random_networks
from validation.points import Points
from validation.sections import random_networks as section


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "FOLDER", tmp_path)
    return tmp_path


def test_points_are_measured_once_and_again_with_other_settings(folder):
    calls = []

    def measure(point):
        calls.append(point)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {"value": point}

    one = Points("trial", {"seed": 0})
    with pytest.raises(KeyboardInterrupt):
        list(one.measured([1, 2, 3], measure))
    assert [p["value"] for p in one.measured([1, 2, 3], measure)] == [1, 2, 3]
    assert calls == [1, 2, 3, 3]
    (folder / "trial" / "2.json").write_text("{torn", encoding="utf-8")
    assert one.kept(2) is None
    assert Points("trial", {"seed": 1}).kept(1) is None


def test_a_network_of_few_pixels(folder):
    """s_1 > n_0 and n_1 < n: the pursuit is exact; all figures are there, and are drawn."""
    size = random_networks.Size((4,), (12,), 2, 30)
    names = [*section.SHOWN, "invert"]
    each = {name: random_networks.measure(size, 20, (4, 12, name)) for name in names}
    found = random_networks.together(size, 20, (4, 12), each)
    assert set(found["SNR"]) == set(names)
    for snr in found["SNR"].values():
        for quantiles in snr.values():
            assert (np.diff(quantiles) >= 0).all()
    json.dumps(found)
    result = {"latent": [4], "n": 20, "signals": 2, "points": [found]}
    figure = section.draw(result)
    assert len(figure.axes) == 3
