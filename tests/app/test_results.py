"""The Results tab: what the files say, escaped, and nothing made up."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from markupsafe import escape

from app.complete import run as completions
from app.complete.session import CompletionSession
from app.defence.pictures import Defences
from app.defence.settings import from_query as defended
from app.invert import run as race
from app.pose.settings import from_query
from app.results.charts import marks, panels
from app.results.replay import replay_of
from app.results.tab import TITLES, cost, results_page
from app.runs.address import of_tab
from app.runs.models import pose_models
from app.runs.session import Session
from landscape_core.experiments.questions import QUESTIONS
from landscape_core.experiments.results import Claim, Result
from landscape_core.storage import zoo
from tests.app.racing import two_models
from tests.tiny.defence import tiny_defence

ROOT = Path(__file__).resolve().parents[2]


def _write(folder: Path) -> None:
    claims = [
        Claim("Z against X <b>", -0.31, -0.7, -0.35, "lower", (-0.72, -0.68)),
        Claim("faster", None, 0.5, 1.0, "higher"),
    ]
    result = Result("convergence", "python -m landscape_core reproduce convergence", 0, {}, {"faces": 1200}, {}, {}, claims)
    result.write(folder)


def test_claims_are_shown_with_their_verdicts_and_escaped(tmp_path: Path) -> None:
    _write(tmp_path)
    page = results_page(tmp_path, tmp_path)
    assert "1 of 2 aims met" in page
    assert "1,200 faces" in page
    assert "Z against X &lt;b&gt;" in page
    assert "−0.70 [−0.72, −0.68]" in page
    assert page.count('class="missed"') == 1
    assert "lab-results" not in page
    (tmp_path / "convergence.png").write_bytes(b"")
    assert "lab-results/convergence.png" in results_page(tmp_path, tmp_path)


def test_answers_come_first_and_link_to_tables_that_are_there(tmp_path: Path) -> None:
    page = results_page(ROOT / "results", zoo.ASSETS)
    assert page.index("Plain answers") < page.index("Measured")
    for question in QUESTIONS:
        assert str(escape(question.asked)) in page
    tables = set(re.findall(r'<details id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)" data-table', page)) <= tables
    assert "−0.308348" not in page
    assert "-0.308348" not in page


def test_every_experiment_is_shown_by_more_than_its_commands_name() -> None:
    named = {path.stem for path in (ROOT / "results").glob("*.json")}
    assert named <= TITLES.keys()


def test_what_was_measured_on_other_models_is_marked_and_not_counted(tmp_path: Path) -> None:
    claim = Claim("faces: loss after 20 steps, Z against X L-BFGS", None, -0.4, 0.0, "lower", (-0.5, -0.3))
    Result("convergence", "python", 0, {"faces/generator": "0" * 64}, {"faces": 2}, {}, {}, [claim]).write(tmp_path)
    page = results_page(tmp_path, zoo.ASSETS)
    assert "measured on earlier models" in page
    assert "Being measured again" in page
    assert "aims met" not in page
    assert "40 % lower" not in page


def test_bad_files_are_named_and_the_others_shown(tmp_path: Path) -> None:
    _write(tmp_path)
    good = json.loads((tmp_path / "convergence.json").read_text())
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text(json.dumps({**good, "claims": [{"claim": "x"}]}))
    (tmp_path / "c.json").write_text(json.dumps({**good, "experiment": "c", "settings": {"steps": 40, "stride": 0}}))
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "card.json").write_text("[]")
    page = results_page(tmp_path, tmp_path)
    assert page.count("left-out") == 4
    assert "a.json is not a results file" in page
    assert "b.json is not a results file: claims 0 paper" in page
    assert "The result c is left out" in page
    assert "1 of 2 aims met" in page


# --- charts -------------------------------------------------------------------------------------------------


def test_series_with_a_value_for_every_step_are_drawn_by_set() -> None:
    falling = [1.0 / (step + 1) for step in range(41)]
    curves = {"X Adam | val": falling, "Z | val": [v / 2 for v in falling], "Z cm | val": falling}
    result = {"settings": {"steps": 40}, "series": {**curves, "roughness | X": [1.0] * 50}}
    drawn = panels(result)
    assert [panel.title for panel in drawn] == ["known actions, loss", "known actions, joint error in cm"]
    x, z = drawn[0].lines
    assert (x.colour, x.dash, z.colour, z.dash) == ("--x", "6 3", "--z", "none")
    assert (drawn[0].high, drawn[0].low) == (1.0, falling[-1] / 2)
    first, last = ([float(v) for v in z.points.split()[at].split(",")] for at in (0, -1))
    assert first[0] == 0.0
    assert last == [100.0, 60.0]
    assert x.points.split()[0] == "0.00,0.00"
    assert panels({"settings": {"steps": [20, 200]}, "series": {}}) == []


def test_a_mark_shows_which_side_of_no_difference_an_interval_lies_on() -> None:
    def claim(words: str, ours: float | None, interval: list[float] | None) -> dict[str, object]:
        return {"claim": words, "ours": ours, "interval": interval}

    lower, huge, minus, level, none = marks(
        [
            claim("Z against X", -0.5, [-0.6, -0.4]),
            claim("Z against X", 55.0, [40.0, 70.0]),
            claim("Z minus X", 0.1, [-0.1, 0.2]),
            claim("share recognised", 0.6, None),
            claim("Z against X", None, None),
        ]
    )
    assert lower.low < lower.at < lower.high < 0.5
    assert huge.at == huge.high == 1.0
    assert (minus.low, minus.at, minus.high) == (0.25, 0.75, 1.0)
    assert level is None
    assert none is None


def test_nothing_measured_yet_says_how(tmp_path: Path) -> None:
    assert "reproduce --help" in results_page(tmp_path, tmp_path)


def test_every_committed_result_and_model_is_on_the_page() -> None:
    page = results_page(ROOT / "results", zoo.ASSETS)
    for path in (ROOT / "results").glob("*.json"):
        assert json.loads(path.read_text())["experiment"] in page
    for name in zoo.names():
        assert f"<b>{name}</b>" in page


def test_cost_adds_up_stages_and_survives_cards_without_seconds() -> None:
    assert cost({"seconds": {"autoencoder": 955, "generator": 3400}, "hardware": "1 core"}) == "73 min, 1 core"
    assert cost({"seconds": 42}) == "42 s"
    assert cost({"targets": 50}) == "–"


def test_a_number_s_replay_opens_on_its_lanes_and_steps() -> None:
    models, pose = two_models(), pose_models()

    def opened(name: str, what: str, **settings: Any) -> dict[str, str]:
        address = replay_of({"experiment": name, "settings": settings}, what)
        return dict(parse_qsl(address.removeprefix("?")))

    query = opened("convergence", "on cats, loss after 20 steps, Z", domain="cats", space="residual", steps=200, seed=3)
    chosen, notes = race.open_page(models, Session(), query)
    assert (notes, chosen.task, chosen.steps, chosen.seed, chosen.start) == ([], "cats", 20, 3, "mean")
    assert chosen.names() == ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
    query = opened("completions", "visible loss, Z", domain="faces", space="residual", steps=500, k=8, seed=0)
    asked, notes = completions.open_page(models, CompletionSession(), of_tab(query, "complete"))
    assert (notes, asked.k, asked.settings.steps, asked.settings.names()) == ([], 8, 300, ["X", "Z"])
    query = opened("pose-positions", "loss after 40 steps", space="residual", steps=200, seed=0)
    found, notes = from_query(of_tab(query, "pose"), pose)
    assert (notes, found.settings.task, found.settings.steps) == ([], "pose-positions", 40)
    defences = Defences({"ro": tiny_defence}, None)
    for what, knows in (("L∞ attack, static", "static"), ("L∞ attack, aware", "Z"), ("L∞ attack, Z", "Z")):
        values, notes = defended(defences, of_tab(opened("defence-ro", what, steps={}), "defence"))
        assert (notes, values["attack"], values["knows"], values["steps"]) == ([], "linf", knows, 1)
    assert replay_of({"experiment": "playground", "settings": {}}, "arm") == ""


def test_every_number_of_an_answer_has_a_replay_or_its_command() -> None:
    page = results_page(ROOT / "results", zoo.ASSETS)
    numbers = re.findall(r"<li><a href=.*?</li>", page, re.DOTALL)
    assert numbers
    for number in numbers:
        assert ('href="?' in number) != ("<code>python -m landscape_core reproduce" in number)
