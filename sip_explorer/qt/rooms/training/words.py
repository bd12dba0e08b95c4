"""What the fields and values of a recipe and the states of a run are called on the screen."""

import re

LABELS: dict[str, str] = {
    "name": "Name",
    "method": "Method",
    "salience": "Salience",
    "reference": "Model",
    "merge": "Merge",
    "salience_layer": "Layer",
    "unannotated": "Left out",
    "budget": "Budget",
    "salient_share": "Inside",
    "salient_share_epochs": "… grows over",
    "limit": "At most",
    "crop_padding": "Shift",
    "rotation": "Turn",
    "zoom": "Zoom",
    "jitter": "Colours",
    "trades_beta": "TRADES β",
    "accumulate": "Parts of a batch",
    "ema": "Weight average",
    "patience": "Patience",
    "channels_last": "Channels last",
    "compile": "Compile",
    "snapshot": "Go on from",
    "normalisation": "Normalise by",
    "place": "Run in",
    "collection": "Images",
    "architecture": "Architecture",
    "start": "Start from",
    "epsilon": "Epsilon",
    "steps": "Steps",
    "step_size": "Step size",
    "random_start": "Random start",
    "loss": "Loss",
    "reduction": "Batch loss",
    "attack_batch_size": "Mean over",
    "attack_precision": "Precision",
    "epsilon_warmup": "Epsilon warm-up",
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "momentum": "Momentum",
    "weight_decay": "Weight decay",
    "schedule": "Schedule",
    "schedule_epochs": "Drop every",
    "schedule_factor": "Drop factor",
    "flip": "Mirror",
    "validation_fraction": "Held out",
    "validation_images": "Attacked",
    "validation_steps": "PGD steps",
    "best": "Keep best",
    "seed": "Seed",
    "device": "Device",
    "precision": "Precision",
    "snapshot_every": "Snapshot",
    "layout": "Layout",
    "components": "Prototypes",
    "blocks": "Blocks",
    "dequantisation": "Dequantisation",
    "classification_weight": "Cross-entropy ×",
    "classification_softness": "… softened by",
    "density_weight": "Bits/dim ×",
    "consistency_weight": "Consistency ×",
    "consistency_ramp": "… grows over",
    "diversity_weight": "Diversity ×",
    "cluster_weight": "Cluster ×",
    "kmeans": "Start at k-means",
    "minutes": "End after",
    "mixture_learning_rate": "… of prototypes",
    "warmup": "Warm-up",
    "gradient_clip": "Clip gradient",
    "average": "Weight average",
    "micro_batch": "Images per pass",
    "shift": "Shift",
    "outside": "From outside",
    "samples": "Draw",
    "temperature": "Temperature",
}

TIPS: dict[str, str] = {
    "reference": "The model whose Grad-CAM or integrated gradients are salience.",
    "snapshot": "A new run that takes weights, optimiser and epoch over from another run's snapshot.",
    "place": "This window keeps answering in both; a process of its own suits long runs.",
}
"""Of the fields that are of the form alone."""

UNITS: dict[str, str] = {
    "batch_size": "images",
    "attack_batch_size": "images",
    "epsilon_warmup": "epochs",
    "schedule_epochs": "epochs",
    "validation_images": "images",
    "validation_fraction": "of all",
    "unannotated": "of images",
    "salient_share": "of ε",
    "patience": "epochs",
    "zoom": "",
    "jitter": "",
    "snapshot_every": "epochs",
    "components": "a class",
    "blocks": "a network",
    "samples": "a class",
}

CHOICES: dict[str, dict[str, str]] = {
    "method": {
        "clean": "Clean training",
        "adversarial": "Adversarial",
        "trades": "TRADES",
        "sip-at": "SIP-AT",
        "protoflow": "ProtoFlow",
    },
    "dequantisation": {
        "automatic": "Automatic",
        "uniform": "Uniform noise",
        "variational": "Learned noise",
    },
    "outside": {"edge": "Its border goes on", "black": "Black"},
    "salience": {
        "painted": "Painted",
        "segmentation": "Segmentations",
        "boxes": "Boxes",
        "grad-cam": "Grad-CAM",
        "integrated-gradients": "Integrated gradients",
        "painted-else-grad-cam": "Painted, else Grad-CAM",
        "painted-else-integrated-gradients": "Painted, else integrated gradients",
        "segmentation-else-grad-cam": "Segmentation, else Grad-CAM",
        "segmentation-else-integrated-gradients": "Segmentation, else integrated gradients",
        "boxes-else-grad-cam": "Boxes, else Grad-CAM",
        "boxes-else-integrated-gradients": "Boxes, else integrated gradients",
        "painted-else-segmentation": "Painted, else segmentation",
        "none": "None",
    },
    "merge": {
        "none": "One annotator",
        "mean": "Mean of all",
        "majority": "Majority",
        "union": "Anybody's",
        "intersection": "Everybody's",
        "staple": "By reliability (STAPLE)",
    },
    "normalisation": {"images": "The training images", "imagenet": "ImageNet"},
    "budget": {"hard": "Hard", "soft": "Soft", "inverted": "Inverted"},
    "place": {"window": "This window", "process": "Its own process"},
    "loss": {
        "ce": "Cross-entropy",
        "log-odds": "Log-odds",
        "margin": "Margin",
        "dlr": "Difference of logits ratio",
        "rescaled-ce": "Rescaled cross-entropy",
        "mifpe": "MIFPE",
    },
    "reduction": {"sum": "Sum", "mean": "Mean"},
    "schedule": {"one-cycle": "One cycle", "cosine": "Cosine", "step": "Steps", "constant": "Constant"},
    "best": {"clean": "By clean accuracy", "robust": "By PGD accuracy"},
    "precision": {"auto": "Automatic", "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"},
    "device": {"auto": "Automatic", "cpu": "CPU", "cuda": "GPU (CUDA)"},
}
CHOICES["attack_precision"] = CHOICES["precision"]

STATES: dict[str, str] = {
    "running": "running",
    "paused": "paused",
    "completed": "finished",
    "stopped": "stopped, kept",
    "cancelled": "cancelled",
    "failed": "failed",
    "unfinished": "broken off",
}


def method_word(recipe: dict[str, object]) -> str:
    """Return what the method of a stored recipe is called; flows' recipes of earlier versions name none."""
    method = recipe.get("method")
    return CHOICES["method"].get(str(method), str(method)) if method else "ProtoFlow"


def label(key: str) -> str:
    """Return what the form calls a field; one that is new here goes by its own name."""
    return LABELS.get(key) or key.replace("_", " ").capitalize()


def for_people(sentence: str, key: str) -> str:
    """Return a recipe's sentence with the names of fields as the form calls them."""
    if sentence.startswith(key):
        sentence = label(key) + sentence[len(key) :]
    for name, words in LABELS.items():
        if "_" in name:
            sentence = re.sub(rf"\b{name}\b", f"“{words}”", sentence)
    return sentence


def percent(value: float | None) -> str:
    """Return a share in percent with one decimal; a dash where there is none."""
    return "–" if value is None or value != value else f"{100 * value:.1f} %"


def batch_words(recipe: dict[str, object], epoch: int) -> str:
    """Return what the strip of training images shows, and what its outlines mean."""
    words = f"Original and trained on, in epoch {epoch}"
    if recipe.get("method") != "sip-at":
        return words
    budget = recipe.get("budget", "hard")
    if budget == "inverted":
        return f"{words}; outlined: salience, all that the attack may move"
    if budget == "soft" or recipe.get("salient_share"):
        return f"{words}; outlined: salience, which the attack moves less"
    return f"{words}; outlined: salience, which the attack leaves alone"
