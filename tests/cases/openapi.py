"""Whether an answer is what an OpenAPI document says of it: the part of JSON Schema we use."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
KNOWN = {
    "$ref", "additionalProperties", "anyOf", "description", "enum", "format", "items", "oneOf",
    "properties", "required", "type",
}  # fmt: skip


def faults(document: Any, value: Any, schema: Any, where: str = "") -> Iterator[str]:
    """Say what is wrong with a value; nothing where all is as its schema says."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        yield from faults(document, value, document["components"]["schemas"][name], where)
    for choice in ("anyOf", "oneOf"):
        fitting = [
            not list(faults(document, value, each, where)) for each in schema.get(choice, ())
        ]
        if fitting and (not any(fitting) or (choice == "oneOf" and fitting.count(True) > 1)):
            yield f"{where}: fits {fitting.count(True)} of {choice}"
    if "type" in schema and not _is_of(value, schema["type"]):
        yield f"{where} = {value!r}: no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where} = {value!r}: not of {schema['enum']}"
    elif isinstance(value, str) and schema.get("format") == "date-time" and not _is_utc(value):
        yield f"{where} = {value!r}: no time in UTC"
    elif isinstance(value, dict):
        yield from _object_faults(document, value, schema, where)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from faults(document, each, schema["items"], f"{where}[{place}]")


def _object_faults(document: Any, value: Any, schema: Any, where: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in set(schema.get("required", ())) - set(value):
        yield f"{where}.{name} is missing"
    for name, each in value.items():
        if name in properties:
            yield from faults(document, each, properties[name], f"{where}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{where}.{name} is not described"


def _is_of(value: Any, kinds: str | list[str]) -> bool:
    names = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return "boolean" in names
    return isinstance(value, tuple(kind for name in names for kind in KINDS[name]))


def _is_utc(text: str) -> bool:
    return text.endswith("Z") and datetime.fromisoformat(text).utcoffset() is not None
