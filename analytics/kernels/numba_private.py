"""Names that numba does not promise, in one guarded place; a test tells when they are gone."""

from typing import Any

from numba import types


def compile_once_per_type(dispatcher: Any) -> Any:
    """Let a call with a constant in it take the code for any value of that type.

    Between kernels numba passes a literal as a type of its own, and compiles all that is below the
    call once more for it: up to four times the same code here. Where the names are gone, that time
    is lost and nothing else.
    """
    template_of = getattr(dispatcher, "get_call_template", None)
    plain = getattr(types, "unliteral", None)
    if template_of is None or plain is None:
        return dispatcher

    def get_call_template(args: Any, kws: Any) -> Any:
        """As numba's own, with the type of each literal in its place."""
        return template_of(
            tuple(map(plain, args)), {name: plain(kind) for name, kind in kws.items()}
        )

    dispatcher.get_call_template = get_call_template
    return dispatcher
