"""The shipped networks, and the demo."""

from .section import Claim, Drawing, Result, Scale, Section

NETWORKS = ("gan", "vae")
WHAT = "Share of each digit among the samples, and how sure the classifier is"


GENERATORS_SECTION = Section(
    name="generator_quality",
    title="The shipped networks",
    about="2 000 samples of each, judged by a small classifier of MNIST.",
    results={
        f"generator_quality_{g}": {
            "samples, seed, digit shares, least share, mean top probability": "what is made",
            "classifier test accuracy, classifier epochs": "who judges",
            "invertibility, weights file bytes, training of the generator": "of the network",
        }
        for g in NETWORKS
    },
    commands={
        Scale.tiny: (),
        Scale.small: tuple(f"validation.generator_quality {g} --epochs 1" for g in NETWORKS),
        Scale.full: tuple(f"validation.generator_quality {g}" for g in NETWORKS),
    },
    figures=(
        Drawing("Samples of the gan", "A sheet of digits", "generator_samples_gan.png"),
        Drawing("Its digits as classified", WHAT, "generator_digits_gan.png"),
        Drawing("Samples of the vae", "A sheet of digits", "generator_samples_vae.png"),
        Drawing("Its digits as classified", WHAT, "generator_digits_vae.png"),
    ),
    claims=(
        Claim(
            "Both make all ten digits",
            "ours",
            lambda *r: (
                "least digit share "
                + ", ".join(
                    f"{g} {100 * one['least share']:.1f} %"
                    for g, one in zip(NETWORKS, r, strict=True)
                )
            ),
            lambda *r: all(one["least share"] >= 0.03 for one in r),
            "each digit at least 3 %",
        ),
        Claim(
            "The gan's digits are readable, the vae's less so, as those of vanilla VAEs are",
            "ours",
            lambda *r: (
                "mean top probability of a classifier "
                + ", ".join(
                    f"{g} {one['mean top probability']:.3f}"
                    for g, one in zip(NETWORKS, r, strict=True)
                )
                + f"; its test accuracy {100 * r[0]['classifier test accuracy']:.1f} %"
            ),
            lambda *r: r[0]["mean top probability"] >= 0.85,
            "0.85 for the gan",
        ),
    ),
)


def worst(r: Result) -> dict[str, float]:
    """The least SNR of z, by network and setting."""
    return {
        f"{g}, {mask}": row["layers"]["z"]["snr dB"]["min"]
        for g, one in r["generators"].items()
        for mask, row in one["settings"].items()
    }


def whole(r: Result) -> bool:
    """Whether every signal came back in each setting."""
    return all(
        row["z above 100 dB"] == r["signals"]
        for one in r["generators"].values()
        for row in one["settings"].values()
    )


DEMO_SECTION = Section(
    name="demo",
    title="The demo",
    about="The README's first command: six digits of each shipped network, by the CVXPY reference.",
    results={
        "demo": {
            "signals, seed, jobs, seconds": "the setting",
            "generators": "by network and mask: seconds, z above 100 dB, and by layer snr dB,"
            " worst kkt, optimal, seconds",
        }
    },
    commands={
        Scale.tiny: ("cvxinv demo --signals 1 --jobs 1 --out demo.png --json demo.json",),
        Scale.small: ("cvxinv demo --jobs 1 --out demo.png --json demo.json",),
        Scale.full: ("cvxinv demo --jobs 1 --out demo.png --json demo.json",),
    },
    figures=(
        Drawing(
            "Six digits of each network",
            "Originals, inputs with hidden pixels in yellow, reconstructions, in three settings",
            "demo.png",
        ),
    ),
    claims=(
        Claim(
            "Latent-Pursuit with the reference finds z exactly, clean and masked",
            "ours",
            lambda r: (
                f"worst SNR of z {min(worst(r).values()):.0f} dB over"
                f" {r['signals']} signals of each network in each setting, in {r['seconds']:.1f} s"
            ),
            lambda r: whole(r) and min(worst(r).values()) >= 180,
            "180 dB or more for every signal",
        ),
    ),
)
