"""Computations on a CUDA device that are recorded once and then replayed as a whole.

The kernels of a small network take less time than it takes Python to launch them one by one: replayed, a training step
is as fast as its kernels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Calls before the recording, in which libraries choose their kernels and allocate their workspaces.
WARM_UP_CALLS = 3


class CudaGraph:
    """A function that launches the same kernels whenever it is called.

    Args:
        function: to be recorded; it must not wait for the device, and only its argument may change from call to call.
        example: an argument; later ones have its shape.
        random: all that is random in the function comes from here.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], example: Tensor, random: torch.Generator) -> None:
        self._argument = example.to(random.device, copy=True)
        self._warm_up(function, random)
        self._graph = torch.cuda.CUDAGraph()
        self._graph.register_generator_state(random)
        with torch.cuda.graph(self._graph):
            self._result = function(self._argument)

    def __call__(self, argument: Tensor) -> Tensor:
        """The function's result, in memory that the next call overwrites."""
        self._argument.copy_(argument)
        self._graph.replay()
        return self._result

    def _warm_up(self, function: Callable[[Tensor], Tensor], random: torch.Generator) -> None:
        state = random.get_state()
        stream = torch.cuda.Stream(random.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(random.device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_CALLS):
                function(self._argument)
        torch.cuda.current_stream(random.device).wait_stream(stream)
        random.set_state(state)
