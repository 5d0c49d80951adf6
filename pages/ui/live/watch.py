"""The pair in sight put into a list of watched ones, with its present settings."""

from analytics.pair import PairParams
from pages.ui.desk.watch_choice import add_button, choose_list, offered
from pages.ui.desk.watching import current_store, lists_with, pair_of, settings_words
from pages.ui.parts import plain


def offer(params: PairParams) -> None:
    """Offer to watch a pair, or say in which lists it is; nothing where this process has none."""
    store, pair = current_store(), pair_of(params)
    if store is None or pair is None:
        return
    names = lists_with(store, pair)
    label = "✓ Watched" if names else "Watch"
    with offered(label, key="watch_pair"):
        words = f"{pair.y} / {pair.x} with {settings_words(pair)}, thresholds and gates"
        if names:
            plain.caption(f"{words}: in {', '.join(names)}.")
        else:
            plain.caption(f"{words}: evaluated at each closed bar, with no page open.")
            name = choose_list(store, key="watch_pair_list")
            add_button("Watch this pair", store, name, [pair], key="watch_pair_add")
