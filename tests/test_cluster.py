"""Grading on a Dask cluster, one of whose machines is killed on the way."""

import os
import resource
import signal
from dataclasses import replace

import pytest

from attnbook.grading import batch
from attnbook.grading import cluster as machines
from attnbook.grading.course import Course
from attnbook.grading.limits import Limits
from attnbook.grading.model import Submission
from attnbook.grading.sandbox.process import Sandbox, SandboxError
from attnbook.grading.settings import Settings
from tests.needs import module, needs, skip_without_sandbox
from tools.notebooks import ROOT

pytestmark = needs("the package distributed")
distributed = module("distributed")
COUNT = 12


@pytest.fixture(scope="module", autouse=True)
def sandbox_works():
    try:
        with Sandbox():
            pass
    except SandboxError as error:
        skip_without_sandbox(error)


@pytest.fixture(scope="module")
def settings():
    return Settings.of(Course(ROOT), ["2_1"], 7, Limits())


def submissions(count):
    course = Course(ROOT)
    solved = course.sheet("2_1").path.read_bytes()
    return [
        Submission(f"student {n}", "2_1", f"{n}.ipynb", solved)
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as running:
        yield running


def finished_once(dask_scheduler):
    """How often each submission's task was finished, all workers together."""
    counts = {}
    for entry in dask_scheduler.transition_log:
        key, _, end = entry[:3]
        if str(key).startswith("grade-") and end == "memory":
            counts[key] = counts.get(key, 0) + 1
    return counts


def test_a_killed_worker_loses_nothing_and_repeats_nothing(cluster, settings):
    address = cluster.scheduler_address
    results, killed = [], None
    for result in machines.grade_there(settings, submissions(COUNT), address):
        results.append(result)
        if len(results) == 4:
            with distributed.Client(address) as client:
                pids = client.run(os.getpid)
            killed = sorted(pids.values())[0]
            os.kill(killed, signal.SIGKILL)
    assert killed and len(results) == COUNT
    assert len({r.student for r in results}) == COUNT
    assert all(r.points == r.out_of == 12 for r in results), results
    with distributed.Client(address) as client:
        counts = client.run_on_scheduler(finished_once)
    assert len(counts) == COUNT and set(counts.values()) == {1}


def test_the_same_scores_as_on_one_machine(cluster, settings):
    here = next(iter(batch.grade_here(settings, submissions(1), 1)))
    there = next(
        iter(
            machines.grade_there(
                settings, submissions(1), cluster.scheduler_address
            )
        )
    )
    assert here.questions == there.questions


def test_a_worker_has_a_limit_of_memory_once_it_has_graded(cluster, settings):
    (result,) = machines.grade_there(
        settings, submissions(1), cluster.scheduler_address
    )
    assert result.points == 12
    with distributed.Client(cluster.scheduler_address) as client:
        limits = client.run(resource.getrlimit, resource.RLIMIT_AS).values()
    assert any(soft != resource.RLIM_INFINITY for soft, _ in limits)


def test_another_version_of_the_course_grades_nothing(cluster, settings):
    other = replace(settings, digests=(("2_1", "0" * 16),))
    (result,) = machines.grade_there(
        other, submissions(1), cluster.scheduler_address
    )
    assert result.state == "not graded"
    assert "is not the version that the run was started with" in result.why
