"""Processes that train one network together, each on its share of every batch.

The gradient is averaged by torch's own `DistributedDataParallel`. What a network learns from is the
whole batch, as if one process saw it: its statistics (`normalise_whole_batches`), and the loss,
which compares every image with every other (`Crew.gather`). So the result is that of one process,
but for the rounding of sums in another order.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import start_processes
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Crew:
    """The processes of a training, as one of them sees it.

    Attributes
    ----------
    rank : int
        Its number; the first, 0, is the one that was asked to train, and the only one that writes.
    size : int
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch (B, ...); all parts, in order, are the batch."""
        return batch.tensor_split(self.size)[self.rank]

    def gather(self, rows: Tensor, count: int) -> Tensor:
        """Return the rows of all processes, (count, D), through which each learns from all.

        Each rank's rows stand in zeros, and the sum is all of them: parts may differ in length.
        """
        if self.size == 1:
            return rows
        own = self.share(torch.arange(count))
        whole = rows.new_zeros((count, rows.shape[1])).index_copy(0, own.to(rows.device), rows)
        return _sum(whole)

    def agree(self, value: Any) -> Any:
        """Return what the first process says."""
        said = [value]
        if self.size > 1:
            dist.broadcast_object_list(said)
        return said[0]

    def together(self, network: nn.Module) -> nn.Module:
        """Return the network as one that all processes train together."""
        if self.size == 1:
            return network
        normalise_whole_batches(network)
        return DistributedDataParallel(network)


ALONE = Crew()


@contextmanager
def crew_of(size: int, work: Callable[..., object], *arguments: Any) -> Iterator[Crew]:
    """Start `size` - 1 processes that do the same work, `work(crew, *arguments)`, and lead them.

    Raises
    ------
    RuntimeError
        In the first process, when another has ended before its work was done.
    """
    if size == 1:
        yield ALONE
        return
    n_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        torch.set_num_threads(max(1, n_threads // size))
        others = start_processes(  # type: ignore[no-untyped-call]
            _join, (size, folder, work, arguments), size - 1, join=False, daemon=True
        )
        try:
            _enter(0, size, folder)
            yield Crew(0, size)
            while not others.join():
                pass
        finally:
            for process in others.processes:
                process.terminate()
            if dist.is_initialized():
                dist.destroy_process_group()
            torch.set_num_threads(n_threads)


def _join(
    number: int, size: int, folder: str, work: Callable[..., object], arguments: tuple[Any, ...]
) -> None:
    torch.set_num_threads(max(1, torch.get_num_threads() // size))
    _enter(number + 1, size, folder)
    try:
        work(Crew(number + 1, size), *arguments)
    finally:
        dist.destroy_process_group()
    # Gloo's threads may still be letting go of tensors, for which they need a Python that lives: on
    # its usual way out, the process would now and then abort with its work done.
    os._exit(0)


def _enter(rank: int, size: int, folder: str) -> None:
    """Meet the others by a file; on GPUs, each process takes one."""
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(rank % torch.cuda.device_count())
        backend = "nccl" if torch.cuda.device_count() >= size else "gloo"
    dist.init_process_group(
        backend, init_method=f"file://{folder}/rendezvous", rank=rank, world_size=size
    )


def normalise_whole_batches(network: nn.Module) -> None:
    """Have each batch normalisation use the mean and variance of the batch that processes share.

    `torch.nn.SyncBatchNorm` does so on GPUs only. Parameters and buffers stay where they are.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            vars(layer)["forward"] = partial(_normalise, layer)


def _normalise(layer: nn.BatchNorm1d | nn.BatchNorm2d, values: Tensor) -> Tensor:
    """Map (B, C, ...), a share of a batch, to the same shape."""
    if not layer.training:
        return type(layer).forward(layer, values)
    over = [0, *range(2, values.dim())]
    count = values.new_tensor([values.numel() / values.shape[1]])
    shape = [1, -1] + [1] * (values.dim() - 2)
    sums = _sum(torch.cat([values.sum(over), count]))
    mean = sums[:-1] / sums[-1]
    centred = values - mean.view(shape)
    variance = _sum((centred * centred).sum(over)) / sums[-1]
    with torch.no_grad():
        assert layer.running_mean is not None
        assert layer.running_var is not None
        assert layer.num_batches_tracked is not None
        assert layer.momentum is not None
        layer.num_batches_tracked += 1
        layer.running_mean.lerp_(mean, layer.momentum)
        layer.running_var.lerp_(variance * (sums[-1] / (sums[-1] - 1)), layer.momentum)
    scale = layer.weight * torch.rsqrt(variance + layer.eps)
    return centred * scale.view(shape) + layer.bias.view(shape)


class _Sum(torch.autograd.Function):
    """The sum over processes; the loss of each depends on it, so the gradient is a sum as well."""

    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        summed = rows.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        summed = gradient.contiguous().clone()
        dist.all_reduce(summed)
        return summed


def _sum(rows: Tensor) -> Tensor:
    """Return the sum over processes, through which gradients flow back to each."""
    summed: Tensor = _Sum.apply(rows)  # type: ignore[no-untyped-call]
    return summed
