"""The API's description as OpenAPI 3.1: what is at which address, and what each value means."""

from collections.abc import Mapping
from typing import Final

from analytics.signals import SIGNALS
from ingest.version import VERSION
from pages.ui.server.api_reader import MOST_ALERTS
from pages.ui.server.api_values import Json

API_PATH: Final = "/api/v1"
_ABOUT: Final = (
    "What the desk sees, to be read by a bot or a notebook: the watched pairs, the alerts, and how"
    " the recording goes. It is read-only. Times are ISO 8601 in UTC; a bar is named by its open"
    " time; null is a figure that is not known. Behind sign-in, or where tokens are set up, send"
    " Authorization: Bearer TOKEN."
)


def _value(kinds: str, words: str, **more: object) -> Json:
    """Describe a value: kinds of JSON, parted by blanks."""
    names = kinds.split()
    return {"type": names[0] if len(names) == 1 else names, "description": words, **more}


def _text(words: str) -> Json:
    return _value("string", words)


def _figure(words: str) -> Json:
    return _value("number null", words)


def _whole(words: str) -> Json:
    return _value("integer", words)


def _time(words: str) -> Json:
    return _value("string", words, format="date-time")


def _time_or_null(words: str) -> Json:
    return _value("string null", words, format="date-time")


def _object(words: str, properties: Mapping[str, Json]) -> Json:
    """Describe an object that has these properties, all of them, and no others."""
    return {
        "type": "object",
        "description": words,
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(of: str, words: str) -> Json:
    return {"type": "array", "description": words, "items": _ref(of)}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_PAIR: Final = {
    "list": _text("Name of the list."),
    "y": _text("Symbol S1, the dependent leg; what a basket is called."),
    "x": _text("Symbol S2; empty of a basket."),
    "symbols": _value("array", "Symbols of the row, 3 to 8 of a basket.", items={"type": "string"}),
    "method": _value("string null", "How the weights of a basket are found."),
    "interval": _text("Length of a bar: 1s to 1h."),
    "window": _whole("Bars of the trailing mean, deviation and correlation."),
    "spread": _text("Kind of spread: price difference, hedged, log or ratio."),
    "hedge": _value("string null", "Method of the hedge ratio; null of a basket."),
    "group": _text("Group of the row; empty without one."),
    "bar": _time_or_null("Open of the latest closed bar that was evaluated."),
    "signal": _value("string null", "Signal at the bar.", enum=[*SIGNALS, None]),
    "reason": _text("Why the signal is what it is."),
    "gate": _text("Name of the closed gate; empty where all are open."),
    "zscore": _figure("(spread - mean) / std."),
    "beta": _figure("Hedge ratio."),
    "alpha": _figure("Intercept of the hedge regression."),
    "spread_value": _figure("Spread at the bar."),
    "mean": _figure("Trailing mean of the spread."),
    "std": _figure("Trailing standard deviation of the spread, ddof 1."),
    "correlation": _figure("Trailing correlation of the legs."),
    "price_y": _figure("Close of S1, quote currency."),
    "price_x": _figure("Close of S2, quote currency."),
    "weights": _value(
        "array null",
        "Weight of each symbol's log price at the bar, the first 1; null of a pair.",
        items={"type": ["number", "null"]},
    ),
    "signal_since": _time_or_null("Bar since which the signal is so, as far as it was followed."),
    "test": _value("string null", "Test of the p-value: Engle-Granger or ADF."),
    "pvalue": _figure("p-value of the test; the null hypothesis is that there is no return."),
    "half_life": _figure("Half-life of the spread, bars; null also where it does not return."),
    "returns": _value("boolean null", "Whether the test shows a return at the pair's level."),
    "tests_age_s": _figure("Seconds of market time since the last bar that the test looked at."),
    "y_age_s": _figure("Seconds of market time since S1 traded."),
    "x_age_s": _figure("Seconds of market time since S2 traded."),
    "problem": _text("Why there are no figures; empty where there are."),
}
_DELIVERY: Final = {
    "channel": _text("Name of the channel."),
    "state": _value(
        "string",
        "How far it is.",
        enum=["waiting", "sending", "delivered", "failed", "suppressed"],
    ),
    "attempts": _whole("Attempts that were begun."),
    "repeated": _value("boolean", "Whether an earlier attempt may have arrived too."),
}
_ALERT: Final = {
    "id": _text("Unique over all desks, and the same when it is sent again."),
    "number": _whole("Grows by the alert: what since= counts by."),
    "rule": _text("Name of the rule."),
    "kind": _value("string", "Whether it fired or is over.", enum=["fired", "resolved"]),
    "y": _text("Symbol S1; empty for what is of the desk as a whole."),
    "x": _text("Symbol S2; empty for what is of the desk as a whole."),
    "interval": _text("Length of the bar; empty without a pair."),
    "bar": _time("Open of the bar at which it fired; of what has no bar, the moment."),
    "forming": _value("boolean", "Whether that bar still formed."),
    "zscore": _figure("z-score at the bar."),
    "signal": _text("Signal at the bar; empty without a pair."),
    "value": _figure("What the rule looked at."),
    "level": _figure("The rule's level."),
    "words": _text("The message."),
    "suppressed": _text("Why it is not sent; empty where it is."),
    "fired": _time("When it was recorded, by the desk's clock."),
    "deliveries": _array("Delivery", "How far it is on its way, by channel."),
}
_WATCH: Final = {
    "evaluating": _value("boolean", "Whether pairs are evaluated by this process."),
    "why_not": _text("Why they are not; empty where they are."),
    "pairs": _whole("Pairs that are watched, equal ones of several lists counted once."),
    "evaluated_per_s": _figure("Bars of pairs evaluated a second."),
    "behind_s": _figure("Seconds of market time by which the slowest pair lags."),
    "late_bars": _whole("Evaluated bars that late trades changed since."),
    "last_error": _value("string null", "Why evaluating failed last."),
    "newest_alert": _whole("Number of the newest alert; 0 before the first."),
}
_SCHEMAS: Final = {
    "State": _object(
        "How the desk goes.",
        {
            "version": _text("Of Pairdesk."),
            "time": _time("The desk's clock."),
            "recorder": {
                "type": "object",
                "description": "The recording, as /healthz tells it.",
                "properties": {
                    "state": _text("live, quiet, reconnecting, paused, off …"),
                    "cause": _value("string null", "What is wrong; null where nothing is."),
                    "symbols": _value("object", "State and age of the last trade by symbol."),
                },
                "required": ["state", "cause", "symbols"],
            },
            "watch": {
                "description": "The watch; null where its database could not be opened.",
                "anyOf": [_ref("Watch"), {"type": "null"}],
            },
        },
    ),
    "Watch": _object("The watch.", _WATCH),
    "Pairs": _object("The watched pairs.", {"pairs": _array("Pair", "In the reader's order.")}),
    "Pair": _object("A row of a list.", _PAIR),
    "Alerts": _object(
        "Alerts, oldest first.",
        {
            "alerts": _array("Alert", "Those after since, limit at most."),
            "next": _whole("What since= goes on from."),
        },
    ),
    "Alert": _object("An alert.", _ALERT),
    "Delivery": _object("An alert on its way to a channel.", _DELIVERY),
    "Signal": _object(
        "A row whose signal changed.",
        {**_PAIR, "previous": _value("string null", "The signal before; null for the first.")},
    ),
    "Error": _object("Why there is no answer.", {"error": _text("One line.")}),
}


def description() -> Json:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pairdesk", "version": VERSION, "description": _ABOUT},
        # Against the address of the document: right under the path of a proxy, too.
        "servers": [{"url": "../v1"}],
        "paths": {
            "/state": _path("How the desk goes: version, recording, watch", _json("State"), []),
            "/pairs": _path(
                "Every row of every list with its latest figures",
                _json("Pairs"),
                [_parameter("list", "Rows of this list alone.", "string")],
                "404",
            ),
            "/alerts": _path(
                "Alerts after a number, oldest first",
                _json("Alerts"),
                [
                    _parameter(
                        "since", "Number or id of the last alert known; 0 for all.", "string"
                    ),
                    _parameter("limit", f"1 to {MOST_ALERTS:,}, which is the default.", "integer"),
                ],
                "400",
            ),
            "/stream": _path(
                "Alerts and changes of signals as they come, as server-sent events",
                _stream(),
                [
                    _parameter("since", "Begin after this alert; the newest by itself.", "string"),
                    _parameter(
                        "Last-Event-ID", "As since, and goes before it.", "integer", "header"
                    ),
                ],
                "400",
            ),
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _path(summary: str, answer: Json, parameters: list[Json], *refusals: str) -> Json:
    errors: Json = {code: _json("Error") for code in ("401", "503", *refusals)}
    answers: Json = {"200": answer, **errors}
    return {"get": {"summary": summary, "parameters": parameters, "responses": answers}}


def _json(schema: str) -> Json:
    return {
        "description": str(_SCHEMAS[schema]["description"]),
        "content": {"application/json": {"schema": _ref(schema)}},
    }


def _stream() -> Json:
    words = (
        "event: alert has an alert as its data and its number as its id, event: signal a row with"
        " its previous signal. A comment comes every 15 s. Whoever connects again with"
        " Last-Event-ID misses no alert and gets none twice."
    )
    schema = {"oneOf": [_ref("Alert"), _ref("Signal")]}
    return {"description": words, "content": {"text/event-stream": {"schema": schema}}}


def _parameter(name: str, words: str, kind: str, place: str = "query") -> Json:
    return {"name": name, "in": place, "description": words, "schema": {"type": kind}}
