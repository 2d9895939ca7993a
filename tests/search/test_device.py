"""Devices by name: "auto" takes the best there is, and one that is not there is a sentence."""

from __future__ import annotations

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.search import device
from landscape_core.search.device import check_device


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_best_there_is(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, best: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    asked: list[str] = []
    monkeypatch.setattr(device.torch, "zeros", lambda n, device: asked.append(device) or torch.ones(n))
    check_device("auto")
    assert asked == [best]


def test_what_is_not_there_is_a_sentence() -> None:
    assert check_device("cpu") == torch.device("cpu")
    for name in ("meta", "no-such-device"):
        with pytest.raises(UserError, match=f"The device '{name}' cannot compute on this machine"):
            check_device(name)
