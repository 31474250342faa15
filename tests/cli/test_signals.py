"""What `cvxinv invert` and `check` read: arrays of any shape, masks beside them, pictures."""

import matplotlib.image
import numpy as np
import PIL.Image
import pytest

import cvxinv
from tests.support.shell import complains

H, W = 5, 6


@pytest.fixture(params=["sigmoid", "identity"])
def smooth(request, tmp_path):
    """A generator of images whose signals 8-bit levels can hold."""
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((12, 3)) / 2, rng.standard_normal((H * W, 12)) / 9]
    G = cvxinv.Generator(weights, activation=request.param, image_shape=(1, H, W))
    G.save(tmp_path / "s.safetensors")
    return G


def found_z(run, *arguments):
    code, out, _ = run("invert", *arguments, "--overwrite")
    assert code == 0, out
    with np.load("inversion.npz") as found:
        return found["z"], out


# -- shapes and masks ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(H, W), (1, H, W), (1, 1, H, W)])
def test_images_are_signals(run, smooth, latent, shape):
    y = smooth(latent)
    many = len(shape) < 4
    np.save("y.npy", y.reshape(4, *shape) if many else y[0].reshape(shape))
    z, _ = found_z(run, "s.safetensors", "y.npy")
    np.testing.assert_allclose(z, latent if many else latent[:1], atol=1e-6)


@pytest.mark.parametrize("name", ["observed", "mask"])
@pytest.mark.parametrize("shape", [(H * W,), (H, W), (1, H, W), (4, H * W), (4, H, W)])
def test_a_mask_beside_the_signals_counts(run, G, latent, name, shape):
    seen = np.ones(shape, dtype=bool)
    seen.reshape(-1, H * W)[:, :3] = False
    y = G(latent)
    y[:, :3] = 1e3
    np.savez("y.npz", y=y, **{name: seen})
    z, _ = found_z(run, "g.safetensors", "y.npz")
    np.testing.assert_allclose(z[[0, 3]], latent[[0, 3]], atol=1e-7)
    np.save("mask.npy", seen.astype(int))
    np.save("y.npy", y)
    np.testing.assert_array_equal(
        found_z(run, "g.safetensors", "y.npy", "--mask", "mask.npy")[0], z
    )
    complains(
        run("invert", "g.safetensors", "y.npz", "--mask", "mask.npy", "--overwrite"),
        "--mask: expected one mask",
        f"y.npz has '{name}'",
    )
    assert run("check", "g.safetensors", "y.npz")[0] == 0


def test_masks_that_fit_nothing(run, G, latent):
    np.savez("y.npz", signals=G(latent), observed=np.ones((3, H, W), dtype=bool))
    complains(run("invert", "g.safetensors", "y.npz"), "y.npz (observed)", "(3, 30)")
    np.savez("y.npz", y=G(latent), observed=np.ones(H * W))
    complains(run("invert", "g.safetensors", "y.npz"), "y.npz (observed)", "boolean")
    every = np.ones(H * W, dtype=bool)
    np.savez("y.npz", y=G(latent), observed=every, mask=every)
    complains(run("invert", "g.safetensors", "y.npz"), "'observed' and y.npz has 'mask'")


# -- pictures --------------------------------------------------------------------------------------


def levels(G, latent):
    """The signals as 8-bit grey levels."""
    low, high = (0, 1) if G.activation.name == "sigmoid" else (-1, 1)
    scaled = (G(latent) - low) / (high - low)
    return np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8).reshape(-1, H, W)


def test_pictures_are_signals(run, smooth, latent):
    images = levels(smooth, latent)
    (run.folder / "many").mkdir()
    for i, image in enumerate(images):
        colour = np.repeat(image[..., None], 3, axis=2) if i % 2 else image
        PIL.Image.fromarray(colour).save(f"many/{i}.png")
    np.save("levels.npy", images)
    z, out = found_z(run, "s.safetensors", "many")
    low = 0 if smooth.activation.name == "sigmoid" else -1
    assert f"grey levels are scaled to [{low}, 1]" in out
    with np.load("inversion.npz") as found:
        assert found["files"].tolist() == ["0.png", "1.png", "2.png", "3.png"]
        assert (np.abs(z - latent) < 6 * found["standard_error"]).all()
    np.testing.assert_allclose(found_z(run, "s.safetensors", "levels.npy")[0], z, atol=1e-4)
    np.testing.assert_allclose(found_z(run, "s.safetensors", "many/2.png")[0], z[2:3], atol=1e-4)


def test_pictures_that_are_none(run, smooth, tmp_path):
    complains(run("invert", "s.safetensors", "absent.png"), "absent.png", "No such file")
    (tmp_path / "empty").mkdir()
    complains(run("invert", "s.safetensors", "empty"), "empty: expected .png files")
    (tmp_path / "text.png").write_text("no picture")
    complains(run("invert", "s.safetensors", "text.png"), "text.png: not a readable picture")
    matplotlib.image.imsave("wide.png", np.zeros((W, H)))
    complains(run("invert", "s.safetensors", "wide.png"), "1 x 5 x 6, got 6 x 5")
    whole = (tmp_path / "wide.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    complains(run("invert", "s.safetensors", "cut.png"), "cut.png: not a readable picture")
    matplotlib.image.imsave("clear.png", np.zeros((H, W, 4)))
    complains(run("invert", "s.safetensors", "clear.png"), "transparent")
    np.save("binary.npy", np.ones((H, W), dtype=np.uint8))
    complains(run("invert", "s.safetensors", "binary.npy"), "0 and 1 alone")
