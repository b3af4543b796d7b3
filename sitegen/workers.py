"""Processes that run what imports TensorFlow: one job at a time each, within limits of time and memory.

A job that crashes, hangs or eats the machine's memory costs its own result and its process, and no other job's: this is
why it is not concurrent.futures' pool, in which one dead process breaks all that are waiting.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sitegen import text, worker
from sitegen.errors import SitegenError
from sitegen.records import Limits

P = ParamSpec("P")
T = TypeVar("T")
_Job = tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Pool(Executor):
    """An executor of up to `jobs` processes, which are started when there is work for them.

    A job's failure is a SitegenError in its future: its own, or one that says what became of its process. What the
    processes print goes to `log`, what they say of how far they are to `progress`.
    """

    def __init__(self, log: Path, jobs: int, limits: Limits, progress: Callable[[str], None] = lambda _: None) -> None:
        self._log = log
        self._limits = limits
        self._progress = progress
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._processes: set[BaseProcess] = set()
        self._closed = False
        # Forking a process that has threads is unsafe, and TensorFlow has many.
        self._context = multiprocessing.get_context("spawn")
        log.unlink(missing_ok=True)
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(jobs)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs a function of a module in one of the processes; arguments and result travel by pickle."""
        future: Future[T] = Future()
        self._jobs.put((future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes: with `cancel_futures` at once, whatever they do, else when the jobs are done."""
        if cancel_futures:
            self._closed = True
            with contextlib.suppress(queue.Empty):
                while job := self._jobs.get_nowait():
                    job[0].cancel()
            for process in list(self._processes):
                process.kill()
        for _ in self._threads:
            self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        """One thread stands for one process, which is replaced when it dies."""
        process: BaseProcess | None = None
        connection: Connection | None = None
        while (job := self._jobs.get()) is not None:
            future, *call = job
            if self._closed or not future.set_running_or_notify_cancel():
                future.cancel()
                continue
            if process is None or connection is None:
                process, connection = self._start()
            try:
                future.set_result(self._run(process, connection, call))
            except _Ended as ended:
                self._end(process)
                process = connection = None
                future.set_exception(SitegenError(str(ended), hint=ended.hint))
            except BaseException as error:
                future.set_exception(error)
        if process is not None and connection is not None:
            connection.close()
            self._end(process)

    def _start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._log, os.getpid(), self._limits.bytes())
        process = self._context.Process(target=worker.serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        self._processes.add(process)
        return process, ours

    def _end(self, process: BaseProcess) -> None:
        process.kill()
        process.join()
        self._processes.discard(process)

    def _run(self, process: BaseProcess, connection: Connection, call: list[Any]) -> Any:
        try:
            connection.send(call)
            until = time.monotonic() + self._limits.seconds
            ok = None
            while ok is None:
                if not wait([connection, process.sentinel], max(0, until - time.monotonic())):
                    what = f"took longer than {self._limits.seconds:g} seconds"
                    raise _Ended(what, "convert_seconds in the settings is the limit")
                ok, value = connection.recv()
                if ok is None:
                    self._progress(value)
        except (EOFError, OSError) as error:
            process.join()
            raise self._cause(process.exitcode) from error
        if ok:
            return value
        raise value

    def _cause(self, code: int | None) -> _Ended:
        if code == worker.OUT_OF_MEMORY:
            what = f"needed more than {text.size(self._limits.bytes())} of memory"
            return _Ended(what, "convert_memory in the settings is the limit, in megabytes")
        if code is not None and code < 0:
            return _Ended(f"ended its process by signal {-code}", "it may need more memory than this machine has")
        return _Ended(f"ended its process with exit code {code}", "the whole story is in .sitegen-cache/convert.log")


class _Ended(Exception):
    """A job's process is no more, or must be no more."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint
