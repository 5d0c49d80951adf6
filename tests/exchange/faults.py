"""What can be made to go wrong at the scripted exchange.

Plain switches and short queues, set by a test or by a fault script (an async function that takes
the exchange, run by `Exchange.run_script`). What happens to connections that are already open is
done by methods of `Exchange`: ``disconnect_all``, ``stall_all``, ``black_hole_all``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

FaultT = TypeVar("FaultT")


@dataclass(frozen=True)
class HandshakeFault:
    """How the next WebSocket handshake ends.

    ``refuse`` answers `status` instead of 101; ``close`` accepts, then closes with `code`;
    ``abort`` accepts, then resets the connection; ``hang`` never answers.
    """

    kind: Literal["refuse", "close", "abort", "hang"]
    status: int = 503
    retry_after_s: int | None = None
    code: int = 1008


@dataclass(frozen=True)
class RestFault:
    """What a REST request gets instead of its answer, for paths that hold `path`."""

    status: int
    code: int
    msg: str
    retry_after_s: int | None = None
    path: str = ""


class FaultQueue(Generic[FaultT]):
    """Faults in the order they were asked for, each for a number of times or without end."""

    def __init__(self) -> None:
        self._faults: list[tuple[FaultT, int | None]] = []

    def add(self, fault: FaultT, times: int | None) -> None:
        """Add a fault for `times` occasions, None for all that come."""
        self._faults.append((fault, times))

    def peek(self) -> FaultT | None:
        return self._faults[0][0] if self._faults else None

    def take(self) -> FaultT | None:
        """Give the fault due and count it."""
        if not self._faults:
            return None
        fault, times = self._faults[0]
        if times == 1:
            del self._faults[0]
        elif times is not None:
            self._faults[0] = (fault, times - 1)
        return fault

    def clear(self) -> None:
        self._faults.clear()


@dataclass
class Faults:
    """All faults of one exchange; nothing is wrong until a test says so."""

    rest_lag_s: float = 0.0  # REST knows a trade this long after it was streamed
    rest_delay_s: float = 0.0  # REST answers this long after it was asked
    withheld: set[str] = field(default_factory=set)  # symbols REST knows and no stream carries
    handshakes: FaultQueue[HandshakeFault] = field(default_factory=FaultQueue)
    rest: FaultQueue[RestFault] = field(default_factory=FaultQueue)

    def refuse_handshakes(
        self, status: int = 503, *, retry_after_s: int | None = None, times: int | None = 1
    ) -> None:
        """Answer handshakes with an HTTP status."""
        fault = HandshakeFault("refuse", status=status, retry_after_s=retry_after_s)
        self.handshakes.add(fault, times)

    def close_after_accept(self, code: int = 1008, *, times: int | None = 1) -> None:
        """Accept connections and close them at once with a code."""
        self.handshakes.add(HandshakeFault("close", code=code), times)

    def abort_after_accept(self, *, times: int | None = 1) -> None:
        """Accept connections and reset them at once."""
        self.handshakes.add(HandshakeFault("abort"), times)

    def hang_handshakes(self, *, times: int | None = 1) -> None:
        """Take the TCP connection and never answer the handshake."""
        self.handshakes.add(HandshakeFault("hang"), times)

    def answer_rest(
        self,
        status: int,
        *,
        retry_after_s: int | None = None,
        times: int | None = 1,
        path: str = "",
        code: int = -1003,
        msg: str = "Too many requests.",
    ) -> None:
        """Answer REST requests whose path holds `path` with an HTTP status."""
        self.rest.add(RestFault(status, code, msg, retry_after_s, path), times)

    def rest_fault_for(self, path: str) -> RestFault | None:
        """Give the fault due for this path and count it."""
        due = self.rest.peek()
        return self.rest.take() if due is not None and due.path in path else None

    @contextmanager
    def withhold(self, symbol: str) -> Iterator[None]:
        """Keep a symbol's frames from every stream while REST goes on knowing them."""
        self.withheld.add(symbol)
        try:
            yield
        finally:
            self.withheld.discard(symbol)

    def clear(self) -> None:
        """Make everything whole again."""
        self.rest_lag_s = 0.0
        self.rest_delay_s = 0.0
        self.withheld.clear()
        self.handshakes.clear()
        self.rest.clear()
