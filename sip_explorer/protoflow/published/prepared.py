"""A DenseFlow made ready for a CPU: the same map as the modules', without gradient, in less time.

What is done once instead of at every pass: log|det W|, inverses, ActNorm and BatchNorm folded into
the matrices beside them, 3×3 kernels transformed (`winograd.py`). What is left out of a pass:
concatenations (layers write into one piece of memory) and fresh memory. Prepared kernels take four
times the memory of the weights they are from: about 1.2 GB for DF-74-10.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sip_explorer.protoflow.published.attention import CouplingNet, DenseAttention, attend
from sip_explorer.protoflow.published.block import InvertibleDenseBlock, NoiseNet, log_normal
from sip_explorer.protoflow.published.dense_block import DenseLayer, GatedConv, GatedDense
from sip_explorer.protoflow.published.units import ActNorm, AffineCoupling, DenseConv, Named, Unit
from sip_explorer.protoflow.published.winograd import (
    Grid,
    Workspace,
    convolve,
    from_rows,
    to_rows,
    transformed_kernel,
)

_IMAGES = 16  # at once: more need more memory and are no quicker


def matrix(conv: nn.Module) -> tuple[Tensor, Tensor]:
    """Return (weight (in, out), bias (out,)) of a 1×1 convolution."""
    assert isinstance(conv, nn.Conv2d)
    weight = conv.weight.detach()[:, :, 0, 0].t().contiguous()
    bias = weight.new_zeros(weight.shape[1]) if conv.bias is None else conv.bias.detach()
    return weight, bias


class PreparedDense:
    """A `GatedDense` whose layers write behind what they read."""

    def __init__(self, dense: GatedDense, scale: Tensor | None = None, shift: Tensor | None = None) -> None:
        self.layers = []
        for layer in dense:
            if isinstance(layer, DenseLayer):
                first, second = layer.nn[0], layer.nn[2]
                assert isinstance(second, nn.Conv2d)
                assert second.bias is not None
                kernel = transformed_kernel(second.weight)
                self.layers.append((*matrix(first), kernel, second.bias.detach()))
        last = dense[-1]
        assert isinstance(last, GatedConv)
        weight, bias = matrix(last.conv)
        if scale is not None and shift is not None:  # of a + b·σ(c): a and b are scaled, a is shifted
            whole = torch.cat((scale, scale, torch.ones_like(scale)))
            weight, bias = weight * whole, bias * whole
            bias[: len(shift)] += shift
        self.gate = weight, bias
        self.channels, self.outputs = len(weight), weight.shape[1] // 3

    def __call__(self, buffer: Tensor, filled: int, grid: Grid, space: Workspace, out: Tensor) -> Tensor:
        """Fill ``out`` (rows, outputs) from the first ``filled`` columns of ``buffer`` and fill that too."""
        for weight, bias, kernel, shift in self.layers:
            hidden = space.take("hidden", grid.rows, filled)
            torch.addmm(bias, buffer[:, :filled], weight, out=hidden).relu_()
            grown = convolve(hidden, kernel, grid, space).add_(shift)
            width = grown.shape[1]
            torch.clamp_min(grown, 0, out=buffer[:, filled : filled + width])
            filled += width
        weight, bias = self.gate
        gated = torch.addmm(bias, buffer[:, :filled], weight, out=space.take("hidden", grid.rows, len(bias)))
        a, b, c = gated.chunk(3, dim=1)
        return torch.addcmul(a, b, c.sigmoid_(), out=out)


class PreparedNet:
    """A `CouplingNet`; its outputs are ordered (all s, all t) instead of in pairs."""

    def __init__(self, net: CouplingNet) -> None:
        middle = net.transform[1]
        assert isinstance(middle, DenseAttention)
        norm = middle.mix_conv[0]
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
        shift = norm.bias.detach() - norm.running_mean * scale
        width = len(scale) // 2
        self.width = width
        self.enter = matrix(net.transform[0])
        self.qkv = matrix(middle.mha.qkv)
        weight, bias = matrix(middle.mha.out_transform)
        self.attended = weight * scale[:width], bias * scale[:width] + shift[:width]
        self.dense = PreparedDense(middle.dense, scale[width:], shift[width:])
        weight, bias = matrix(net.transform[2])
        weight = matrix(middle.mix_conv[2])[0].double() @ weight.double()  # nothing lies between the two
        order = torch.cat((torch.arange(0, len(bias), 2), torch.arange(1, len(bias), 2)))
        self.leave = weight.float()[:, order].contiguous(), bias[order]

    def __call__(self, x: Tensor, grid: Grid, space: Workspace) -> Tensor:
        """Return (rows, 2·out), s first, of (rows, in)."""
        buffer = space.take("buffer", grid.rows, self.dense.channels)
        start = torch.addmm(self.enter[1], x, self.enter[0], out=buffer[:, : self.width])
        mixed = space.take("mixed", grid.rows, 2 * self.width)
        seen = attend(from_rows(torch.addmm(self.qkv[1], start, self.qkv[0]), grid))
        torch.addmm(self.attended[1], to_rows(seen), self.attended[0], out=mixed[:, : self.width])
        self.dense(buffer, self.width, grid, space, mixed[:, self.width :])
        return torch.addmm(self.leave[1], mixed.relu_(), self.leave[0])


class PreparedUnit:
    """A `Unit`: ActNorm and convolution in one matrix, then the coupling; inverses made on demand."""

    def __init__(self, unit: Unit) -> None:
        norm, conv, coupling = unit.transforms
        assert isinstance(norm, ActNorm)
        assert isinstance(conv, DenseConv)
        assert isinstance(coupling, AffineCoupling)
        named = coupling.coupling_net[0]
        assert isinstance(named, Named)
        assert isinstance(named.dn, CouplingNet)
        self._scale = torch.exp(norm.log_scale.detach()).flatten().double()
        self._shift, self._weight = norm.shift.detach().flatten(), conv.weight.detach().double()
        weight = self._weight / self._scale
        self.shift = -(weight @ self._shift.double()).float()
        self.weight = weight.t().float().contiguous()
        self.log_det = float(torch.linalg.slogdet(weight).logabsdet)
        self.net = PreparedNet(named.dn)
        self.half = self.weight.shape[0] // 2
        self._inverse: Tensor | None = None

    def forward(self, x: Tensor, grid: Grid, space: Workspace) -> tuple[Tensor, Tensor]:
        """Return (z (rows, C), log-determinant (N,)) of (rows, C)."""
        y = torch.addmm(self.shift, x, self.weight)
        s, t = self.net(y[:, : self.half], grid, space).chunk(2, dim=1)
        s = torch.tanh(s * 0.5).mul_(2)
        out = torch.empty_like(y)
        torch.addcmul(t, torch.exp(s), y[:, self.half :], out=out[:, : self.half])
        out[:, self.half :] = y[:, : self.half]
        log_det = s.view(-1, grid.images, self.half).sum(dim=(0, 2))
        return out, log_det + self.log_det * (grid.height * grid.width)

    def inverse(self, z: Tensor, grid: Grid, space: Workspace) -> Tensor:
        """Return x (rows, C)."""
        if self._inverse is None:
            self._inverse = (torch.linalg.inv(self._weight).t() * self._scale).float().contiguous()
        first = z[:, self.half :]
        s, t = self.net(first, grid, space).chunk(2, dim=1)
        s = torch.tanh(s * 0.5).mul_(-2)
        y = torch.empty_like(z)
        torch.sub(z[:, : self.half], t, out=y[:, self.half :]).mul_(s.exp_())
        y[:, : self.half] = first
        return torch.addmm(self._shift, y, self._inverse)


class PreparedBlock:
    """An `InvertibleDenseBlock` for float32 images on a CPU."""

    def __init__(self, block: InvertibleDenseBlock) -> None:
        self.growth = block.growth
        self.steps = [[PreparedUnit(unit) for unit in step.transforms] for step in block.blocks]  # type: ignore[union-attr, arg-type]
        self.noise = [PreparedNoise(net) for net in block.noise_params]  # type: ignore[arg-type]

    def forward(self, x: Tensor, eta: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """As `InvertibleDenseBlock.forward`."""
        if len(x) > _IMAGES:
            parts = [
                self.forward(x[rows], [part[rows] for part in eta])
                for rows in (slice(i, i + _IMAGES) for i in range(0, len(x), _IMAGES))
            ]
            z, log_dets, priors = (torch.cat(part) for part in zip(*parts, strict=True))
            return z, log_dets, priors
        grid, space = Grid(len(x), *x.shape[2:]), Workspace()
        rows = to_rows(x)
        before = [rows]
        log_det, prior = x.new_zeros(len(x)), x.new_zeros(len(x))
        for i, units in enumerate(self.steps):
            if i:
                mean, log_scale = self.noise[i - 1](torch.cat(before, 1), grid, space)
                before.append(rows)
                joined = torch.addcmul(mean, torch.exp(log_scale), to_rows(eta[i - 1]))
                rows = torch.cat((rows, joined), 1)
                log_det += log_scale.view(-1, grid.images, self.growth).sum(dim=(0, 2))
                prior -= log_normal(eta[i - 1])
            for unit in units:
                rows, change = unit.forward(rows, grid, space)
                log_det += change
        return from_rows(rows, grid), log_det, prior

    def inverse(self, z: Tensor) -> Tensor:
        """As `InvertibleDenseBlock.inverse`."""
        if len(z) > _IMAGES:
            parts = torch.chunk(z, -(-len(z) // _IMAGES))
            return torch.cat([self.inverse(part) for part in parts])
        grid, space = Grid(len(z), *z.shape[2:]), Workspace()
        rows = to_rows(z)
        for i, units in reversed(list(enumerate(self.steps))):
            for unit in reversed(units):
                rows = unit.inverse(rows, grid, space)
            if i:
                rows = rows[:, : -self.growth]
        return from_rows(rows, grid)


class PreparedNoise:
    """A `NoiseNet`."""

    def __init__(self, net: NoiseNet) -> None:
        first, last = net.transformation[0], net.transformation[2]
        assert isinstance(first, nn.Conv2d)
        assert first.bias is not None
        self.kernel, self.bias = transformed_kernel(first.weight), first.bias.detach()
        self.leave = matrix(last)

    def __call__(self, x: Tensor, grid: Grid, space: Workspace) -> tuple[Tensor, Tensor]:
        """Return (mean, log-scale), (rows, growth) each, of (rows, c)."""
        hidden = convolve(x.contiguous(), self.kernel, grid, space).add_(self.bias).relu_()
        mean, s = torch.addmm(self.leave[1], hidden, self.leave[0]).chunk(2, dim=1)
        return mean, 2 * torch.tanh(s / 2)
