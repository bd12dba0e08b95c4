"""What the fields and values of a recipe and the states of a run are called on the screen."""

import re

LABELS: dict[str, str] = {
    "name": "Name",
    "method": "Method",
    "salience": "Salience",
    "reference": "Model",
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
    "flip": "Mirror images",
    "validation_fraction": "Held out",
    "validation_images": "Attacked",
    "validation_steps": "PGD steps",
    "best": "Keep best",
    "seed": "Seed",
    "device": "Device",
    "precision": "Precision",
    "snapshot_every": "Snapshot",
}

UNITS: dict[str, str] = {
    "batch_size": "images",
    "attack_batch_size": "images",
    "epsilon_warmup": "epochs",
    "schedule_epochs": "epochs",
    "validation_images": "images",
    "validation_fraction": "of all",
    "snapshot_every": "epochs",
}

CHOICES: dict[str, dict[str, str]] = {
    "method": {"clean": "Clean training", "adversarial": "Adversarial", "sip-at": "SIP-AT"},
    "salience": {
        "painted": "Painted",
        "painted-else-grad-cam": "Painted, else Grad-CAM",
        "grad-cam": "Grad-CAM",
        "none": "None",
    },
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
    "completed": "finished",
    "stopped": "stopped, kept",
    "cancelled": "cancelled",
    "failed": "failed",
    "unfinished": "broken off",
}


def method_word(recipe: dict[str, object]) -> str:
    """Return what the method of a stored recipe is called; a flow's recipe names none."""
    method = recipe.get("method")
    return CHOICES["method"].get(str(method), str(method)) if method else "ProtoFlow"


def for_people(sentence: str, key: str) -> str:
    """Return a recipe's sentence with the names of fields as the form calls them."""
    label = LABELS.get(key)
    if label and sentence.startswith(key):
        sentence = label + sentence[len(key) :]
    for name, words in LABELS.items():
        if "_" in name:
            sentence = re.sub(rf"\b{name}\b", f"“{words}”", sentence)
    return sentence


def percent(value: float | None) -> str:
    """Return a share in percent with one decimal; a dash where there is none."""
    return "–" if value is None or value != value else f"{100 * value:.1f} %"
