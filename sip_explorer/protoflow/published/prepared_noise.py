"""The dequantisation flow made ready for a CPU, as `prepared.py` does with blocks."""

import torch
from torch import Tensor
from torch.nn import functional as F

from sip_explorer.protoflow.published.dense_block import GatedDense, ResidualDense
from sip_explorer.protoflow.published.dequantisation import ConditionalNet, DequantisationFlow, within
from sip_explorer.protoflow.published.prepared import PreparedDense, matrix
from sip_explorer.protoflow.published.units import AffineCoupling
from sip_explorer.protoflow.published.winograd import Grid, Workspace, from_rows, to_rows


class PreparedConditionalNet:
    """A `ConditionalNet`; its outputs are ordered (all s, all t) instead of in pairs."""

    def __init__(self, net: ConditionalNet) -> None:
        residual = net.transform[1]
        assert isinstance(residual, ResidualDense)
        self.enter = matrix(net.transform[0])
        self.dense = PreparedDense(residual.dense)
        weight, bias = matrix(net.transform[2])
        order = torch.cat((torch.arange(0, len(bias), 2), torch.arange(1, len(bias), 2)))
        self.leave = weight[:, order].contiguous(), bias[order]

    def __call__(self, x: Tensor, grid: Grid, space: Workspace) -> tuple[Tensor, Tensor]:
        """Return (log-scale, shift), (rows, out) each, of (rows, in)."""
        buffer = space.take("buffer", grid.rows, self.dense.channels)
        width = len(self.enter[1])
        start = torch.addmm(self.enter[1], x, self.enter[0], out=buffer[:, :width])
        hidden = self.dense(buffer, width, grid, space, space.take("mixed", grid.rows, width)).add_(start)
        s, t = torch.addmm(self.leave[1], hidden, self.leave[0]).chunk(2, dim=1)
        return 2 * torch.tanh(s / 2), t


class PreparedDequantisation:
    """A `DequantisationFlow` for float32 images on a CPU whose sides are divisible by 8."""

    def __init__(self, flow: DequantisationFlow) -> None:
        self.base, self.last = flow.base_dist, flow.transforms[-1]
        self.weights, self.nets = [], []
        for layer in flow.transforms[:-2]:
            if isinstance(layer, AffineCoupling):
                net = layer.coupling_net[0]
                assert isinstance(net, ConditionalNet)
                self.nets.append(PreparedConditionalNet(net))
            else:
                assert isinstance(layer.weight, Tensor)
                self.weights.append(layer.weight.detach().double().t())
        self.log_det = sum(float(torch.linalg.slogdet(weight).logabsdet) for weight in self.weights)
        centre, first, shrink, second = flow.context_init
        assert isinstance(first, GatedDense)
        assert isinstance(second, GatedDense)
        self.centre, self.shrink = centre, shrink
        self.first, self.second = PreparedDense(first), PreparedDense(second)

    def forward(self, levels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """As `DequantisationFlow.forward`."""
        grid, space = _half(levels), Workspace()
        context = self._context(levels, space)
        x = self.base(noise)
        log_q = self.base.log_density(x) - self.log_det * grid.height * grid.width
        rows = to_rows(x)
        for index, weight in enumerate(self.weights):
            rows = rows @ weight.float()
            if index == len(self.nets):
                break
            first, second = rows.chunk(2, dim=1)
            log_scale, shift = self.nets[index](torch.cat((first, context), 1), grid, space)
            rows = torch.cat((first, torch.addcmul(shift, torch.exp(log_scale), second)), 1)
            log_q -= log_scale.view(-1, grid.images, log_scale.shape[1]).sum(dim=(0, 2))
        u, log_det = self.last(F.pixel_shuffle(from_rows(rows, grid), 2))
        return within(u), log_q - log_det

    def log_q(self, levels: Tensor, u: Tensor) -> Tensor:
        """As `DequantisationFlow.log_q`."""
        grid, space = _half(levels), Workspace()
        context = self._context(levels, space)
        x, log_det = self.last.inverse(within(u))  # type: ignore[operator]
        log_q: Tensor = -log_det - self.log_det * grid.height * grid.width
        rows = to_rows(F.pixel_unshuffle(x, 2))
        for index, weight in reversed(list(enumerate(self.weights))):
            if index < len(self.nets):
                first, second = rows.chunk(2, dim=1)
                log_scale, shift = self.nets[index](torch.cat((first, context), 1), grid, space)
                rows = torch.cat((first, (second - shift) * torch.exp(-log_scale)), 1)
                log_q -= log_scale.view(-1, grid.images, log_scale.shape[1]).sum(dim=(0, 2))
            rows = rows @ torch.linalg.inv(weight).float()
        return log_q + self.base.log_density(from_rows(rows, grid))

    def _context(self, levels: Tensor, space: Workspace) -> Tensor:
        """Return what the couplings are told of the images, (rows, context)."""
        grid = Grid(len(levels), *levels.shape[2:])
        large = from_rows(self._dense(self.first, to_rows(self.centre(levels)), grid, space), grid)
        return self._dense(self.second, to_rows(self.shrink(large)), _half(levels), space).clone()

    def _dense(self, dense: PreparedDense, x: Tensor, grid: Grid, space: Workspace) -> Tensor:
        buffer = space.take("buffer", grid.rows, dense.channels)
        width = x.shape[1]
        buffer[:, :width] = x
        return dense(buffer, width, grid, space, space.take("mixed", grid.rows, dense.outputs))


def _half(levels: Tensor) -> Grid:
    return Grid(len(levels), levels.shape[2] // 2, levels.shape[3] // 2)
