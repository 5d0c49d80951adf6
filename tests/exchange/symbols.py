"""What the scripted exchange lists: levels and steps of well-known symbols, and ``exchangeInfo``.

Levels and steps are in the manner of Binance's own; the prices were never any day's.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from exchange.market import Tape

E8 = 100_000_000

# Price in US dollars; price tick and lot step against a dollar on spot, then on futures.
_BASES = {
    "BTC": ("64000", "0.01", "0.00001", "0.1", "0.001"),
    "ETH": ("2600", "0.01", "0.0001", "0.01", "0.001"),
    "BNB": ("590", "0.01", "0.001", "0.01", "0.01"),
    "SOL": ("148", "0.01", "0.001", "0.01", "0.01"),
    "XRP": ("0.62", "0.0001", "0.1", "0.0001", "0.1"),
    "ADA": ("0.38", "0.0001", "0.1", "0.0001", "1"),
    "DOGE": ("0.11", "0.00001", "1", "0.00001", "1"),
    "TRX": ("0.15", "0.0001", "0.1", "0.00001", "1"),
    "AVAX": ("24", "0.01", "0.01", "0.001", "1"),
    "LINK": ("11", "0.01", "0.01", "0.001", "0.01"),
    "DOT": ("4.4", "0.001", "0.01", "0.001", "0.1"),
    "LTC": ("65", "0.01", "0.001", "0.01", "0.001"),
    "BCH": ("330", "0.1", "0.001", "0.01", "0.001"),
    "UNI": ("7.1", "0.001", "0.01", "0.001", "1"),
    "ATOM": ("4.6", "0.001", "0.01", "0.001", "0.01"),
    "NEAR": ("4.1", "0.001", "0.1", "0.001", "1"),
    "ETC": ("18.7", "0.01", "0.01", "0.001", "0.01"),
    "XLM": ("0.096", "0.0001", "1", "0.00001", "1"),
    "FIL": ("3.6", "0.001", "0.01", "0.001", "0.1"),
    "SUI": ("1.9", "0.0001", "0.1", "0.0001", "0.1"),
    "ARB": ("0.54", "0.0001", "0.1", "0.0001", "0.1"),
    "SHIB": ("0.000018", "0.00000001", "1", "0.00000001", "1"),
    "PEPE": ("0.0000085", "0.00000001", "1", "0.00000001", "1"),
    "1000PEPE": ("0.0085", "0.0000001", "1", "0.0000001", "1"),
    "币安人生": ("0.2", "0.0001", "0.1", "0.00001", "1"),
}
_DOLLARS = {"USDT": 1.0, "USDC": 1.0, "FDUSD": 1.0, "TUSD": 1.0, "USD": 1.0}
_MONEY = {**_DOLLARS, "EUR": 1.1, "TRY": 0.03}
_QUOTES = (*_MONEY, "BTC", "ETH", "BNB")
_LEAST_VALUES = {"BTC": "0.0001", "ETH": "0.001", "BNB": "0.01"}  # of an order; 5 in a currency
_OTHERS = {"spot": (E8 // 100, E8 // 100), "usdm": (E8 // 100, E8)}  # their tick and lot


@dataclass(frozen=True)
class Facts:
    """One symbol: what is bought in what, at which level, in which steps.

    `price` is None of a symbol that is not well known. Delivery futures have a last day, YYMMDD.
    """

    base: str
    quote: str
    price: float | None
    tick_e8: int
    lot_e8: int
    last_day: str = ""


def facts_of(symbol: str, market: Literal["spot", "usdm"]) -> Facts:
    """What is known of a symbol by its name."""
    name, _, last_day = symbol.partition("_")
    quote = next((each for each in _QUOTES if name.endswith(each) and name != each), "")
    base = name.removesuffix(quote) if quote else name
    if base not in _BASES or not quote:
        return Facts(base, quote, None, *_OTHERS[market], last_day)
    dollars, *steps = _BASES[base]
    tick, lot = steps[:2] if market == "spot" else steps[2:]
    if quote in _DOLLARS:
        return Facts(base, quote, float(dollars), _e8(tick), _e8(lot), last_day)
    in_dollars = _MONEY.get(quote) or float(_BASES[quote][0])
    price = float(dollars) / in_dollars
    tick_e8 = max(1, round(10 ** (math.floor(math.log10(price)) - 4) * E8))
    return Facts(base, quote, price, tick_e8, _e8(lot), last_day)


def _e8(text: str) -> int:
    return round(float(text) * E8)


def exchange_info(
    tapes: "list[Tape]", market: Literal["spot", "usdm"], now_us: int, unit_us: int
) -> dict[str, Any]:
    """Give the body of ``exchangeInfo``, with the fields of Binance's schema."""
    told: dict[str, Any] = {"timezone": "UTC", "serverTime": now_us // unit_us}
    if market == "spot":
        limits = [_limit("REQUEST_WEIGHT", "MINUTE", 1, 6000), _limit("ORDERS", "SECOND", 10, 100),
                  _limit("ORDERS", "DAY", 1, 200_000),
                  _limit("RAW_REQUESTS", "MINUTE", 5, 61_000)]  # fmt: skip
        symbols = [_spot_symbol(tape) for tape in tapes]
        return {**told, "rateLimits": limits, "exchangeFilters": [], "symbols": symbols}
    limits = [_limit("REQUEST_WEIGHT", "MINUTE", 1, 2400), _limit("ORDERS", "MINUTE", 1, 1200),
              _limit("ORDERS", "SECOND", 10, 300)]  # fmt: skip
    assets = [
        {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
        for asset in sorted({facts_of(tape.symbol, market).quote for tape in tapes})
    ]
    return {
        **told,
        "futuresType": "U_MARGINED",
        "rateLimits": limits,
        "exchangeFilters": [],
        "assets": assets,
        "symbols": [_futures_symbol(tape) for tape in tapes],
    }


def _limit(kind: str, interval: str, number: int, most: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": most}


def _spot_symbol(tape: "Tape") -> dict[str, Any]:
    facts = facts_of(tape.symbol, "spot")
    return {
        "symbol": tape.symbol,
        "status": tape.status,
        "baseAsset": facts.base,
        "baseAssetPrecision": 8,
        "quoteAsset": facts.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _spot_filters(tape, facts),
        "permissions": [],
        "permissionSets": [["SPOT", "TRD_GRP_004", "TRD_GRP_005"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": [
            "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT",
        ],
    }  # fmt: skip


def _spot_filters(tape: "Tape", facts: Facts) -> list[dict[str, Any]]:
    tick, lot = _eight(tape.tick_e8), _eight(tape.lot_e8)
    least = _eight(_e8(_LEAST_VALUES.get(facts.quote, "5")))
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick,
         "maxPrice": _eight(tape.tick_e8 * 10**8), "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": _eight(tape.lot_e8 * 9 * 10**8),
         "stepSize": lot},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", "minQty": _eight(0),
         "maxQty": _eight(tape.lot_e8 * 10**7), "stepSize": _eight(0)},
        {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10,
         "maxTrailingAboveDelta": 2000, "minTrailingBelowDelta": 10,
         "maxTrailingBelowDelta": 2000},
        {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5",
         "bidMultiplierDown": "0.2", "askMultiplierUp": "5", "askMultiplierDown": "0.2",
         "avgPriceMins": 5},
        {"filterType": "NOTIONAL", "minNotional": least, "applyMinToMarket": True,
         "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    ]  # fmt: skip


def _futures_symbol(tape: "Tape") -> dict[str, Any]:
    facts = facts_of(tape.symbol, "usdm")
    is_perpetual = not re.fullmatch(r"\d{6}", facts.last_day)
    return {
        "symbol": tape.symbol,
        "pair": tape.symbol.partition("_")[0],
        "contractType": "PERPETUAL" if is_perpetual else "CURRENT_QUARTER",
        "deliveryDate": 4_133_404_800_000 if is_perpetual else _delivery_ms(facts.last_day),
        "onboardDate": 1_569_398_400_000,
        "status": tape.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": facts.base,
        "quoteAsset": facts.quote,
        "marginAsset": facts.quote,
        "pricePrecision": _decimals(tape.tick_e8),
        "quantityPrecision": _decimals(tape.lot_e8),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": _futures_filters(tape, facts),
        "orderTypes": [
            "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }  # fmt: skip


def _futures_filters(tape: "Tape", facts: Facts) -> list[dict[str, Any]]:
    tick, lot = _plain(tape.tick_e8), _plain(tape.lot_e8)
    least = {"BTC": "100", "ETH": "20"}.get(facts.base, "5")
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick,
         "maxPrice": _plain(tape.tick_e8 * 45_297_640), "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": _plain(tape.lot_e8 * 10**6),
         "stepSize": lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": lot, "maxQty": _plain(tape.lot_e8 * 120_000),
         "stepSize": lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {"filterType": "MIN_NOTIONAL", "notional": least},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500",
         "multiplierDecimal": "4"},
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE",
         "notionalLimit": "0"},
    ]  # fmt: skip


def _delivery_ms(last_day: str) -> int:
    """08:00 UTC of a day YYMMDD."""
    day = datetime.strptime(last_day, "%y%m%d").replace(hour=8, tzinfo=UTC)
    return int(day.timestamp()) * 1000


def _eight(value_e8: int) -> str:
    return f"{value_e8 // E8}.{value_e8 % E8:08d}"


def _plain(value_e8: int) -> str:
    return _eight(value_e8).rstrip("0").rstrip(".")


def _decimals(step_e8: int) -> int:
    return len(_plain(step_e8).partition(".")[2])
