"""Methods of the tests: does the pair keep together, on how much data, and how stable is it."""

from typing import Final

from pages.ui.methods.entry import Entry

BOTH: Final = "Live, Evidence"
ONLY: Final = "Evidence"

TESTS: Final = (
    Entry(
        "engle-granger", "Cointegration p (Engle-Granger)",
        "How likely such a close relation is where none exists. Small means that the two keep "
        "together; it is made for a β that was estimated from the same prices.",
        r"\Delta\hat\varepsilon_t = \theta\hat\varepsilon_{t-1} + "
        r"\sum_{i=1}^{p}\gamma_i\Delta\hat\varepsilon_{t-i} + u_t,\qquad "
        r"\tau = \hat\theta / \mathrm{se}(\hat\theta)",
        "All known bars of the range, the latest 120 at least; lags by AIC. Both orderings are "
        "shown, the dependent leg named first.",
        "Null hypothesis: no fixed ratio keeps the two together. Prices are integrated of order "
        "one. The smaller of the two orderings is below 5 % in about 10 % of unrelated pairs.",
        "Engle & Granger (1987), Econometrica 55, 251-276; p-values MacKinnon (1994, 2010).",
        BOTH,
    ),
    Entry(
        "wild-bootstrap", "Cointegration p, volatile (wild bootstrap)",
        "The same question where volatility comes and goes: how often would such a close relation "
        "show in pairs without one, if each bar kept its own volatility? In calm markets it agrees "
        "with the table's p; in wild ones that is far too small.",
        r"\Delta y^\ast_t = w_t\,\Delta y_t,\quad \Delta x^\ast_t = w_t\,\Delta x_t,\quad "
        r"w_t = \pm 1,\qquad p = \frac{1 + \#\{\tau^\ast \le \tau\}}{1 + B}",
        "As Engle-Granger; up to 999 draws on Evidence. In a scan for the rows that decide, 199 "
        "draws and 1,999 near the border, placed on the scale of MacKinnon's p by their median and "
        "the spread of their lower half: many pairs need p-values below one in the draws.",
        "Null hypothesis: no fixed ratio keeps the two together. Changes whose signs say nothing "
        "about each other beyond the lags of the test.",
        "Cavaliere, Rahbek & Taylor (2010), Econometric Theory 26, 1719-1760, and (2014), "
        "Econometric Reviews 33, 606-650.",
        "Evidence, Scanner",
    ),
    Entry(
        "adf", "ADF test of the spread",
        "Whether the spread returns to a mean.",
        r"\Delta s_t = c + \theta s_{t-1} + \sum_{i=1}^{p}\gamma_i\Delta s_{t-i} + u_t,"
        r"\qquad \tau = \hat\theta / \mathrm{se}(\hat\theta)",
        "The spread at all known bars of the range, the latest 120 at least; with an estimated β, "
        "whatever its method, the residual of one least-squares line over them. Lags by AIC.",
        "Null hypothesis: a unit root. Where β is estimated MacKinnon's values for two variables "
        "count: the usual p-value, shown beside, rejects a true null 15 % of the time at 5 %.",
        "Dickey & Fuller (1979), JASA 74, 427-431; p-values MacKinnon (1994, 2010).",
        BOTH,
    ),
    Entry(
        "kpss", "KPSS",
        "The opposite question: here stationarity is the null hypothesis.",
        r"\eta = \frac{1}{n^2\hat\lambda^2}\sum_{t=1}^{n} S_t^2,\qquad S_t = \sum_{i\le t} e_i",
        "The spread at all known bars.",
        "A small p-value speaks against a spread that returns. The long-run variance uses Bartlett "
        "weights; with an estimated β the values are Shin's.",
        "Kwiatkowski, Phillips, Schmidt & Shin (1992), J. Econometrics 54, 159-178; Shin (1994), "
        "Econometric Theory 10, 91-115.", ONLY,
    ),
    Entry(
        "phillips-perron", "Phillips-Perron",
        "As ADF, with the autocorrelation taken care of by a correction in place of lags.",
        r"Z_\tau = \sqrt{\hat\gamma_0/\hat\lambda^2}\,\tau - "
        r"\frac{(\hat\lambda^2-\hat\gamma_0)\,n\,\mathrm{se}(\hat\theta)}{2\hat\lambda\,\hat\sigma}",
        "As ADF, in one unbroken run.",
        "Null hypothesis: a unit root; p-values as ADF.",
        "Phillips & Perron (1988), Biometrika 75, 335-346.", ONLY,
    ),
    Entry(
        "phillips-ouliaris", "Phillips-Ouliaris",
        "As Engle-Granger, with a correction in place of lags.", r"\hat Z_\tau",
        "Both legs at all known bars.",
        "Null hypothesis: no fixed ratio keeps the two together.",
        "Phillips & Ouliaris (1990), Econometrica 58, 165-193.", ONLY,
    ),
    Entry(
        "johansen", "Johansen",
        "Cointegration without choosing which leg depends on which.",
        r"\lambda_{\text{trace}}(r) = -n\sum_{i>r}\ln(1-\hat\lambda_i),\qquad "
        r"\lambda_{\max}(r) = -n\ln(1-\hat\lambda_{r+1})",
        "Both legs at all known bars, one lagged difference.",
        "Null hypothesis of each row: at most r relations. r ≤ 0 rejected and r ≤ 1 not: one "
        "relation, a pair. Errors without autocorrelation; prices without drift, for which the "
        "usual tables find a relation between 11 % of unrelated pairs.",
        "Johansen (1991), Econometrica 59, 1551-1580; Johansen & Juselius (1990), table A2.", ONLY,
    ),
    Entry(
        "variance-ratio", "Variance ratio",
        "Below 1 the spread takes steps back, as one that returns does; a random walk has 1.",
        r"VR(q) = \frac{\mathrm{Var}(s_t - s_{t-q})}{q\,\mathrm{Var}(s_t - s_{t-1})}",
        "Changes of the spread at all known bars.",
        "Null hypothesis: the spread's changes are unrelated; heteroskedasticity allowed.",
        "Lo & MacKinlay (1988), Review of Financial Studies 1, 41-66.", ONLY,
    ),
    Entry(
        "hurst", "Hurst exponent",
        "Below 0.5 the spread turns back, at 0.5 it is a random walk, above 0.5 it trends.",
        r"\mathrm{Var}(s_{t+k} - s_t) \propto k^{2H}",
        "The spread at all known bars, lags of several lengths.",
        "One power law holds over all lags. With an estimated β the p-value allows for the 0.3 "
        "errors by which two unrelated walks lie below 0.5.",
        "Hurst (1951); errors by Richardson & Stock (1989), J. Fin. Econ. 25, 323-348.", ONLY,
    ),
    Entry(
        "hedge-methods", "Hedge ratios by twelve methods",
        "The same β by other means: where they disagree, β depends on the method and not on the "
        "market.",
        r"""\begin{aligned}
        \text{TLS:}\quad & \min \textstyle\sum d_\perp^2 \\
        \text{Huber:}\quad & \min \textstyle\sum \rho_{1.345}(\varepsilon_t/\hat\sigma) \\
        \text{Theil-Sen:}\quad & \operatorname{med}\tfrac{y_i-y_j}{x_i-x_j} \\
        \text{Kalman on walks:}\quad & y_t = \alpha_t + \beta_t x_t + v_t,\
        \alpha_t = \alpha_{t-1} + u_t,\ \beta_t = \beta_{t-1} + w_t
        \end{aligned}""",
        "All known bars of the range, or at each bar those up to it.",
        "Each row names its own, with its kind of error.",
        "Golub & Van Loan (1980); Huber (1981); Sen (1968); Kalman (1960); Stock & Watson (1993); "
        "Phillips & Hansen (1990); "
        "Johansen (1991).", ONLY,
    ),
    Entry(
        "hac", "95 % interval of β",
        "The range of β that counts that residuals of prices remember: few of their bars are news.",
        r"\hat\beta \pm 1.96\,\frac{\hat\sigma}{1-\hat\rho}"
        r"\Big/\sqrt{\textstyle\sum (x_t-\bar x)^2}",
        "The bars of the hedge ratio; σ̂ and ρ̂, the sum of the coefficients, of an autoregression "
        "of the residual, lags by AIC, ρ̂ corrected for its bias.",
        "The relation exists; on unrelated random walks no interval is right. Where the legs' "
        "shocks correlate 0.5, OLS holds the truth in 91 % of samples of 500 bars with ρ 0.9 and "
        "of 200 with ρ 0.97; noise of single bars on top, half as large, costs 4 points. "
        "A rolling line's 60 bars: 85 %.",
        "Berk (1974), Ann. Stat. 2, 489-502; Perron & Ng (1998), Econometric Theory 14, 560-603; "
        "Johansen: likelihood ratio; Theil-Sen: Hamed & Rao (1998), J. Hydrol. 204, 182-196.", ONLY,
    ),
    Entry(
        "stability", "Stability",
        "β, p-value and half-life in windows that trail, and in how many of them the pair held "
        "together.",
        "",
        "40 windows of a fifth of the range, 50 bars at least; windows overlap.",
        "On unrelated legs a share of the windows as large as the level shows cointegration by "
        "chance.",
        "Each window by the tests above.", BOTH,
    ),
    Entry(
        "cusum", "CUSUM break test",
        "Whether one line held over the whole range, and where it likeliest broke.",
        r"\max_t \frac{\left|\sum_{i\le t}\hat\varepsilon_i\right|}{\sqrt n\,\hat\omega}",
        "The residuals at all known bars.",
        "Null hypothesis: one line holds, with residuals that return to 0.",
        "Xiao & Phillips (2002), J. Econometrics 108, 43-61; quantiles simulated.", ONLY,
    ),
    Entry(
        "zscore-distribution", "Distribution of z",
        "How often z is beyond the thresholds, beside what the process fitted to the spread and a "
        "random walk would give.",
        r"s_t = c + \phi s_{t-1} + u_t,\qquad z_t = (s_t - \bar s_t)/\hat\sigma_t",
        "Known z-scores of the range. The fitted process is a Gaussian autoregression of the "
        "spread as drawn, simulated over 2,000 windows' worth of bars (100,000 to 1,000,000), z "
        "by the same window; for a filter's own scale a normal distribution.",
        "A trailing z is no normal number: that of a walk is beyond ±2 in 14 % of bars at 60 bars, "
        "where a normal one is in 5 %. The fit describes; it is no evidence of a return.",
        "Uhlenbeck & Ornstein (1930), Physical Review 36, 823-841.", BOTH,
    ),
    Entry(
        "zscore-forecast", "What z foretells",
        "Whether z says where the spread goes over the next half-life, on bars that nothing was "
        "fitted on.",
        r"s_{t+h} - s_t = a + b z_t + e_{t,h},\qquad "
        r"\mathrm{se}(\hat b) = \frac{\sqrt{\sum_t \left(\Delta s_{t+1}"
        r"\sum_{i=0}^{h-1} \tilde z_{t-i}\right)^2}}{\sum_t \tilde z_t^2}",
        "β and the half-life h by one least-squares line of the first half of the bars (the latest "
        "20,000 at most), h a tenth of the second half at most; slope and R² of the second half.",
        "Null hypothesis: no past value foretells a move. Changes overlap, hence Hodrick's errors. "
        "Even a walk's slope is more often below zero than not, since z and change share one "
        "sample; so the p-value is by 399 walks of the pair's own moves, each bar's with one "
        "random sign for both legs, everything computed again.",
        "Hodrick (1992), Rev. Fin. Studies 5, 357-386; Stambaugh (1999), J. Fin. Econ. 54, "
        "375-421; wild bootstrap: Liu (1988), Annals of Statistics 16, 1696-1708.", BOTH,
    ),
    Entry(
        "gregory-hansen", "Gregory-Hansen",
        "Whether a relation is there although its line shifted once, and when it likeliest did.",
        r"\min_{\tau}\ \mathrm{ADF}\!\left(y_t - \hat\alpha_1 - \hat\alpha_2\,\mathbf 1\{t\ge\tau\}"
        r" - \hat\beta x_t\right)",
        "Both legs at all known bars; 400 dates at most in the middle 70 % of them. One lag or "
        "more by BIC, the same at all dates.",
        "Null hypothesis: no relation, not even one that shifts once. A rejection proves no shift: "
        "a line that never shifts is found too; where volatility clusters so are 8 % of unrelated "
        "walks at 5 %. Critical values at 5 %: −4.61 (C, level), −4.99 (C/T, about a "
        "trend), −4.95 (C/S, level and slope).",
        "Gregory & Hansen (1996), J. Econometrics 70, 99-126, table 1.", ONLY,
    ),
    Entry(
        "error-correction", "Error correction",
        "Which leg moves to close a gap between the two: the one that gives way follows, the other "
        "leads.",
        r"\begin{aligned}\Delta y_t &= a\,g_{t-1} + \dots,\quad \Delta x_t = b\,g_{t-1} + \dots,"
        r"\quad g = y - \hat\alpha - \hat\beta x \\ \text{closes:}\quad & -a\ \text{and}\ "
        r"\hat\beta b\end{aligned}",
        "All known bars; lags of both legs by BIC, 0 to 10.",
        "Said only where Engle-Granger rejects: loadings of unrelated walks are large. One fixed "
        "line; errors allow for unequal variances (HC3).",
        "Engle & Granger (1987), Econometrica 55, 251-276; MacKinnon & White (1985).", ONLY,
    ),
    Entry(
        "price-leadership", "Permanent component and information share",
        "How much of the price that lasts is made in each leg.",
        r"\begin{aligned}\text{Gonzalo-Granger:}\quad & \gamma_y = "
        r"\tfrac{\hat\beta b}{\hat\beta b - a},\quad \gamma_x = 1 - \gamma_y "
        r"\\ \text{Hasbrouck:}\quad & \mathrm{IS}_j = "
        r"\tfrac{([\gamma^\top F]_j)^2}{\gamma^\top \Omega \gamma},\quad F F^\top = \Omega"
        r"\end{aligned}",
        "As error correction; Ω is the covariance of the shocks of y and of β·x.",
        "The relation is there. Hasbrouck's share has two values, the leg first and last in the "
        "Cholesky order: what moves both in one bar goes to the first.",
        "Gonzalo & Granger (1995), J. Business & Economic Statistics 13, 27-35; Hasbrouck (1995), "
        "J. Finance 50, 1175-1199; Baillie et al. (2002), J. Financial Markets 5, 309-321.", ONLY,
    ),
    Entry(
        "m-tar", "M-TAR",
        "Whether a gap closes faster while it rises than while it falls.",
        r"\Delta g_t = \rho_1 I_t\,g_{t-1} + \rho_2 (1 - I_t)\,g_{t-1} + \sum_i\gamma_i\Delta "
        r"g_{t-i} + u_t,\qquad I_t = \mathbf 1\{\Delta g_{t-1}\ge\tau\}",
        "All known bars; τ by least squares over the middle 70 % of the changes; one lag or more "
        "by BIC.",
        "Φ: no relation at either speed, by values simulated for two unrelated walks. F of equal "
        "speeds: by a wild bootstrap, since τ was searched for; asked only where Φ rejects.",
        "Enders & Siklos (2001), J. Business & Economic Statistics 19, 166-176; Chan (1993), "
        "Annals of Statistics 21, 520-533; Hansen (1996), Econometrica 64, 413-430.", ONLY,
    ),
    Entry(
        "epps", "Correlation by interval",
        "At short intervals correlation falls because the legs do not trade at the same moments.",
        r"\tanh\!\left(\operatorname{artanh}\hat\rho \pm \frac{1.96}{\sqrt{n-3}}\right)",
        "Log returns at each interval over the range; 20 at least.",
        "Returns unrelated in time, for the interval.",
        "Epps (1979), JASA 74, 291-298; Fisher (1921).", ONLY,
    ),
    Entry(
        "lead-lag", "Lead-lag",
        "Which leg moves first, and by how much.",
        r"\rho(\ell) = \frac{\sum_{i,j} \Delta p^y_i\,\Delta p^x_j\,"
        r"\mathbf 1\{I_i \cap (J_j - \ell) \ne \emptyset\}}"
        r"{\sqrt{\sum(\Delta p^y_i)^2\sum(\Delta p^x_j)^2}}",
        "Ticks of the last 15 minutes of the range at most.",
        "One clock stamps both legs.",
        "Hayashi & Yoshida (2005), Bernoulli 11, 359-379; Hoffmann, Rosenbaum & Yoshida (2013).",
        ONLY,
    ),
    Entry(
        "latency", "Latency, gaps, clock skew",
        "From the trade at the exchange to the row that stores it; ids that are missing; how far "
        "the two clocks are apart.",
        r"\text{latency} = t_{\text{stored}} + \text{skew} - t_{\text{trade}}",
        "Median and 99th percentile of the latest trades of each symbol.",
        "Skew is measured against the exchange's own clock over REST.",
        "This program's own.", "Feed",
    ),
)  # fmt: skip
