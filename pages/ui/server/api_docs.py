"""The page that explains the API: the description as HTML, with no script and nothing foreign."""

from collections.abc import Mapping
from typing import Any, Final

from pages.ui.parts.markup import Html

_STYLE: Final = (
    ":root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}"
    "body{max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}"
    "code{font-family:ui-monospace,monospace}"
)
_EXAMPLE: Final = (
    'curl -H "Authorization: Bearer TOKEN" "http://127.0.0.1:8501/api/v1/alerts?since=0"'
)


def docs_page(document: Mapping[str, Any]) -> str:
    """Write the page of an OpenAPI document."""
    info, schemas = document["info"], document["components"]["schemas"]
    parts = [
        f"<h1>{Html.escape(info['title'])} API</h1>",
        f"<p>{Html.escape(info['description'])}</p>",
        f"<pre><code>{Html.escape(_EXAMPLE)}</code></pre>",
        '<p><a href="openapi.json">This description as OpenAPI</a></p>',
        *(_path(path, methods["get"]) for path, methods in document["paths"].items()),
        *(_schema(name, each) for name, each in schemas.items()),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{Html.escape(info['title'])} API</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _path(path: str, operation: Mapping[str, Any]) -> str:
    answer = operation["responses"]["200"]
    rows = [(each["name"], each["schema"]["type"], each["description"])
            for each in operation["parameters"]]  # fmt: skip
    return (
        f"<h2><code>GET {Html.escape(path)}</code></h2><p>{Html.escape(operation['summary'])}.</p>"
        f"<p>{Html.escape(answer['description'])} {_links(answer['content'])}</p>{_table(rows)}"
    )


def _links(content: Mapping[str, Any]) -> str:
    [schema] = [each["schema"] for each in content.values()]
    return " · ".join(_link(each) for each in schema.get("oneOf", [schema]))


def _link(schema: Mapping[str, Any]) -> str:
    name = Html.escape(_name(schema))
    return f'<a href="#{name}">{name}</a>'


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    rows = [
        (key, _kind(each), each.get("description", ""))
        for key, each in schema["properties"].items()
    ]
    return f'<h2 id="{Html.escape(name)}">{Html.escape(name)}</h2>{_table(rows)}'


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(
            _name(each) if "$ref" in each else each["type"] for each in schema["anyOf"]
        )
    if schema["type"] == "array":
        items = schema["items"]
        return f"array of {_name(items) if '$ref' in items else items['type']}"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(kinds)


def _table(rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    lines = (
        f"<tr><th scope=row><code>{Html.escape(name)}</code></th><td>{Html.escape(kind)}</td>"
        f"<td>{Html.escape(words)}</td></tr>"
        for name, kind, words in rows
    )
    return f"<table>{''.join(lines)}</table>"
