"""Methods of the pair: prices, spread, z-score, hedge ratio, correlation, signal."""

from typing import Final

from pages.ui.methods.entry import Entry

PAIR: Final = (
    Entry(
        "bars", "Bars and coverage",
        "Trades put into intervals of equal length. Each bar knows whether somebody traded "
        "(traded), provably nobody did (quiet: the last close stands), or trades are missing.",
        r"\text{bar}_t = \{\text{trades with } t \le \text{time} < t + \text{interval}\}",
        "All trades of the symbol, by the exchange's clock. A bar is closed once a later trade of "
        "the same symbol is in; only closed bars are used.",
        "Trade ids run without holes, so a missing id is a missing trade. Missing bars are left "
        "open, never carried.",
        "Binance's definition of a kline; the ledger of ids is this program's own.",
        "Live, Feed",
    ),
    Entry(
        "spread", "Spread",
        "What is traded: S1 against S2. It is cheap or dear only in relation to its own past.",
        r"""\begin{aligned}
        \text{price difference:}\quad & s_t = y_t - x_t \\
        \text{hedged:}\quad & s_t = y_t - (\alpha + \beta x_t) \\
        \text{log:}\quad & s_t = \ln y_t - (\alpha + \beta \ln x_t) \\
        \text{ratio:}\quad & s_t = y_t / x_t
        \end{aligned}""",
        "Closes of both legs at each bar of the range.",
        "Both closes are of the same time: where a leg seldom trades, its close is an older price. "
        "With ols, β has seen the whole range, so earlier values are in-sample.",
        "Vidyamurthy (2004), Pairs Trading; Chan (2013), Algorithmic Trading, ch. 2.",
    ),
    Entry(
        "z-score", "z-score",
        "How far the spread is from its rolling mean, counted in its rolling standard deviations.",
        r"z_t = \frac{s_t - \bar s_t}{\sigma_t},\qquad "
        r"\sigma_t^2 = \frac{1}{w-1}\sum_{i=0}^{w-1}(s_{t-i} - \bar s_t)^2",
        "The latest w closed bars, the current one among them (the rolling window). It needs all w "
        "of them; at the beginning of the range they are bars before it.",
        "The mean stays where it was. In a trend of the spread z is large for long and means "
        "little. A window without movement gives no z.",
        "Standard; ddof 1 as in pandas.",
    ),
    Entry(
        "signal", "Signal",
        "SELL the spread (sell S1, buy S2) where z is high, BUY it where z is low, NEUTRAL "
        "between, or while a gate is closed or z is not known.",
        r"""\text{signal}_t = \begin{cases}
        \text{SELL} & z_t > \text{upper} \\ \text{BUY} & z_t < \text{lower} \\
        \text{NEUTRAL} & \text{otherwise} \end{cases}""",
        "The z-score of each closed bar. Thresholds: +2 and 0, +2 and −2, or your own.",
        "No cost is counted, and it is no advice: a statement about z.",
        "Gatev, Goetzmann & Rouwenhorst (2006), Review of Financial Studies 19, 797-827.",
    ),
    Entry(
        "size", "Size of a BUY or SELL",
        "How much of each leg to buy and sell, so that the position is the spread itself and both "
        "legs together cost no more than the capital (sidebar). Where β is negative both legs are "
        "on one side.",
        r"""\begin{aligned}
        \text{price difference:}\quad & q_y = q_x = \tfrac{C}{p_y + p_x} \\
        \text{hedged:}\quad & q_y = \tfrac{C}{p_y + |\beta| p_x},\quad q_x = |\beta| q_y \\
        \text{log:}\quad & q_y p_y = \tfrac{C}{1 + |\beta|},\quad q_x p_x = |\beta|\, q_y p_y \\
        \text{ratio:}\quad & q_y p_y = q_x p_x = \tfrac{C}{2}
        \end{aligned}""",
        "Closes and β at the bar of the signal; the exchange's lot steps, asked for once at the "
        "start. Each quantity is rounded down to its step; a file has none, and eight digits "
        "stand.",
        "Both legs are filled at these closes. Rounding to lots leaves the legs a little out of "
        "proportion, the more the smaller the capital.",
        "This program's own; LOT_SIZE and NOTIONAL as Binance defines them.",
    ),
    Entry(
        "gates", "Gates",
        "Conditions that must hold before a z-score becomes a signal: a leg that is stale, a "
        "window with holes, too few bars, a p-value or a half-life that speaks against the pair.",
        "",
        "At each bar, what was known then: the trailing window for coverage; for the tests ten "
        "windows and a line of their own, whatever hedge draws the spread.",
        "The half-life gate opens only where the p-value shows a return: on ten windows an "
        "unrelated walk has a half-life shorter than one. A closed gate says NEUTRAL with its "
        "reason; it never turns a BUY into a SELL.",
        "This program's own.",
        "Live, Evidence",
    ),
    Entry(
        "hedge-ratio", "Hedge ratio β",
        "How many S2 stand against one S1, so that what both have in common cancels out.",
        r"y_t = \alpha + \beta x_t + \varepsilon_t,\qquad "
        r"\hat\beta = \frac{\sum (x_t - \bar x)(y_t - \bar y)}{\sum (x_t - \bar x)^2}",
        "All known closed bars of the range, 120 at least (ols); rolling, expanding and Kalman "
        "methods give β at each bar from bars up to it.",
        "One line holds over the range. The error shown beside β allows for residuals that are "
        "related in time: see the 95 % interval of β.",
        "Engle & Granger (1987), Econometrica 55, 251-276.",
        "Live, Evidence",
    ),
    Entry(
        "kalman", "Kalman filter",
        "β still or slow, and a rest that returns: z is the level of that rest, in the deviation "
        "that the filter gives its estimate. On walks, or with Chan's δ and Ve, z is the news of "
        "one bar instead.",
        r"\begin{aligned} y_t &= \alpha + \beta_t x_t + m_t,\quad \beta_t = \beta_{t-1} + w_t \\"
        r" m_t &= \phi\, m_{t-1} + \gamma\,\Delta x_t + \varepsilon_t,\qquad"
        r" z_t = m_{t|t} / \sigma_t \end{aligned}",
        "All bars so far at each bar. φ and the variances by maximum likelihood on the first 200 "
        "bars, anew at 400, 800 .. up to 4,000; w only where it pays (BIC), and for at most half "
        "of the moves of the rest. Its line says which model was taken, and when it is at that "
        "bound or the rest does not return.",
        "Shocks are normal; γ takes up what those of both legs have in common. An interval of β "
        "takes φ and the variances as known: 92 % of simulated ones hold a fixed β, 60 to 75 % one "
        "that drifts (500 bars). On walks and in Chan's form none is given.",
        "Clegg & Krauss (2018), Quantitative Finance 18, 121-138; Harvey (1989), ch. 3; Chan "
        "(2013), ch. 3.",
        "Live, Evidence",
    ),
    Entry(
        "r-squared", "R²",
        "Share of the movement of S1 that the line explains. Two prices that merely drift have a "
        "high one too.",
        r"R^2 = 1 - \frac{\sum \hat\varepsilon_t^2}{\sum (y_t - \bar y)^2}",
        "The bars of the hedge ratio.",
        "On prices it proves nothing by itself: see Cointegration p.",
        "Granger & Newbold (1974), J. Econometrics 2, 111-120.",
    ),
    Entry(
        "beta-path", "β path and band",
        "Whether β holds still. A path that leaves its own band says that the relation changes.",
        r"\hat\beta_k \pm 1.96\,\mathrm{se}(\hat\beta_k)",
        "Trailing windows of a fifth of the range, 50 bars at least; or each bar, for a method "
        "with a path of its own.",
        "Within each window one line holds. A path's own errors are widened by the memory of the "
        "residual in its last window.",
        "Errors as in the 95 % interval of β.",
        "Live, Evidence",
    ),
    Entry(
        "correlation", "Correlation",
        "How alike the two move from bar to bar, from −1 to +1. High correlation is not "
        "cointegration: two can move alike and still drift apart.",
        r"\rho_t = \frac{\sum (r^y - \bar r^y)(r^x - \bar r^x)}"
        r"{\sqrt{\sum (r^y - \bar r^y)^2 \sum (r^x - \bar r^x)^2}},"
        r"\qquad r_t = \ln \frac{p_t}{p_{t-1}}",
        "Log returns of the latest w bars (the rolling window), w + 1 closes.",
        "Legs trade at about the same moments; else it reads too low (Epps effect).",
        "Pearson (1895); Epps (1979), JASA 74, 291-298.",
    ),
    Entry(
        "half-life", "Half-life",
        "Time in which half of a deviation of the spread is gone, if it returns at all.",
        r"\Delta s_t = c + \theta s_{t-1} + \varepsilon_t,\qquad h = -\frac{\ln 2}{\theta}",
        "The spread at all known bars of the range, the latest 120 at least; where it has an "
        "estimated β, whatever its method, the residual of one least-squares line over them.",
        "The spread returns at one steady rate. A random walk has a finite half-life too, so it is "
        "shown only where Engle-Granger (ADF without β) rejects one; else the bars at which a "
        "return as slow is found in 80 % of samples: 34 half-lives at 5 % (28 without β). The "
        "estimate reads short (at 300 bars and a true 13.9 by a sixth, of an estimated line by a "
        "quarter, among pairs picked for p < 5 % by nearly half); the median-unbiased one and the "
        "95 % interval allow for it, but not for noise of single bars, which shortens them all.",
        "Chan (2013), Algorithmic Trading, ch. 2; Ornstein & Uhlenbeck (1930); interval Andrews "
        "(1993), Econometrica 61, 139-165; power simulated.",
        "Live, Evidence",
    ),
    Entry(
        "leg-statistics", "Statistics per leg",
        "What each leg did over the range: closes, log returns, volume, and how much of it was "
        "really traded.",
        r"g_1 = \frac{m_3}{m_2^{3/2}},\qquad G_1 = \frac{\sqrt{n(n-1)}}{n-2}\,g_1",
        "Known closed bars; no return is taken across a missing one.",
        "Standard deviations with ddof 1; skew and excess kurtosis adjusted for small samples.",
        "Joanes & Gill (1998), The Statistician 47, 183-189.",
    ),
    Entry(
        "residuals", "Residual diagnostics",
        "Whether the spread's deviations look like noise: their distribution, their quantiles "
        "against a normal one, and how long one lasts.",
        r"\hat\rho_k = \frac{\sum_t e_t e_{t-k}}{\sum_t e_t^2},\qquad \pm\frac{1.96}{\sqrt n}",
        "The spread less its mean, all known bars of the range, the latest 120 at least.",
        "The band is for unrelated values; a spread that returns slowly lies far outside it, and "
        "that is no fault.",
        "Box & Jenkins (1970), Time Series Analysis.",
    ),
)  # fmt: skip
