"""Sentences and files about a race, on trajectories with known numbers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load

from landscape_core.records.export import latents, measures_csv, picked_steps
from landscape_core.search.summary import (
    columns,
    end_sentence,
    passed_sentence,
    race_summary,
    reached,
    replay_sentence,
    result_of,
)
from landscape_core.search.trajectory import Trajectory


def trajectory(x: list[float], z: list[float], *, x_seconds: float = 1.0, z_seconds: float = 1.0) -> Trajectory:
    made = Trajectory.empty(["X", "Z"])
    for lane, losses, seconds in zip(made.lanes, (x, z), (x_seconds, z_seconds), strict=True):
        lane.losses = [torch.tensor([loss]) for loss in losses]
        lane.variables = [torch.full((1, 2), loss) for loss in losses]
        lane.seconds = [seconds * (i + 1) for i in range(len(losses))]
    made.steps = list(range(len(x)))
    return made


def test_passing_is_told_with_steps_and_time() -> None:
    x = [1.0 - 0.02 * i for i in range(21)]
    z = [1.0, 0.8, 0.5] + [0.5] * 18
    sentence = passed_sentence(trajectory(x, z), at_step=20)
    assert sentence == "Z passed X's loss at step 20 after 2 steps: 10× fewer steps, 7× less time."


def test_passing_late_and_slowly_is_not_flattered() -> None:
    x = [1.0, 0.5, 0.5, 0.5, 0.5]
    z = [1.0, 0.9, 0.8, 0.7, 0.4]
    sentence = passed_sentence(trajectory(x, z, z_seconds=2.0), at_step=2)
    assert sentence == "Z passed X's loss at step 2 after 4 steps: 2× more steps, 3.3× more time."


def test_never_passing_is_said() -> None:
    assert passed_sentence(trajectory([1.0, 0.1], [1.0, 0.9]), at_step=1) == "Z did not reach X's loss at step 1 in 1 step."


def test_the_end_names_who_is_lower_by_best_so_far() -> None:
    assert end_sentence(trajectory([1.0, 0.2, 0.9], [1.0, 0.4, 0.4])) == (
        "After 2 steps X's best loss is 0.2, Z's 0.4: X is 50\u00a0% lower."
    )
    assert "both stand at 1" in end_sentence(trajectory([1.0], [1.0]))
    assert end_sentence(trajectory([1.0], [1e-15])).endswith("Z is more than 10000× lower.")
    assert end_sentence(trajectory([1.0], [0.002])).endswith("Z is 500× lower.")


def test_a_loss_that_is_no_number_is_not_lower_than_another() -> None:
    assert end_sentence(trajectory([1.0], [float("nan")])) == "Z began at a loss that is no number."
    assert end_sentence(trajectory([float("nan")], [float("nan")])) == "X, Z began at a loss that is no number."


def test_lanes_of_one_optimiser_are_compared_with_every_learned_space() -> None:
    names = ["X · Adam", "Z residual · Adam", "X · L-BFGS", "Z paper · Adam", "Z paper · gradient descent"]
    assert columns(names) == [("X · Adam", "Z residual · Adam"), ("X · Adam", "Z paper · Adam")]
    assert columns(["X", "Z"]) == [("X", "Z")]


def test_a_run_without_a_step_says_so() -> None:
    assert race_summary(trajectory([1.0], [2.0])) == "No step was taken."


@given(st.lists(st.tuples(st.floats(0, 10, width=32), st.floats(0, 10, width=32)), min_size=1, max_size=30))
def test_reached_is_the_first_step_as_low(pairs: list[tuple[float, float]]) -> None:
    x, z = (list(column) for column in zip(*pairs, strict=True))
    found = reached(trajectory(x, z), fast="Z", slow="X")
    for i, step in enumerate(found):
        wanted = next((j for j in range(len(z)) if z[j] <= min(x[: i + 1])), None)
        assert step == wanted


def test_a_replay_is_compared_bit_for_bit() -> None:
    run = trajectory([1.0, 0.3], [1.0, 0.2])
    result = result_of(run)
    assert "exactly" in replay_sentence(result, run)
    result["losses"]["X"] += 1e-9
    assert replay_sentence(result, run).startswith("This differs")
    assert replay_sentence({"step": 5, "losses": {}}, run) is None
    assert replay_sentence({}, run) is None


@pytest.mark.parametrize(("last", "count"), [(0, 10), (5, 10), (9, 10), (10, 10), (100, 10), (2000, 60)])
def test_picked_steps_begin_and_end_right(last: int, count: int) -> None:
    steps = picked_steps(last, count)
    assert steps[0] == 0
    assert steps[-1] == last
    assert len(steps) == min(count, last + 1)
    assert steps == sorted(set(steps))


def test_csv_and_latents_hold_the_numbers() -> None:
    run = trajectory([1.0, 0.3], [1.0, 0.2])
    head, first, *_ = measures_csv(run, {"X": {"psnr_db": [12.5, None]}}).splitlines()
    assert (head, first) == ("step,lane,loss,seconds,psnr_db", "0,X,1.0,1.000000,12.5")
    tensors = load(latents(run))
    assert tensors["Z.variable"].shape == (2, 2)
    assert tensors["steps"].tolist() == [0, 1]
