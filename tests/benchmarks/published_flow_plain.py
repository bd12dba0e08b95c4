"""DenseFlow as one would first write it: contiguous float32, concatenations, log|det W| at every pass."""

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


class PlainDenseFlow:
    """A DenseFlow by its state dict (published keys), for encoding and decoding in eval()."""

    def __init__(self, state: Mapping[str, Tensor], blocks: Sequence[int], units: Sequence[int]) -> None:
        self.state, self.blocks, self.units = state, blocks, units

    def encode(self, levels: Tensor, xi: Tensor, eta: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return (z, *halves, log-determinant with priors and −log q, without −D·ln 256)."""
        u, log_q = self._draw(levels, F.pixel_unshuffle(xi, 2))
        x = F.pixel_unshuffle((levels + u) / 256 - 0.5, 2)
        log_det, halves, left = -log_q, [], list(eta)
        for index, steps in enumerate(self.blocks):
            if index:
                x, half = F.pixel_unshuffle(x, 2).chunk(2, dim=1)
                halves.append(half)
                log_det = log_det + _normal(half)
            joined, left = left[: steps - 1], left[steps - 1 :]
            x, change = self._block(2 * index + 3, steps, self.units[index], x, joined)
            log_det = log_det + change
        return x, *halves, log_det

    def decode(self, z: Tensor, halves: Sequence[Tensor]) -> Tensor:
        """Return v."""
        left = list(halves)
        for index in range(len(self.blocks) - 1, -1, -1):
            z = self._block_back(2 * index + 3, self.blocks[index], self.units[index], z)
            if index:
                z = F.pixel_shuffle(torch.cat((z, left.pop()), 1), 2)
        return F.pixel_shuffle(z, 2) + 0.5

    def _conv(self, name: str, x: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
        return F.conv2d(x, self.state[f"{name}.weight"], self.state.get(f"{name}.bias"), stride, padding)

    def _dense(self, name: str, x: Tensor) -> Tensor:
        layer = 0
        while f"{name}.{layer}.nn.0.weight" in self.state:
            grown = F.relu(self._conv(f"{name}.{layer}.nn.0", x))
            x = torch.cat((x, F.relu(self._conv(f"{name}.{layer}.nn.2", grown, 1))), 1)
            layer += 1
        a, b, c = self._conv(f"{name}.{layer}.conv", x).chunk(3, dim=1)
        return a + b * torch.sigmoid(c)

    def _attention(self, name: str, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        places = height * width
        qkv = self._conv(f"{name}.qkv", x)
        embed = qkv.shape[1] // 3
        q, k, v = qkv.reshape(n, places, 3 * embed).chunk(3, dim=-1)
        few_q = q.reshape(n, 4, places // 4, embed).mean(2) / math.sqrt(places)
        few_k = k.reshape(n, 4, places // 4, embed).mean(2) / math.sqrt(places)
        left = torch.softmax(q @ few_k.transpose(1, 2), -2)
        middle = torch.softmax(few_q @ few_k.transpose(1, 2), -2)
        right = torch.softmax(few_q @ k.transpose(1, 2), -2)
        unit = torch.eye(4)
        back = middle.transpose(1, 2) / (
            middle.abs().sum(-2).amax(-1) * middle.abs().sum(-1).amax(-1)
        ).reshape(-1, 1, 1)
        for _ in range(6):
            kv = middle @ back
            back = 0.25 * back @ (13 * unit - kv @ (15 * unit - kv @ (7 * unit - kv)))
        out = left @ back @ (right @ v) + v
        return self._conv(f"{name}.out_transform", out.reshape(n, embed, height, width))

    def _net(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self._conv(f"{name}.0", x)
        mixed = torch.cat((self._attention(f"{name}.1.mha", x), self._dense(f"{name}.1.dense", x)), 1)
        norm = [self.state[f"{name}.1.mix_conv.0.{part}"] for part in ("running_mean", "running_var")]
        affine = [self.state[f"{name}.1.mix_conv.0.{part}"] for part in ("weight", "bias")]
        mixed = F.relu(F.batch_norm(mixed, *norm, *affine))
        return _pairs(self._conv(f"{name}.2", self._conv(f"{name}.1.mix_conv.2", mixed)))

    def _unit(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        places = x.shape[2] * x.shape[3]
        log_scale = self.state[f"{name}.0.log_scale"]
        x = (x - self.state[f"{name}.0.shift"]) * torch.exp(-log_scale)
        weight = self.state[f"{name}.1.weight"]
        log_det = places * (torch.linalg.slogdet(weight)[1] - log_scale.sum())
        x1, x2 = F.conv2d(x, weight[:, :, None, None]).chunk(2, dim=1)
        s, t = self._net(f"{name}.2.coupling_net.0.dn.transform", x1)
        return torch.cat((t + torch.exp(s) * x2, x1), 1), log_det + s.sum((1, 2, 3))

    def _unit_back(self, name: str, z: Tensor) -> Tensor:
        z2, z1 = z.chunk(2, dim=1)
        s, t = self._net(f"{name}.2.coupling_net.0.dn.transform", z1)
        x = torch.cat((z1, (z2 - t) * torch.exp(-s)), 1)
        x = F.conv2d(x, torch.inverse(self.state[f"{name}.1.weight"])[:, :, None, None])
        return x * torch.exp(self.state[f"{name}.0.log_scale"]) + self.state[f"{name}.0.shift"]

    def _block(
        self, index: int, steps: int, units: int, x: Tensor, eta: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        before, log_det = [x], torch.zeros(len(x))
        for step in range(steps):
            if step:
                name = f"transforms.{index}.noise_params.{step - 1}.transformation"
                hidden = F.relu(self._conv(f"{name}.0", torch.cat(before, 1), 1))
                mean, s = self._conv(f"{name}.2", hidden).chunk(2, dim=1)
                s = 2 * torch.tanh(s / 2)
                before.append(x)
                x = torch.cat((x, mean + torch.exp(s) * eta[step - 1]), 1)
                log_det = log_det + s.sum((1, 2, 3)) - _normal(eta[step - 1])
            for unit in range(units):
                x, change = self._unit(f"transforms.{index}.blocks.{step}.transforms.{unit}.transforms", x)
                log_det = log_det + change
        return x, log_det

    def _block_back(self, index: int, steps: int, units: int, z: Tensor) -> Tensor:
        growth = 0
        if steps > 1:
            growth = len(self.state[f"transforms.{index}.noise_params.0.transformation.2.bias"]) // 2
        for step in range(steps - 1, -1, -1):
            for unit in range(units - 1, -1, -1):
                z = self._unit_back(f"transforms.{index}.blocks.{step}.transforms.{unit}.transforms", z)
            if step:
                z = z[:, :-growth]
        return z

    def _draw(self, levels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        name = "transforms.0.encoder"
        context = self._dense(f"{name}.context_init.1", 2 * levels / 255 - 1)
        context = self._dense(f"{name}.context_init.3", self._conv(f"{name}.context_init.2", context, 0, 2))
        log_scale = self.state[f"{name}.base_dist.log_scale"]
        x = self.state[f"{name}.base_dist.loc"] + torch.exp(log_scale) * noise
        places = x.shape[2] * x.shape[3]
        log_q = _normal(noise) - places * log_scale.sum()
        layer = 0
        while (weight := self.state.get(f"{name}.transforms.{layer}.weight")) is not None:
            x = F.conv2d(x, weight[:, :, None, None])
            log_q = log_q - places * torch.linalg.slogdet(weight)[1]
            net = f"{name}.transforms.{layer + 1}.coupling_net.0.transform"
            if f"{net}.0.weight" in self.state:
                x1, x2 = x.chunk(2, dim=1)
                hidden = self._conv(f"{net}.0", torch.cat((x1, context), 1))
                hidden = hidden + self._dense(f"{net}.1.dense", hidden)
                s, t = _pairs(self._conv(f"{net}.2", hidden))
                x = torch.cat((x1, t + torch.exp(s) * x2), 1)
                log_q = log_q - s.sum((1, 2, 3))
            layer += 2
        x = F.pixel_shuffle(x, 2)
        return torch.sigmoid(x), log_q - (F.logsigmoid(x) + F.logsigmoid(-x)).sum((1, 2, 3))


def _pairs(raw: Tensor) -> tuple[Tensor, Tensor]:
    return 2 * torch.tanh(raw[:, 0::2] / 2), raw[:, 1::2]


def _normal(x: Tensor) -> Tensor:
    return -0.5 * (x * x + math.log(2 * math.pi)).sum((1, 2, 3))
