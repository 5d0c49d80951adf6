"""Methods of the scanner and the backtest: many pairs, and what a rule would have earned."""

from typing import Final

from pages.ui.methods.entry import Entry

SCAN: Final = (
    Entry(
        "scan", "Scan of all pairs",
        "Every pair of the symbols tested on one part of the data, and those found looked at again "
        "on the part after it.",
        "",
        "Closes of all symbols at the interval and range of the header; the later part is held "
        "out.",
        "The held-out part was not looked at before. Pairs that share a leg are not independent.",
        "Each pair by Engle-Granger, as on the Evidence page.",
        "Scanner",
    ),
    Entry(
        "q-value", "q-value (Benjamini-Hochberg)",
        "The share of false finds to expect among all pairs that look at least as good. With 190 "
        "pairs a p-value of 0.05 alone means nothing: about ten reach it by chance.",
        r"q_{(i)} = \min_{j \ge i} \frac{m\,p_{(j)}}{j}",
        "The p-values of all m pairs tested.",
        "Tests independent, or positively dependent as those of pairs with a leg in common.",
        "Benjamini & Hochberg (1995), JRSS B 57, 289-300; Benjamini & Yekutieli (2001).",
        "Scanner",
    ),
    Entry(
        "bonferroni", "Corrected p-value (Bonferroni)",
        "The chance of even one false find among all pairs.",
        r"p^\ast = \min(m\,p, 1)",
        "The p-values of all m pairs tested.",
        "None about how the tests depend on each other; strict.",
        "Dunn (1961), JASA 56, 52-64.",
        "Scanner",
    ),
    Entry(
        "holdout", "Verdict on the held-out part",
        "holds: the spread returned, and around the earlier level. shifted: it returned around "
        "another one. unproven: it came back without proof, and the bars are named at which a "
        "return of this half-life is found in 80 % of samples. broke: neither.",
        r"n_{80\%} = \frac{19.3}{1 - 2^{-1/h}} \quad (\text{ADF, 5 \%})",
        "Bars after those the pair was found on, with β and level from before.",
        "The held-out part is long enough to cross the level at all.",
        "This program's own; ADF with a given β, Dickey & Fuller (1979).",
        "Scanner",
    ),
)  # fmt: skip
BACKTEST: Final = (
    Entry(
        "net-profit", "Net profit and costs",
        "What the rule would have earned, with fees, half the spread of the quotes, slippage and "
        "funding taken off each fill.",
        r"\text{net} = \text{gross} - \text{fees} - \text{half spread} - \text{slippage} - "
        r"\text{funding}",
        "Closed bars of the range; a signal is traded at the bar after it.",
        "Fills at the price assumed, both legs at once, and no order that moves the market beyond "
        "the slippage.",
        "This program's own ledger of trades.",
        "Backtest",
    ),
    Entry(
        "sharpe", "Sharpe ratio and its interval",
        "Profit for the risk taken. The interval says how little a short history tells.",
        r"S = \frac{\bar r}{\sigma_r}\sqrt{N},\qquad N = \text{bars in 365 days}",
        "Net returns of all bars, those without a position too.",
        "The past repeats itself. The interval resamples blocks of bars, so that clusters stay.",
        "Sharpe (1994); Ledoit & Wolf (2008), Journal of Empirical Finance 15, 850-859.",
        "Backtest",
    ),
    Entry(
        "sortino", "Sortino ratio",
        "As Sharpe, counting only losses as risk.",
        r"\frac{\bar r}{\sqrt{\frac1n\sum\min(r_t,0)^2}}\sqrt N",
        "Net returns of all bars.",
        "As for the Sharpe ratio.",
        "Sortino & Price (1994), Journal of Investing 3(3), 59-64.",
        "Backtest",
    ),
    Entry(
        "psr", "Probabilistic Sharpe ratio",
        "The chance that the true Sharpe ratio is above 0, given skew and fat tails.",
        r"\Phi\!\left(\frac{(\hat S - S_0)\sqrt{n-1}}"
        r"{\sqrt{1-\gamma_3\hat S+\frac{\gamma_4-1}{4}\hat S^2}}\right)",
        "Net returns of all bars.",
        "Returns unrelated from bar to bar: where they are not, it is too sure.",
        "Bailey & López de Prado (2012), Journal of Risk 15(2), 3-44.",
        "Backtest",
    ),
    Entry(
        "deflated-sharpe", "Deflated Sharpe ratio",
        "The same chance, against the best that so many worthless settings would have shown.",
        r"S_0 = \sqrt{V}\left[(1-\gamma)\Phi^{-1}\!\left(1-\tfrac1m\right)+"
        r"\gamma\Phi^{-1}\!\left(1-\tfrac1{me}\right)\right]",
        "Sharpe ratios of all settings tried that differ; V is their variance, m their number as "
        "unrelated ones: ρ̄ + (1 − ρ̄) × their number, ρ̄ the mean correlation of their profits.",
        "Tries of other days, which nobody counts, are none.",
        "Bailey & López de Prado (2014), Journal of Portfolio Management 40(5), 94-107.",
        "Backtest",
    ),
    Entry(
        "superior-settings", "Superior predictive ability, step-down",
        "Whether the best of all settings, and which of them, earn more than luck gives the best "
        "of so many.",
        r"T = \max_k \frac{\sqrt n\,\bar d_k}{\hat\omega_k}",
        "Net returns of every setting over the training part, resampled together in blocks.",
        "Null hypothesis: no setting earns more than nothing after its costs. The part is long "
        "against its blocks.",
        "Hansen (2005), JBES 23(4), 365-380; Romano & Wolf (2005), Econometrica 73(4), 1237-1282.",
        "Backtest",
    ),
    Entry(
        "drawdown", "Deepest drawdown",
        "The worst fall from a high, and how long it took to be made good.",
        r"\min_t\left(\frac{E_t}{\max_{u\le t}E_u}-1\right)",
        "Equity after each bar.",
        "Seen at bar closes only: inside a bar it was deeper.",
        "Magdon-Ismail & Atiya (2004), Risk 17(10), 99-102.",
        "Backtest",
    ),
    Entry(
        "trades", "Hit rate, profit factor, turnover, exposure",
        "Share of trades that won; money won over money lost; money traded over the capital; share "
        "of bars with a position.",
        r"\text{profit factor} = \frac{\sum_{\text{net}>0}\text{net}}"
        r"{\left|\sum_{\text{net}<0}\text{net}\right|}",
        "The trades of the range; the number of trades is the sample.",
        "Few trades say little, whatever the rate.",
        "Pardo (2008), The Evaluation and Optimization of Trading Strategies.",
        "Backtest",
    ),
    Entry(
        "break-even", "Break-even cost and capacity",
        "The cost of a fill, and the money in both legs, at which nothing would be left.",
        r"c^\ast = \frac{\text{gross} - \text{funding}}{\text{money traded}},\qquad "
        r"K = \text{notional}\left(\frac{\text{gross} - \text{other costs}}"
        r"{\text{slippage}}\right)^{1/p}",
        "The trades of the range.",
        "Slippage grows with the size as the p-th power.",
        "This program's own.",
        "Backtest",
    ),
    Entry(
        "entries-that-pay", "Entries that pay",
        "From how far out a way back to the mean is longer than its costs, and where it earns most "
        "a bar, waiting counted.",
        r"\max_a \frac{a\,\sigma - c}{\tfrac{\pi}{2}\,\tau\,"
        r"\operatorname{erfi}(a/\sqrt2)},\qquad \tau=\frac{h}{\ln 2}",
        "The residual's standard deviation σ and median-unbiased half-life h; c is the cost of the "
        "four fills of a trade at the fees chosen on Backtest. Said only where a return is shown.",
        "The residual is an Ornstein-Uhlenbeck process that goes on as fitted; it is traded at "
        "every price, and both ways, out at the mean.",
        "Bertram (2010), Physica A 389, 2234-2243; Zeng & Lee (2014), Quant. Finance 14, "
        "1881-1893.",
        "Live",
    ),
    Entry(
        "permutation", "Permutation of a leg",
        "How often the rule earns as much on legs that have nothing to do with each other.",
        r"p = \frac{1 + \#\{S_k \ge S\}}{1 + K}",
        "S2 with its returns put into another order, block by block, K times.",
        "Null hypothesis: the profit before costs does not come from the legs' relation.",
        "Politis & Romano (1994), JASA 89, 1303-1313; Good (2005), ch. 3.",
        "Backtest",
    ),
)  # fmt: skip
