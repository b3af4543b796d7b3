"""The worker processes: whatever a job does to its process, the other jobs get their results."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen import worker
from sitegen.errors import SitegenError
from sitegen.records import Limits
from sitegen.workers import Pool

HERE = os.getpid()


def add(a: int, b: int) -> int:
    return a + b


def name() -> int:
    return os.getpid()


def complain() -> None:
    raise SitegenError("it is wrong", hint="put it right")


def leave() -> None:
    os._exit(5)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    time.sleep(600)


def eat() -> int:
    held = []
    while True:
        held.append(bytearray(os.urandom(1 << 20) * 16))


def go_on() -> str:
    for listener in worker._listener:
        listener("one")
        listener("two")
    return "done"


def speak() -> None:
    print("printed", flush=True)
    os.write(2, b"written\n")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    """Two processes with small limits."""
    made = Pool(tmp_path / "log", 2, Limits(seconds=3, memory=300_000_000))
    yield made
    made.shutdown(cancel_futures=True)


def test_results_and_errors_come_back(pool: Pool) -> None:
    assert pool.submit(add, 1, b=2).result(30) == 3
    with pytest.raises(SitegenError, match="it is wrong") as caught:
        pool.submit(complain).result(30)
    assert caught.value.hint == "put it right"
    assert pool.submit(name).result(30) != os.getpid()


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (leave, "ended its process with exit code 5"),
        (crash, "ended its process by signal 11"),
        (hang, "took longer than 3 seconds"),
        (eat, "needed more than 300 MB of memory"),
    ],
)
def test_a_bad_job_costs_only_itself(pool: Pool, job: object, message: str) -> None:
    before = [pool.submit(add, n, n) for n in range(3)]
    bad = pool.submit(job)  # type: ignore[arg-type]
    after = [pool.submit(add, n, n) for n in range(3)]
    with pytest.raises(SitegenError, match=message):
        bad.result(30)
    assert [future.result(30) for future in before + after] == [0, 2, 4, 0, 2, 4]


def test_a_process_is_used_again(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "log", 1, Limits())
    assert pool.submit(name).result(30) == pool.submit(name).result(30)
    pool.shutdown()


def test_what_is_printed_goes_to_the_log(pool: Pool, tmp_path: Path) -> None:
    pool.submit(speak).result(30)
    assert (tmp_path / "log").read_text() == "printed\nwritten\n"


def test_who_waits_is_told_how_far_it_is(tmp_path: Path) -> None:
    told: list[str] = []
    pool = Pool(tmp_path / "log", 1, Limits(), told.append)
    assert pool.submit(go_on).result(30) == "done"
    pool.shutdown()
    assert told == ["one", "two"]


def test_ending_at_once_leaves_nobody(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "log", 2, Limits())
    running = pool.submit(hang)
    workers = [pool.submit(name) for _ in range(2)]
    pid = workers[0].result(30)
    began = time.monotonic()
    pool.shutdown(cancel_futures=True)
    assert time.monotonic() - began < 5
    with pytest.raises(SitegenError):
        running.result(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
