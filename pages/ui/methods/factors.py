"""Methods of the Factors page: what symbols have in common, and what is left of each."""

from typing import Final

from pages.ui.methods.entry import Entry

FACTORS: Final = (
    Entry(
        "factors", "Factors, and how many stand out",
        "Portfolios that explain most of what all symbols do; the first one is as a rule the "
        "market. A factor stands out where it explains more than the same returns do with random "
        "signs.",
        r"\rho\,v^{(j)} = \lambda_j v^{(j)},\qquad F_{jt} = \sum_i "
        r"\frac{v_i^{(j)}}{\sigma_i} R_{it},\qquad \lambda_+ = \left(1+\sqrt{N/M}\right)^2",
        "Log returns of the sample, of the bars that all symbols know; a symbol that would cost "
        "the others more than a fifth of them takes no part, nor does one that ended more than 10 "
        "bars before the last.",
        "Marchenko and Pastur's edge λ₊ is that of unrelated Gaussian returns: where symbols share "
        "wild hours, unrelated ones exceed it most of the time. Random signs keep each bar's "
        "volatility: about 5 % of unrelated sets have a factor by them.",
        "Avellaneda & Lee (2010), Quant. Finance 10, 761-782; Marchenko & Pastur (1967); Hong, "
        "Sheng & Dobriban (2020).",
        "Factors",
    ),
    Entry(
        "s-score", "s-score and the paper's filter",
        "How far a symbol's residual stands from its level. The paper sells the symbol against its "
        "factors above 1.25, buys it below −1.25, and asks that the residual return within half "
        "the window.",
        r"X_{n+1} = a + b X_n + \zeta,\quad \kappa = -\ln b,\quad m = \frac{a}{1-b},\quad "
        r"\sigma_{eq} = \sqrt{\frac{\mathrm{Var}\,\zeta}{1-b^2}},\quad s = -\frac{m}{\sigma_{eq}}",
        "The residual returns of the window, summed up; m less its mean over all symbols. With "
        "drift: less α / (κ σ_eq).",
        "The residual is an Ornstein-Uhlenbeck process. It ends at 0 by construction, and so "
        "nearly every residual with nothing to return to passes the filter: the page counts them "
        "by giving all symbols' residuals of each bar one random sign, which keeps all but memory.",
        "Avellaneda & Lee (2010), appendix A.",
        "Factors",
    ),
    Entry(
        "residual-test", "p of a residual's return",
        "How likely so clear a return is where the residual has nothing to return to.",
        r"\varepsilon_t = c + \theta X_{t-1} + \sum_{i=1}^{p} \gamma_i \varepsilon_{t-i} + u_t,"
        r"\qquad \tau = \hat\theta / \mathrm{se}(\hat\theta)",
        "The residual returns of the window; p = 4 (n / 100)^(1/4) lags, which take noise of "
        "single bars off.",
        "Null hypothesis: the residual's returns have no memory. 20,000 draws of as many bars and "
        "factors; below 20 % also draws that keep the symbol's own volatility, and the larger p "
        "counts. 4 to 6 % of residuals without memory are below 5 %, of recorded minutes 5 to "
        "10 %. Of the returns whose half-life is a thirtieth of the window it finds about a third "
        "at 120 to 200 bars and more than half from 500 on; below 100 bars it seldom finds one.",
        "Schmidt & Phillips (1992), Oxford Bulletin 54, 257-287; Liu (1988), Annals of Statistics "
        "16, 1696-1708. Half-life: Andrews (1993), Econometrica 61, 139-165.",
        "Factors",
    ),
)  # fmt: skip
