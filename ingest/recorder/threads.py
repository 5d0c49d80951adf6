"""Threads whose work is started again when it fails, the log of that, and threads given up."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_LOG: Final = logging.getLogger("pairdesk.recorder")

# A thread that fails so often in so many seconds does not work, though it is started again.
_FAILING = 5
_FAILING_OVER_S = 30.0

P = ParamSpec("P")
T = TypeVar("T")


class FailureLog:
    """The latest failures of some threads.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str, str]] = deque(maxlen=20)  # moment, thread, what

    def note(self, thread: str, error: BaseException) -> str:
        """Take note of a failure; returns it in a sentence."""
        message = f"the {thread} thread failed and was restarted: {error!r}"
        self._failures.append((self._clock(), thread, message))
        _LOG.warning("%s", message)
        _LOG.debug("where it failed", exc_info=error)
        return message

    def lasting(self) -> str | None:
        """What keeps a thread from working, though it is restarted each second; None mostly."""
        since_s = self._clock() - _FAILING_OVER_S
        recent = [(thread, what) for at_s, thread, what in list(self._failures) if at_s > since_s]
        again = Counter(thread for thread, _ in recent)
        return next((what for thread, what in recent if again[thread] >= _FAILING), None)


class RestartingThread:
    """A daemon thread that runs `work` until it returns; after an error it runs it again.

    Parameters
    ----------
    name
        Of the thread.
    work
        Ends by returning; any exception counts as a failure.
    failed
        Told of each failure.
    again_after_s
        Wait before the work is started again.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        failed: Callable[[str, BaseException], None],
        again_after_s: float = 1.0,
    ) -> None:
        self.name = name
        self._work, self._failed, self._again_after_s = work, failed, again_after_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pairdesk-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Do not start the work again, should it fail from now on."""
        self._ending.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the work to return; whether it did. True for a thread never begun."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the work goes on
                self._failed(self.name, error)
            else:
                return
            if self._ending.wait(self._again_after_s):
                return


class DaemonExecutor(ThreadPoolExecutor):
    """Runs each piece of work in a daemon thread of its own, which nobody waits for at the end.

    As an event loop's default executor it lets the loop close while a name is still looked up:
    that may take half a minute, and cannot be cancelled.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin; the thread ends with the work."""
        future: Future[T] = Future()

        def run() -> None:
            """Run it unless it was cancelled; whatever it raises goes to the future."""
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="pairdesk-aside", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nothing, whatever is asked."""
