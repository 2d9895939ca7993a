"""What is kept of visitors' jobs: the latest of each, for a bounded number of them."""

from __future__ import annotations

from app.landscape.run import Drawing
from app.runs.jobs import Jobs


def test_a_new_job_stops_the_one_before_and_visitors_are_bounded() -> None:
    jobs = Jobs(Drawing, capacity=2)
    first = jobs.begin("a")
    second = jobs.begin("a")
    assert (first.stop.is_set(), second.stop.is_set(), second.number) == (True, False, 2)
    jobs.begin("b"), jobs.begin("c")
    assert second.stop.is_set(), "the least recent visitor is let go"
    assert jobs.latest("a") is None
    assert jobs.begin("a").number == 1


def test_only_its_own_page_can_read_a_job() -> None:
    jobs = Jobs(Drawing)
    job = jobs.begin("a")
    job.messages.extend([{"kind": "begin"}, {"kind": "end"}])
    assert jobs.missed(job.id, 1) == [{"kind": "end"}]
    assert jobs.missed("guess", 0) == []
    jobs.drop("a")
    assert job.stop.is_set()
    assert jobs.missed(job.id, 0) == []
