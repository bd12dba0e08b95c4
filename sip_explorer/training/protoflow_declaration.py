"""Every field of a ProtoFlow's recipe: its default, range, unit and meaning, and the paper that it is of."""

from dataclasses import dataclass

from sip_explorer.training.recipe_declaration import OURS, PRECISIONS
from sip_explorer.training.recipe_fields import choice, number, switch, text, whole

PROTOFLOW = "ProtoFlow (arXiv 2407.12200)"
PLAIN_SUM = f"{PROTOFLOW}: 1 or 0"


@dataclass(frozen=True, kw_only=True)
class ProtoFlowFields:
    """The fields of a `ProtoFlowRecipe` in the order of a form. The defaults suit the demo's images."""

    name: str = text("", "what the run is called")
    method: str = choice(
        "protoflow", ("protoflow",), "an invertible classifier with prototypes", source=PROTOFLOW
    )
    collection: str = text("", "which collection of images to train on; empty: all training images")
    limit: int = whole(0, 0, "at most this many images, spread over the classes; 0: all", "images")
    flip: bool = switch(False, "mirror images at random, left to right", source=f"{PROTOFLOW}: on")
    shift: int = whole(0, 0, "shift images at random by up to", "px", maximum=512)
    rotation: float = number(0.0, 0.0, 180.0, "turn images at random by up to", "degrees")
    zoom: float = number(0.0, 0.0, 0.9, "scale images at random by up to", "share")
    outside: str = choice(
        "edge", ("edge", "black"), "what comes in from outside the image: its border, or black", source=OURS
    )

    layout: str = text(
        "squeeze, steps 4x64, squeeze, steps 6x160, factor 128, steps 3x160",
        "small, medium, large or largest, or stages with commas between: squeeze, steps COUNTxWIDTH, "
        "dense COUNTxWIDTH, factor WIDTH",
        source=OURS,
    )
    blocks: int = whole(
        0, 0, "residual blocks in each coupling network; 0: those of the size, or none", "blocks", maximum=64
    )
    dequantisation: str = choice(
        "automatic",
        ("automatic", "uniform", "variational"),
        "noise that fills an 8-bit level: uniform, or learned; automatic: that of the size, or uniform",
        source="variational: Flow++ (arXiv 1902.00275)",
    )
    components: int = whole(
        4, 1, "prototypes of each class", "prototypes", maximum=100, source=f"{PROTOFLOW}: 10; 5 on CIFAR-10"
    )
    kmeans: bool = switch(True, "start the prototypes at class-wise k-means of the latents", source=PROTOFLOW)
    classification_weight: float = number(
        1.0, 0.0, 1e4, "weight of the cross-entropy (nats)", source=f"{PROTOFLOW}: 1"
    )
    classification_softness: float = number(
        1.0,
        0.0,
        1e4,
        "log-likelihoods are divided by this before the cross-entropy: at 10 a lead of 10 nats still learns",
        open_minimum=True,
        source=f"{PROTOFLOW}: 1",
    )
    density_weight: float = number(
        1.0, 0.0, 1e4, "weight of the class-conditional bits/dim", source=PLAIN_SUM
    )
    consistency_weight: float = number(
        0.0,
        0.0,
        1e4,
        "weight of the bits/dim under the class predicted on a second augmentation",
        source=PLAIN_SUM,
    )
    consistency_ramp: float = number(
        50.0, 0.0, 1e4, "consistency_weight grows from 0 over this time", "epochs", source=f"{PROTOFLOW}: 50"
    )
    diversity_weight: float = number(
        0.0, 0.0, 1e4, "weight of the diversity of a class's prototypes", source=PLAIN_SUM
    )
    cluster_weight: float = number(
        0.0, 0.0, 1e4, "weight of the distance from prototypes to their nearest images", source=PLAIN_SUM
    )

    epochs: int = whole(30, 1, "passes over the training images", "epochs", maximum=100_000)
    minutes: float = number(
        0.0,
        0.0,
        1e6,
        "end after about this time, the learning rate falls along; 0: no limit",
        "minutes",
        source=OURS,
    )
    batch_size: int = whole(64, 2, "images per optimiser step", "images", maximum=65_536)
    micro_batch: int = whole(
        16, 2, "images per pass; gradients of a batch are added up", "images", maximum=65_536
    )
    learning_rate: float = number(
        2e-3,
        0.0,
        1.0,
        "peak learning rate of the flow (AdamW)",
        open_minimum=True,
        source=f"{PROTOFLOW}: 2e-4",
    )
    mixture_learning_rate: float = number(
        5e-3, 0.0, 1.0, "peak learning rate of the prototypes (AdamW)", source=f"{PROTOFLOW}: 2e-3"
    )
    warmup: float = number(
        1.0, 0.0, 1e4, "the learning rate climbs over this time", "epochs", source=f"{PROTOFLOW}: 5"
    )
    gradient_clip: float = number(
        100.0, 0.0, 1e9, "largest gradient norm of a step", open_minimum=True, source=f"{PROTOFLOW}: 100"
    )
    average: float = number(
        0.999,
        0.0,
        1.0,
        "moving average of the weights: what a step keeps of it at most; 0: none",
        open_maximum=True,
        source=f"{PROTOFLOW}: 0.999",
    )

    validation_fraction: float = number(
        0.05, 0.0, 0.5, "held out of training, by class", "share of the images", open_minimum=True
    )
    samples: int = whole(
        8, 0, "images drawn of each class after an epoch, with the same noise; 0: none", "images", maximum=32
    )
    temperature: float = number(0.8, 0.0, 2.0, "temperature of these draws", source=OURS)

    seed: int = whole(0, 0, "fixes weights, order, noise and split", maximum=2**31 - 1)
    device: str = text("auto", "auto, cpu, mps, cuda or cuda:n", pattern=r"auto|cpu|mps|cuda(:\d{1,3})?")
    precision: str = choice("auto", PRECISIONS, "arithmetic of the coupling networks; densities are float32")
    snapshot_every: int = whole(0, 0, "keep a snapshot every so many epochs; 0: none", "epochs")
