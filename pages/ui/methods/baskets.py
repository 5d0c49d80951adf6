"""Methods of the baskets: weights, the test that allows for their search, the half-life."""

from typing import Final

from pages.ui.methods.entry import Entry

BASKETS: Final = (
    Entry(
        "baskets", "Basket: weights, spread, signal",
        "Three to eight symbols as one spread: the weighted sum of their log prices, its mean "
        "taken off. The first symbol has weight 1; a weight is the money in a leg over the money "
        "in the first, bought where above 0 when the basket is bought. z and signal are made of "
        "the spread as of a pair's.",
        r"s_t = \sum_{i=1}^{k} w_i \ln p_{i,t} - \bar{s}, \qquad w_1 = 1",
        "Weights: all known bars of the range at once, so that spread, z and signal before the "
        "latest bar know what came after them. z: the trailing window.",
        "The relation is one and the same over the range.",
        "Johansen (1991), Econometrica 59, 1551-1580; Box & Tiao (1977), Biometrika 64, 355-365; "
        "d'Aspremont (2011), Quantitative Finance 11, 351-364.",
        "Baskets",
    ),
    Entry(
        "baskets-test", "Basket: p-value",
        "Of all combinations of the symbols the weights are those that look most like a return, "
        "and random walks with nothing in common have such a combination too. The p-value is the "
        "share of such walks, searched in the same way, that give as much: the trace statistic for "
        "Johansen's weights, the Dickey-Fuller statistic of the spread for the other two.",
        r"p = P\left(\text{statistic of the search on } k \text{ unrelated walks} \ge "
        r"\text{that seen}\right)",
        "The bars that the weights stand on.",
        "Shocks of even size for the tables. Up to 5,000 bars 199 baskets are drawn with the "
        "volatility of these bars too, each bar's changes with a new sign common to all legs: the "
        "larger p counts. Of more bars it is the tables' alone: where volatility moves, unrelated "
        "legs are below the level more often than it says.",
        "Simulated tables; wild bootstrap of Cavaliere, Rahbek & Taylor (2010), Econometric Theory "
        "26, 1719-1760; Johansen (1991), Econometrica 59, 1551-1580; Dickey & Fuller (1979), "
        "JASA 74, 427-431.",
        "Baskets",
    ),
    Entry(
        "baskets-half-life", "Basket: half-life",
        "Bars in which half of a deviation is gone, and an interval that allows for the search for "
        "the weights. Not shown where the p-value is not below the level: unrelated walks have a "
        "short half-life too once weights are searched for.",
        r"\Delta s_t = c + \theta s_{t-1} + \varepsilon_t, \qquad h = -\frac{\ln 2}{\theta}",
        "The bars that the weights stand on.",
        "The spread is of first order: noise of single bars makes it too short.",
        "Chan (2013), Algorithmic Trading, ch. 2; interval after Andrews (1993), Econometrica 61, "
        "139-165, with tables of the same search.",
        "Baskets",
    ),
    Entry(
        "baskets-lots", "Basket: quantities",
        "The capital divided by the weights at the latest closes, each quantity rounded down to "
        "the exchange's lot step. What the rounding adds is measured on the bars of the sample: "
        "the standard deviation of the moves that the errors of the weights make, a bar, over that "
        "of the spread's own moves.",
        r"q_i = \left\lfloor \frac{|w_i|}{\sum_j |w_j|} \cdot \frac{C}{p_i \, \ell_i} "
        r"\right\rfloor \ell_i, \qquad \frac{\operatorname{sd}(\Delta \sum_i e_i \ln p_i)}"
        r"{\operatorname{sd}(\Delta s)}",
        "The latest closed bar; what the rounding adds: the bars that the weights stand on.",
        "Orders are filled at those closes.",
        "This program's own.",
        "Baskets",
    ),
)  # fmt: skip
