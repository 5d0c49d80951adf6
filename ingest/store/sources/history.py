"""The lake beside a database: which of its streams is whose, and its state at each look."""

from functools import partial
from pathlib import Path

from ingest.store.lake import Lake
from ingest.store.pieces import LakeStream
from ingest.store.sources.lake_side import LakeSide, SecondsByOrigin
from ingest.tick import Market, StreamKind

# As last seen in this process: a reader that is opened for one question asks hundreds of streams.
_seen: dict[tuple[Path, LakeStream], LakeSide] = {}


class History:
    """Looks at a lake. Any thread.

    Parameters
    ----------
    root
        Its folder; one that is not there is an empty lake.
    """

    def __init__(self, root: Path | str) -> None:
        self.lake = Lake(root)

    def streams(
        self, market: Market | None = None, kind: StreamKind | None = None
    ) -> list[LakeStream]:
        """Streams that it holds, of a market or a kind where one is named."""
        return [
            each
            for each in self.lake.streams()
            if market in (None, each.market) and kind in (None, each.kind)
        ]

    def find(
        self, symbol: str, market: Market | None = None, kind: StreamKind | None = None
    ) -> LakeStream | None:
        """Find a symbol's stream: of several the one whose trades reach farthest."""
        streams = [each for each in self.streams(market, kind) if each.symbol == symbol]
        if len(streams) <= 1:
            return streams[0] if streams else None
        return max(streams, key=self._end)

    def side(self, stream: LakeStream, before: LakeSide | None = None) -> LakeSide:
        """Look at a stream; the same as `before` where nothing changed since."""
        state = self.lake.state(stream)
        if before is not None and before.stream == stream and before.state == state:
            return before
        ticks = partial(self.lake.ticks, stream)
        spans = self.lake.id_spans(stream)
        by_origin = SecondsByOrigin(
            self.lake.traded(stream), self.lake.recorded(stream), self.lake.summed_up(stream)
        )
        side = LakeSide(self.lake.pieces(stream), spans, ticks, stream, state, by_origin)
        _seen[self.lake.root, stream] = side
        return side

    def seen_side(self, stream: LakeStream) -> LakeSide:
        """Look at one of many streams; the same as the process last saw where nothing changed."""
        return self.side(stream, _seen.get((self.lake.root, stream)))

    def _end(self, stream: LakeStream) -> int:
        spans = self.lake.id_spans(stream)
        return spans[-1].last_us if spans else 0
