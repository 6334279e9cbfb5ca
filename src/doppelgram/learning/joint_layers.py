"""Layers whose result depends on the other images of a batch, made to look at the joint batch of all processes.

torch's own `SyncBatchNorm` runs on graphics cards only; the one here runs on processors too. Layers keep their names
and parameters: a layer changes its class, not its content, and checkpoints are those of any other training.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.functional import batch_norm

from doppelgram.learning.distances import at_least_float32
from doppelgram.learning.joint import Joint


class _JointBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm by the mean and variance of all processes' images; see Ioffe and Szegedy (2015)."""

    joint: Joint

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return super().forward(images)
        self._check_input_dim(images)  # type: ignore[no-untyped-call]
        normalised, mean, variance, count = _Normalise.apply(  # type: ignore[no-untyped-call]
            images, self.weight, self.bias, self.eps, self.joint.world
        )
        if self.track_running_stats and self.running_mean is not None:
            self._follow(mean, variance * (count / (count - 1).clamp_min(1)))
        found: Tensor = normalised
        return found

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics as torch does; the variance is the unbiased one."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


class JointBatchNorm1d(_JointBatchNorm, nn.BatchNorm1d):
    """For vectors (b, c)."""


class JointBatchNorm2d(_JointBatchNorm, nn.BatchNorm2d):
    """For feature maps (b, c, rows, columns)."""


class _Normalise(torch.autograd.Function):
    """Images normalised by joint statistics; with them, without gradient: mean, variance, and how many they are of."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, world: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        axes = [axis for axis in range(images.ndim) if axis != 1]
        mean, variance, count = _joint_moments(at_least_float32(images), axes, world)
        normalised = batch_norm(images, mean, variance, weight, bias, False, 0.0, eps)
        scale = (variance + eps).rsqrt()
        ctx.save_for_backward(images, weight, mean, scale, count)
        ctx.axes, ctx.world = axes, world
        ctx.mark_non_differentiable(mean, variance, count)
        return normalised, mean, variance, count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        images, weight, mean, scale, count = ctx.saved_tensors
        shape = [1, -1] + [1] * (images.ndim - 2)
        standard = (at_least_float32(images) - mean.view(shape)) * scale.view(shape)
        slope = at_least_float32(gradient)
        sums = torch.stack([slope.sum(ctx.axes), (slope * standard).sum(ctx.axes)])
        of_bias, of_weight = sums.clone()
        if ctx.world > 1:
            dist.all_reduce(sums)
        means = sums / count
        factor = scale if weight is None else scale * weight
        pull = (slope - means[0].view(shape) - standard * means[1].view(shape)) * factor.view(shape)
        own = (None, None) if weight is None else (of_weight.to(weight.dtype), of_bias.to(weight.dtype))
        return pull.to(images.dtype), *own, None, None


def _joint_moments(images: Tensor, axes: list[int], world: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and (biased) variance of each channel over all processes, and the count of numbers of a channel.

    The processes' own moments are put together as Chan, Golub and LeVeque (1983) do, without a difference of large
    numbers, and in the order of the processes, so that all get the same bits.
    """
    variance, mean = torch.var_mean(images, axes, correction=0)
    count = images.new_tensor(float(images.numel() // max(1, images.shape[1])))
    if world == 1:
        return mean, variance, count
    mine = torch.cat([mean, variance, count[None]])
    everyone = [torch.empty_like(mine) for _ in range(world)]
    dist.all_gather(everyone, mine)
    rows = torch.stack(everyone)
    channels = len(mean)
    counts = rows[:, -1:]
    total = counts.sum()
    shares = counts / total
    joint_mean = (shares * rows[:, :channels]).sum(0)
    joint_variance = (shares * (rows[:, channels:-1] + (rows[:, :channels] - joint_mean).square())).sum(0)
    return joint_mean, joint_variance, total


class JointDropout(nn.Dropout):
    """Dropout that draws for the whole joint batch, alike in every process, and keeps what is of the own rows."""

    joint: Joint

    def forward(self, values: Tensor) -> Tensor:
        joint = self.joint
        rows = len(range(joint.rank, joint.count, joint.world))
        if not self.training or self.p == 0 or not rows or len(values) % rows:
            return super().forward(values)
        each = len(values) // rows  # several rows in succession may belong to one image
        kept = values.new_empty(joint.count, each, *values.shape[1:]).bernoulli_(1 - self.p).div_(1 - self.p)
        return values * joint.own(kept).reshape(values.shape)


_JOINT: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: JointBatchNorm1d,
    nn.BatchNorm2d: JointBatchNorm2d,
    nn.Dropout: JointDropout,
}


def join_layers(network: nn.Module, joint: Joint) -> None:
    """Have a network's batch norms and dropout work on the joint batch; it is changed in place."""
    for module in network.modules():
        if type(module) in _JOINT:
            module.__class__ = _JOINT[type(module)]  # whoever holds the layer goes on holding it
            module.joint = joint  # type: ignore[assignment]
    joint.apart = bool(apart_layers(network))


def apart_layers(network: nn.Module) -> list[str]:
    """Kinds of layers that stay each process's own, so that a training differs from that of one process."""
    found = set()
    for module in network.modules():
        name = type(module).__name__
        draws = "drop" in name.lower() and float(getattr(module, "p", getattr(module, "drop_prob", 0)) or 0) > 0
        norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        if (draws or norm) and type(module) not in _JOINT and not isinstance(module, tuple(_JOINT.values())):
            found.add(name)
    return sorted(found)
