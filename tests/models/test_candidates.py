"""What a checkpoint may have been trained with: normalisations, sizes, orders of classes."""

import pytest
import torchvision

from sip_explorer.models.candidates import input_sizes, named_normalisation, normalisations
from sip_explorer.models.class_names import class_orders, match
from sip_explorer.models.data_set_classes import FASHION_MNIST_CLASSES
from sip_explorer.records import SipError

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
UNNAMED = tuple(f"class {index}" for index in range(10))


def test_names_are_matched_however_they_are_written() -> None:
    imagenet = ("tench, Tinca tinca", "tabby, tabby cat", "golden retriever", "Band-Aid", "crane", "crane")
    wanted = ("Golden_Retriever", "tabby-cat", "tinca tinca", "BAND AID", "crane", "unicorn")
    assert match(imagenet, wanted) == (2, 1, 0, 3, -1, -1), "two cranes: neither is taken"
    assert match(("tabby", "tiger cat"), ("tabby, tabby cat",)) == (0,)
    assert match(("Cardigan", "cardigan"), ("cardigan",)) == (1,), "the very name comes first"
    assert match(("cat", "dog"), ("cat", "CAT")) == (-1, -1), "one logit stands for one class"


def test_a_file_that_names_its_classes_is_believed() -> None:
    (order,) = class_orders(CIFAR10, True, tuple(sorted(CIFAR10, reverse=True)))
    assert order.columns == tuple(range(9, -1, -1))
    (order,) = class_orders(CIFAR10, True, ("Cat", "unicorn"))
    assert order.columns == (3, -1)
    assert order.names[3] == "Cat", "written as the workspace has it"
    assert class_orders(CIFAR10, True, ("rose", "lily")) == ()


def test_without_names_the_orders_in_use_are_tried() -> None:
    orders = class_orders(UNNAMED, False, tuple(sorted(FASHION_MNIST_CLASSES)))
    assert [order.words for order in orders] == ["Fashion-MNIST's names", "the workspace's order"]
    assert orders[0].names == FASHION_MNIST_CLASSES
    assert orders[0].columns[0] == FASHION_MNIST_CLASSES.index("Ankle boot")
    own = tuple("jihgfedcba")
    orders = class_orders(UNNAMED, False, own)
    assert [order.names for order in orders] == [own, tuple(sorted(own))]
    assert class_orders(UNNAMED, False, ("rose", "lily")) == ()
    digits = class_orders(UNNAMED, False, tuple("9876543210"))
    assert digits[0].names == tuple("0123456789")


def test_a_thousand_logits_are_imagenets_by_name_only() -> None:
    names = torchvision.models.ResNet18_Weights.DEFAULT.meta["categories"]
    unnamed = tuple(f"class {index}" for index in range(1000))
    (order,) = class_orders(unnamed, False, ("golden_retriever", "TENCH", "my cat"))
    assert order.columns == (207, 0, -1)
    assert order.names[207] == "golden_retriever"
    assert order.names[1] == names[1]


def test_assumed_names_that_fit_come_first_and_others_are_tried_too() -> None:
    orders = class_orders(CIFAR10, False, tuple(reversed(CIFAR10)))
    assert [order.words for order in orders] == ["classes by name", "the workspace's order"]
    (order,) = class_orders(CIFAR10, False, ("cat", "dog", "bird"))
    assert order.columns == (3, 5, 2)
    flowers = tuple(f"flower {index}" for index in range(10))
    assert [order.words for order in class_orders(CIFAR10, False, flowers)] == ["the workspace's order"]


def test_normalisations_lead_with_the_files_own_and_name_none_twice() -> None:
    imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    tried = normalisations(3, imagenet)
    assert tried[0].words == "ImageNet's"
    assert len({each.pair for each in tried}) == len(tried) == 8
    assert len(normalisations(3, imagenet, 1000)) == len(tried) - 3, "CIFAR's are those of small pictures"
    near = normalisations(1, ((0.28604,), (0.35302,)))
    assert near[0].words == "Fashion-MNIST's"
    assert near[0].pair == ((0.28604,), (0.35302,)), "the file's own figures stay"
    assert len(near) == 6
    odd = normalisations(3, ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))
    assert odd[0].words.startswith("mean 0.1, 0.2, 0.3")
    assert len(odd) == 9
    assert [each.pair[0] for each in normalisations(4, ((0.5,) * 4, (0.5,) * 4))] == [(0.5,) * 4]


def test_sizes_stay_near_what_the_network_was_made_for() -> None:
    assert input_sizes(224, 512) == (224, 128, 160, 192, 256, 288, 299, 384)
    assert input_sizes(32, 28) == (32, 28, 64)
    assert input_sizes(224, 100)[:2] == (224, 100)
    assert 4 not in input_sizes(8, 4)


@pytest.mark.parametrize(
    ("text", "channels", "pair"),
    [
        ("imagenet", 3, ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
        ("Half", 1, ((0.5,), (0.5,))),
        ("127/128", 3, ((127 / 255,) * 3, (128 / 255,) * 3)),
        ("mnist", 1, ((0.1307,), (0.3081,))),
        ("0.5/0.25", 3, ((0.5,) * 3, (0.25,) * 3)),
        ("0.1,0.2,0.3/1,2,3", 3, ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))),
    ],
)
def test_a_normalisation_by_name_or_by_figures(text: str, channels: int, pair: object) -> None:
    assert named_normalisation(text, channels) == pair


@pytest.mark.parametrize("text", ["mnist", "0.5", "0.5/0", "a/b", "0.1,0.2/0.3,0.4", "", "0.5/nan"])
def test_what_is_no_normalisation_is_refused(text: str) -> None:
    with pytest.raises(SipError, match=r"no normalisation for 3 channels.*imagenet"):
        named_normalisation(text, 3)
