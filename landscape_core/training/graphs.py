"""An update of a training captured as a CUDA graph: one launch in place of thousands."""

from __future__ import annotations

from collections.abc import Callable

import torch

Update = Callable[[], None]
Capture = Callable[[Update, torch.Generator], Update]


def cuda_graph(update: Update, random: torch.Generator) -> Update:
    """Record one call of `update` without running it; calling what is returned runs it.

    It must make no tensor on the processor, wait for no value, and draw its random numbers from `random` alone.
    """
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(random)  # type: ignore[no-untyped-call]
    with torch.cuda.graph(graph):
        update()
    return graph.replay


class CapturedUpdate:
    """An update that runs as it is on a processor. On an accelerator its first calls run on a stream of their own, as
    capturing asks for; then it is captured, and replayed from then on. Where capturing fails it goes on as it is: `recover`
    puts back what the attempt may have left half done, and `say` is told why. Without `capture` it always runs as it is."""

    WARM_UP = 4

    def __init__(
        self,
        update: Update,
        random: torch.Generator,
        *,
        recover: Update,
        say: Callable[[str], None],
        capture: Capture | None,
    ) -> None:
        self.update, self.random = update, random
        self.recover, self.say = recover, say
        self.capture = capture if random.device.type == "cuda" else None
        self.calls = 0

    def __call__(self) -> None:
        if self.capture is None:
            self.update()
        elif self.calls < self.WARM_UP:
            self._warm_up()
        else:
            self._captured(self.capture)
            self.update()
        self.calls += 1

    def _warm_up(self) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.update()
        torch.cuda.current_stream().wait_stream(stream)

    def _captured(self, capture: Capture) -> None:
        """Replace the update by its graph, or keep it."""
        self.capture = None
        try:
            self.update = capture(self.update, self.random)
        except RuntimeError as error:
            torch.cuda.synchronize()
            self.recover()
            self.say(f"The update could not be captured as a CUDA graph and runs without, more slowly: {error}")
