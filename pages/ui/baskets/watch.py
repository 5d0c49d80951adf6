"""The basket in sight put into a list of what is watched, with its present settings."""

from analytics.baskets import BasketParams
from pages.ui.desk.watch_choice import add_button, choose_list, offered
from pages.ui.desk.watching import basket_of, current_store, lists_with
from pages.ui.parts import plain


def offer(params: BasketParams) -> None:
    """Offer to watch a basket, or say in which lists it is; nothing where this process has none."""
    store, basket = current_store(), basket_of(params)
    if store is None or basket is None:
        return
    names = lists_with(store, basket)
    label = "✓ Watched" if names else "Watch"
    with offered(label, key="watch_basket"):
        if names:
            plain.caption(f"{params.label} with these settings: in {', '.join(names)}.")
        else:
            plain.caption(
                f"{params.label} with these settings: read at each closed bar, with no page open, "
                "its weights fitted anew, p and half-life now and then."
            )
            name = choose_list(store, key="watch_basket_list")
            add_button("Watch this basket", store, name, [basket], key="watch_basket_add")
