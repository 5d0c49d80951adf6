"""The scripted exchange from the command line: see ``python tests/exchange --help``."""

import argparse
import asyncio
import math
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from exchange.feeds import Feed, LiveFeed, ReplayFeed
from exchange.server import Exchange

PAST_DAYS = 40  # more than a desk asks for at its first start


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; 2 when the port is taken or the frames cannot be read."""
    options = _parser().parse_args(arguments)
    # A shell that starts it in the background has it ignore Ctrl-C's signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as error:
        print(f"exchange.py: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(options: argparse.Namespace) -> None:
    exchange = Exchange(
        options.symbols, market=options.market, feed=_feed(options), port=options.port
    )
    async with exchange:
        stream = " --stream trade" if options.frames else ""
        print(
            f"python app.py --market {options.market} --symbols {','.join(options.symbols[:2])}"
            f"{stream} --ws-url {exchange.ws_url} --rest-url {exchange.rest_url}",
            flush=True,
        )
        print(f"{_described(options)} Ctrl-C ends the exchange.", flush=True)
        await exchange.wait_fed(timeout_s=None)
        print("All frames were sent.", flush=True)
        await asyncio.Event().wait()


def _feed(options: argparse.Namespace) -> Feed:
    if options.frames is not None:
        return ReplayFeed(options.frames, speed=options.speed)
    days = PAST_DAYS if options.history else 0
    return LiveFeed(options.rate, seed=options.seed, history_s=options.history, past_days=days)


def _described(options: argparse.Namespace) -> str:
    if options.frames is not None:
        return f"Replays {options.frames.name} once, at {options.speed:g} times its pace."
    return f"Makes up {options.rate:g} trades a second for each symbol; none of them is real."


def _symbols(text: str) -> list[str]:
    symbols = [part.strip().upper() for part in text.split(",")]
    for symbol in symbols:
        if not re.fullmatch(r"\w{2,20}", symbol):
            msg = f"{symbol!r} is no symbol"
            raise argparse.ArgumentTypeError(msg)
    return symbols


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        msg = f"{text} is not above zero"
        raise argparse.ArgumentTypeError(msg)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="exchange.py", description="A Binance on 127.0.0.1 with made-up or recorded trades."
    )
    parser.add_argument("--port", type=int, default=9443, help="0 takes a free one (9443)")
    parser.add_argument("--symbols", type=_symbols, default=_symbols("BTCUSDT,ETHUSDT,SOLUSDT"))
    parser.add_argument("--market", choices=["spot", "usdm"], default="spot")
    parser.add_argument("--rate", type=_positive, default=20.0, help="trades/s of a symbol (20)")
    parser.add_argument("--seed", type=int, default=1, help="of the made-up trades (1)")
    parser.add_argument(
        "--history",
        type=int,
        default=3600,
        help=f"seconds REST has trades of before the start (3600), and bars of {PAST_DAYS} days",
    )
    parser.add_argument("--frames", type=Path, help="recorded frames to replay instead")
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help=f"of the replay, {math.inf} too (1)"
    )
    return parser
