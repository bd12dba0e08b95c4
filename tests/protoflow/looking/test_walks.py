"""Walks begin at the image and end at the mean; principal directions are those of the Jacobian."""

import pytest
import torch

from sip_explorer.protoflow import Code, ProtoFlow, build_protoflow
from sip_explorer.protoflow.looking import between, pixel_motion, principal_directions, traverse, walk
from sip_explorer.records import SipError


def test_a_walk_is_exact_at_its_start_and_ends_at_the_mean(flow: ProtoFlow, images: torch.Tensor) -> None:
    prototype = flow.prototypes[1][2]
    for row in range(4):
        code = flow.encode(images[row : row + 1], seed=7)
        found = walk(flow, code, prototype, 5)
        assert found.shape == (5, 1, 8, 8)
        assert torch.equal((found[0] * 255).round().clamp(0, 255) / 255, images[row])
        torch.testing.assert_close(found[0], images[row], atol=1e-6, rtol=0)
        end = flow.decode_raw(Code(prototype.mean[None], code.halves, code.u))
        torch.testing.assert_close(found[-1:], end)
        middle = flow.decode_raw(Code((code.z + prototype.mean) / 2, code.halves, code.u))
        torch.testing.assert_close(walk(flow, code, prototype, (0.5, 1.0))[:1], middle)


def test_between_two_prototypes_both_ends_are_their_means(flow: ProtoFlow, images: torch.Tensor) -> None:
    first, second = flow.prototypes[0][0], flow.prototypes[2][1]
    found = between(first, second, 4)
    torch.testing.assert_close(found[[0, -1]], flow.decode_raw(torch.stack((first.mean, second.mean))))
    halves = flow.encode(images[3:4]).halves
    assert halves is not None
    kept = between(first, second, 2, halves)
    torch.testing.assert_close(kept[1:], flow.decode_raw(Code(second.mean[None], halves)))


def test_pixels_that_move_are_the_difference_of_two_steps(flow: ProtoFlow, images: torch.Tensor) -> None:
    code, prototype = flow.encode(images[2:3]), flow.prototypes[0][1]
    start, moved = walk(flow, code, prototype, (0.0, 0.3)).clamp(0, 1)
    motion = pixel_motion(flow, code, prototype, 0.3)
    torch.testing.assert_close(motion, (moved - start).abs())
    assert 0 < float(motion.max()) <= 1
    assert float(pixel_motion(flow, code, prototype, 0.0).max()) == 0


def test_principal_directions_are_the_singular_vectors_of_the_jacobian(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[2][0]

    def levels(xi: torch.Tensor) -> torch.Tensor:
        z = prototype.mean + prototype.deviation * xi.reshape(prototype.mean.shape)
        return 255 * flow.decode_raw(z[None]).flatten()

    jacobian = torch.autograd.functional.jacobian(levels, torch.zeros(prototype.mean.numel()).double())
    _, singular, right = torch.linalg.svd(jacobian)
    directions, strengths = principal_directions(prototype, count=3, rounds=200, tolerance=1e-12)
    assert directions.shape == (3, *flow.latent_shape)
    torch.testing.assert_close(strengths, singular[:3], rtol=1e-6, atol=0)
    alignment = directions.flatten(1) @ right[:3].T
    torch.testing.assert_close(alignment.abs(), torch.eye(3).double(), atol=1e-4, rtol=0)
    assert bool(((jacobian @ directions.flatten(1).T).sum(0) > 0).all())  # forward is brighter
    # The quick ones of the room span nearly the same.
    quick, near = principal_directions(prototype, count=3)
    torch.testing.assert_close(near, singular[:3], rtol=0.02, atol=0)
    assert float((quick[0].flatten() @ right[0]).abs()) > 0.95
    assert torch.equal(quick, principal_directions(prototype, count=3)[0])


def test_all_directions_of_a_latent_can_be_asked_for(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[0][0]
    count = prototype.mean.numel()
    directions, strengths = principal_directions(prototype, count)
    flat = directions.flatten(1)
    torch.testing.assert_close(flat @ flat.T, torch.eye(count).double(), atol=1e-6, rtol=0)
    assert bool((strengths.diff() <= 1e-9).all())


def test_a_traversal_goes_through_the_mean(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[1][0]
    direction = principal_directions(prototype, 1)[0][0]
    found = traverse(prototype, direction, (-1.0, 0.0, 2.0))
    torch.testing.assert_close(found[1:2], flow.decode_raw(prototype.mean[None]))
    far = prototype.mean + 2 * prototype.deviation * direction
    torch.testing.assert_close(found[2:], flow.decode_raw(far[None]))


def test_faults_are_one_sentence(flow: ProtoFlow, images: torch.Tensor) -> None:
    code, prototype = flow.encode(images[:1]), flow.prototypes[0][0]
    other = build_protoflow(flow.backbone.config, flow.classes, seed=0).prototypes[1][1]  # type: ignore[arg-type]
    with pytest.raises(SipError, match="shoe 2 is a prototype of another flow"):
        walk(flow, code, other)
    with pytest.raises(SipError, match="another flow"):
        between(prototype, other)
    with pytest.raises(SipError, match="begins at one image, not 2"):
        walk(flow, flow.encode(images[:2]), prototype)
    with pytest.raises(SipError, match="A walk of 1 images has no two ends"):
        walk(flow, code, prototype, 1)
    with pytest.raises(SipError, match="not numbers"):
        walk(flow, code, prototype, (0.0, float("nan")))
    with pytest.raises(SipError, match="directions, not 0"):
        principal_directions(prototype, 0)
    with pytest.raises(SipError, match="ask for 1 to"):
        principal_directions(prototype, prototype.mean.numel() + 1)
