"""Every field of a recipe: its default, range, unit and meaning, and the paper that it is of."""

from dataclasses import dataclass

from sip_explorer.models import architecture_names
from sip_explorer.training.recipe_fields import choice, number, switch, text, whole

METHODS = ("clean", "adversarial", "trades", "sip-at")
MAP_SOURCES = ("grad-cam", "integrated-gradients")  # what a reference model computes
SALIENCE_POLICIES = (
    "painted", "segmentation", "boxes", *MAP_SOURCES,
    *(f"{first}-else-{then}" for first in ("painted", "segmentation", "boxes") for then in MAP_SOURCES),
    "painted-else-segmentation", "none",
)  # fmt: skip
MERGES = ("none", "mean", "majority", "union", "intersection", "staple")
BUDGETS = ("hard", "soft", "inverted")
NORMALISATIONS = ("images", "imagenet")
LOSSES = ("ce", "log-odds", "margin", "dlr", "rescaled-ce", "mifpe")
SCHEDULES = ("one-cycle", "cosine", "step", "constant")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
SHARE = "share of the [0,1] range"

OURS = "ours"
SIP_AT = "SIP-AT (arXiv 2501.09086)"
MADRY = "PGD (arXiv 1706.06083)"
TRADES = "TRADES (arXiv 1901.08573)"
MINI_BATCHES = "mini-batches (arXiv 2303.17720)"
GRAD_CAM = "Grad-CAM (arXiv 1610.02391)"


@dataclass(frozen=True, kw_only=True)
class RecipeFields:
    """The fields of a `Recipe` in the order of a form. The defaults are the demo's: 28 px grey images."""

    name: str = text("", "what the run is called")
    method: str = choice(
        "sip-at",
        METHODS,
        "clean images; adversarial images; both by TRADES; adversarial off the salience (SIP-AT)",
        source=f"{SIP_AT}; adversarial: {MADRY}; {TRADES}",
    )
    salience: str = choice(
        "painted-else-grad-cam",
        SALIENCE_POLICIES,
        "where the salience of SIP-AT comes from",
        source=f"{SIP_AT}; integrated-gradients and else: ours",
    )
    annotator: str = text("", "whose painted salience; empty: the workspace's first annotator")
    merge: str = choice(
        "none",
        MERGES,
        "one annotator's salience, or that of all who painted the image",
        source="ours; staple: Warfield, Zou and Wells 2004 (IEEE TMI 23)",
    )
    salience_layer: str = text(
        "",
        "layer that Grad-CAM reads; empty: the last of at least 4 x 4 positions",
        source=f"{GRAD_CAM}: last convolution; 4 x 4: ours",
    )
    unannotated: float = number(
        0.0,
        0.0,
        1.0,
        "images whose salience is left out, by class and seed",
        "share of the images",
        source=f"{SIP_AT}, ablation",
    )
    budget: str = choice(
        "hard",
        BUDGETS,
        "what may move: pixels below half salience; each by 1 - salience; pixels from half salience on",
        source=f"hard, inverted: {SIP_AT}; soft: ours",
    )
    salient_share: float = number(
        0.0, 0.0, 1.0, "how far protected pixels may move all the same", "share of epsilon", source=OURS
    )
    salient_share_epochs: float = number(
        0.0,
        0.0,
        1e5,
        "salient_share grows from 0 over this time; 0: it stands at once",
        "epochs",
        source=OURS,
    )
    collection: str = text("", "which collection of images to train on; empty: all training images")
    limit: int = whole(0, 0, "at most this many images, spread over the classes; 0: all", "images")
    flip: bool = switch(
        False, "mirror images and their salience at random, left to right", source=f"{SIP_AT}: off"
    )
    crop_padding: int = whole(
        0,
        0,
        "shift images and their salience at random by up to",
        "px",
        maximum=512,
        source="ResNet (arXiv 1512.03385): 4 on CIFAR",
    )
    rotation: float = number(0.0, 0.0, 180.0, "turn images and their salience at random by up to", "degrees")
    zoom: float = number(0.0, 0.0, 0.9, "scale images and their salience at random by up to", "share")
    jitter: float = number(0.0, 0.0, 1.0, "change brightness, contrast and saturation by up to", "share")

    architecture: str = text(
        "small-cnn",
        "network to build when no start checkpoint is given",
        known=architecture_names,
        source=f"{SIP_AT}: densenet121",
    )
    normalisation: str = choice(
        "images",
        NORMALISATIONS,
        "mean and deviation inside a fresh network: of the training images, or ImageNet's",
        source=f"{SIP_AT}: imagenet",
    )
    start: str = text("", "checkpoint file to start from; empty: fresh weights")

    epsilon: float = number(
        0.1, 0.0, 1.0, "how far the attack may move a pixel", SHARE, source=f"{SIP_AT}: 8/255"
    )
    steps: int = whole(10, 1, "steps of the inner attack", "steps", maximum=10_000, source=f"{SIP_AT}: 32")
    step_size: float | None = number(
        None,
        0.0,
        1.0,
        "attack step; left out: 2.5 epsilon / steps",
        SHARE,
        open_minimum=True,
        optional=True,
        source=f"{SIP_AT}: 1/255; left out: {MADRY}",
    )
    random_start: bool = switch(True, "start the attack at a random point of the ball", source=MADRY)
    loss: str = choice(
        "ce",
        LOSSES,
        "loss that the inner attack climbs; TRADES climbs its divergence",
        source=f"{SIP_AT}: ce; margin: arXiv 1608.04644; dlr: arXiv 2003.01690; log-odds: ours",
    )
    reduction: str = choice(
        "sum", ("sum", "mean"), "how the inner attack adds up its batch", source=f"{MINI_BATCHES}: sum"
    )
    attack_batch_size: int = whole(
        0, 0, "logical mini-batch of the mean reduction; 0: the batch", "images", source=MINI_BATCHES
    )
    attack_precision: str = choice(
        "auto", PRECISIONS, "arithmetic of the inner attack", source=f"{SIP_AT}: float32"
    )
    epsilon_warmup: float = number(
        0.0, 0.0, 1e4, "epsilon grows from 0 to its value over this time", "epochs", source=OURS
    )
    trades_beta: float = number(
        1.0, 0.0, 1e3, "weight of the divergence in TRADES", source=f"{TRADES}: 1 or 6; {SIP_AT}: 1"
    )

    epochs: int = whole(
        12, 1, "passes over the training images", "epochs", maximum=100_000, source=f"{SIP_AT}: 50"
    )
    batch_size: int = whole(
        128, 1, "images per optimiser step", "images", maximum=65_536, source=f"{SIP_AT}: 32"
    )
    accumulate: int = whole(
        1, 1, "parts that a batch is worked through in, to save memory", "parts", maximum=65_536
    )
    learning_rate: float = number(
        0.05, 0.0, 100.0, "peak learning rate of SGD", open_minimum=True, source=f"{SIP_AT}: 0.1"
    )
    momentum: float = number(0.9, 0.0, 1.0, "momentum of SGD", open_maximum=True, source=f"{SIP_AT}: 0.9")
    weight_decay: float = number(1e-4, 0.0, 1.0, "weight decay of SGD", source=f"{SIP_AT}: 1e-6")
    schedule: str = choice(
        "one-cycle",
        SCHEDULES,
        "how the learning rate moves over the run",
        source=f"{SIP_AT}: step; one-cycle: arXiv 1708.07120; cosine: arXiv 1608.03983",
    )
    schedule_epochs: int = whole(
        10, 1, "step schedule: epochs between two drops", "epochs", source=f"{SIP_AT}: 10"
    )
    schedule_factor: float = number(
        0.75, 0.0, 1.0, "step schedule: factor of a drop", open_minimum=True, source=f"{SIP_AT}: 0.75"
    )
    ema: float = number(
        0.0,
        0.0,
        1.0,
        "moving average of the weights: what a step keeps of it; 0: none",
        open_maximum=True,
        source="weight averaging (arXiv 2010.03593): 0.995",
    )

    validation_fraction: float = number(
        0.1,
        0.0,
        0.5,
        "held out of training, by class",
        "share of the images",
        open_minimum=True,
        source=f"{SIP_AT}: 0.1",
    )
    validation_images: int = whole(256, 0, "held-out images attacked after an epoch; 0: none", "images")
    validation_steps: int = whole(10, 1, "steps of the validation attack", "steps", maximum=10_000)
    best: str = choice(
        "clean",
        ("clean", "robust"),
        "validation accuracy that picks the best checkpoint",
        source=f"{SIP_AT}: clean",
    )
    patience: int = whole(
        0,
        0,
        "end after this time without a better validation accuracy; 0: never",
        "epochs",
        source="robust overfitting (arXiv 2002.11569)",
    )

    seed: int = whole(0, 0, "fixes weights, order, split and random starts", maximum=2**31 - 1)
    device: str = text("auto", "auto, cpu, mps, cuda or cuda:n", pattern=r"auto|cpu|mps|cuda(:\d{1,3})?")
    precision: str = choice(
        "auto", PRECISIONS, "arithmetic of the training step", source=f"{SIP_AT}: float32"
    )
    channels_last: bool = switch(True, "memory layout that convolutions are fastest in")
    compile: bool = switch(False, "compile the network first (torch.compile)")
    snapshot_every: int = whole(0, 0, "keep a snapshot every so many epochs; 0: none", "epochs")

    @property
    def salience_sources(self) -> tuple[str, ...]:
        """Sources of salience in the order in which they are asked; () where the run uses none."""
        if self.method != "sip-at" or self.salience == "none":
            return ()
        return tuple(self.salience.split("-else-"))
