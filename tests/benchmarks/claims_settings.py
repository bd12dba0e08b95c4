"""What the claims are tested on: every setting by name, decided before it was run."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One way to train; ``epsilon_warmup`` and ``salient_share_epochs`` are shares of the epochs here.

    ``changes`` are fields of the recipe; ``salience`` is "exact" masks, "blurred" ones (a Gaussian of
    2 px, so that there is something between 0 and 1), "grad-cam" of the clean model of the same seed, or
    "" for none.
    """

    name: str
    words: str
    changes: dict[str, Any] = field(default_factory=dict)
    salience: str = ""


@dataclass(frozen=True)
class Claim:
    """Settings that are compared, the recipe they share, and how each trained model is judged.

    ``autoattack`` and ``apgd`` are epsilons in 255ths: AutoAttack's standard ensemble, and our APGD on
    cross-entropy and targeted DLR (its first two attacks). ``images`` and ``epochs`` are shares of the
    scale that was asked for.
    """

    name: str
    words: str
    settings: tuple[Setting, ...]
    shared: dict[str, Any]
    autoattack: tuple[int, ...]
    apgd: tuple[int, ...]
    images: float = 1.0
    epochs: float = 1.0


# Without a warm-up of epsilon, over this share of the epochs, a small network never leaves chance.
ADVERSARIAL = {
    "epsilon": 8 / 255, "steps": 5, "loss": "ce", "reduction": "sum", "batch_size": 128,
    "learning_rate": 0.05, "weight_decay": 5e-4, "schedule": "one-cycle", "epsilon_warmup": 0.4,
    "precision": "bfloat16", "attack_precision": "bfloat16",
    "validation_fraction": 0.05, "validation_images": 256, "validation_steps": 5, "best": "clean",
}  # fmt: skip
MASKED = {"method": "sip-at", "salience": "segmentation"}

SIP_AT = Claim(
    "sip-at",
    "SIP-AT has higher clean accuracy than adversarial training and keeps its robustness",
    (
        Setting("clean", "clean training", {"method": "clean"}),
        Setting("at", "adversarial training (AT)", {"method": "adversarial"}),
        Setting("trades", "TRADES, beta 1 (the authors' baseline)", {"method": "trades", "trades_beta": 1.0}),
        Setting("sip-at", "SIP-AT", MASKED, "exact"),
        Setting("sip-at-inverted", "SIP-AT, inverted mask", {**MASKED, "budget": "inverted"}, "exact"),
        Setting("sip-at-soft", "SIP-AT, soft (blurred mask)", {**MASKED, "budget": "soft"}, "blurred"),
        Setting(
            "sip-at-half", "SIP-AT, 50 % of the images unannotated", {**MASKED, "unannotated": 0.5}, "exact"
        ),
    ),
    ADVERSARIAL,
    autoattack=(8,),
    apgd=(1, 2, 4),
)

# Named before any of them was run. "Soft" of the claim above is the third setting that the front is
# compared with.
BETTER = Claim(
    "better",
    "A front of clean against robust accuracy above that of AT and TRADES",
    (
        Setting(
            "inside-half",
            "salient pixels move by half of epsilon",
            {**MASKED, "salient_share": 0.5},
            "exact",
        ),
        Setting(
            "inside-grows",
            "salient pixels move by a share of epsilon that grows from 0 to 1",
            {**MASKED, "salient_share": 1.0, "salient_share_epochs": 1.0},
            "exact",
        ),
    ),
    ADVERSARIAL,
    autoattack=(8,),
    apgd=(1, 2, 4),
)

HALF = {"method": "adversarial", "attack_precision": "float16"}
MINI_BATCH = Claim(
    "mini-batch",
    "Adversarial training on samples that a mean over large mini-batches weakened is less robust",
    (
        *(
            Setting(
                f"ce-mean-{size}",
                f"inner CE, mean over N = {size}",
                {**HALF, "reduction": "mean", "attack_batch_size": size},
            )
            for size in (1, 64, 1024)
        ),
        Setting("ce-sum", "inner CE, sum", HALF),
        Setting("log-odds", "inner log-odds, sum", {**HALF, "loss": "log-odds"}),
    ),
    ADVERSARIAL,
    autoattack=(),
    apgd=(8,),
    images=0.5,
)

GRAD_CAM = Claim(
    "sip-at-grad-cam",
    "SIP-AT with Grad-CAM salience of a cleanly trained model of the same network",
    (
        *SIP_AT.settings[:3],
        Setting("sip-at", "SIP-AT, Grad-CAM", {"method": "sip-at", "salience": "grad-cam"}, "grad-cam"),
        Setting(
            "sip-at-inverted",
            "SIP-AT, Grad-CAM, inverted mask",
            {"method": "sip-at", "salience": "grad-cam", "budget": "inverted"},
            "grad-cam",
        ),
    ),
    ADVERSARIAL,
    autoattack=(8,),
    apgd=(1, 2, 4),
)

CLAIMS = {claim.name: claim for claim in (SIP_AT, BETTER, MINI_BATCH, GRAD_CAM)}
