#!/usr/bin/env python3
"""Numbers of the study's estimators, as other people's programs give them.

    python3 -m venv V && V/bin/pip install statsmodels==0.15.0 scipy==1.17.1
    V/bin/python3 tests/study_reference.py > rules/study/reference.def

Each line of the output is X(what, a, b, c, d, value); share_test.c and its
neighbours compute the same. Not a test: what it printed is in the repository.
"""
import math

import numpy
import scipy
import scipy.special as sp
import scipy.stats as st
import statsmodels
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint


def row(what, *values):
    inside = list(values[:-1]) + [0] * (5 - len(values))
    print(f"X({what}, {', '.join(repr(float(v)) for v in inside)}, "
          f"{float(values[-1])!r})")


def special():
    for p in (1e-12, 1e-4, 0.025, 0.5, 0.8, 0.975, 1 - 1e-9):
        row("NORMAL_QUANTILE", p, st.norm.ppf(p))
    for x in (-8, -1.96, 0, 0.3, 5):
        row("NORMAL_CDF", x, st.norm.cdf(x))
    for a, b, x in ((0.5, 0.5, 0.1), (2, 3, 0.4), (1, 1000, 0.002),
                    (250, 40, 0.86), (1e4, 2e4, 0.3333), (1e6, 1e6, 0.5005)):
        row("BETA_CDF", a, b, x, sp.betainc(a, b, x))
    for a, b, p in ((0.5, 0.5, 0.025), (3, 18, 0.975), (1, 99, 0.5),
                    (400, 600, 0.01)):
        row("BETA_QUANTILE", a, b, p, sp.betaincinv(a, b, p))
    for a, x in ((0.5, 0.2), (1, 3), (10, 8), (100, 130), (1e5, 1.001e5)):
        row("GAMMA_CDF", a, x, sp.gammainc(a, x))
    for a, p in ((1, 0.95), (0.5, 0.5), (7, 0.025), (1000, 0.975)):
        row("GAMMA_QUANTILE", a, p, sp.gammaincinv(a, p))
    for df, p in ((1, 0.975), (2.5, 0.975), (9, 0.01), (29, 0.995), (1e5, 0.9)):
        row("T_QUANTILE", df, p, st.t.ppf(p, df))
    for k, n, p in ((0, 10, 0.1), (3, 20, 0.3), (9, 20, 0.5), (500, 1000, 0.51)):
        row("BINOMIAL", k, n, p, st.binom.cdf(k, n, p))


def shares():
    for k, n in ((0, 34), (1, 34), (5, 34), (17, 34), (34, 34), (3, 1204),
                 (855, 1204)):
        for level in (0.9, 0.95, 0.99):
            for name, method in (("WILSON", "wilson"), ("EXACT", "beta")):
                low, high = proportion_confint(k, n, 1 - level, method)
                row(f"{name}_LOW", k, n, level, low)
                row(f"{name}_HIGH", k, n, level, high)
    for k, t in ((0, 100), (1, 365), (12, 1000), (250, 31.5)):
        low = st.chi2.ppf(0.025, 2 * k) / 2 / t if k else 0
        row("RATE_LOW", k, t, 0.95, low)
        row("RATE_HIGH", k, t, 0.95, st.chi2.ppf(0.975, 2 * k + 2) / 2 / t)
    for table in (((40, 5), (3, 52)), ((20, 5, 1), (3, 30, 4), (0, 2, 35))):
        found = cohens_kappa(numpy.array(table))
        size = len(table)
        row("KAPPA", size, found.kappa)
        row("KAPPA_ERROR", size, found.std_kappa)
    for b, c in ((0, 0), (1, 9), (12, 15), (30, 8)):
        row("MCNEMAR", b, c,
            mcnemar(numpy.array([[5, b], [c, 5]]), exact=True).pvalue)


# Times to a block in hours; 0 censored, 1 blocked, 2 the lease ended.
TIMES = [0.2, 0.5, 0.5, 1, 1.5, 2, 2, 2, 3, 4.5, 5, 7, 7, 9, 12, 12, 15, 20, 24,
         30, 36, 48, 48, 60]
ENDS = [1, 1, 2, 1, 0, 1, 1, 0, 2, 1, 1, 0, 1, 2, 1, 1, 0, 1, 0, 1, 2, 0, 1, 0]


def survival():
    time, end = numpy.array(TIMES), numpy.array(ENDS)
    km = SurvfuncRight(time, (end == 1).astype(int))
    for t, s, e in zip(km.surv_times, km.surv_prob, km.surv_prob_se):
        row("FREE", t, s)
        row("FREE_ERROR", t, e)
    low, high = km.quantile_ci(0.5, method="cloglog")
    row("MEDIAN", 0, km.quantile(0.5))
    row("MEDIAN_LOW", 0, low)
    row("MEDIAN_HIGH", 0, high)
    inc = CumIncidenceRight(time, end)
    for t, c in zip(inc.times, inc.cinc[0]):
        row("INCIDENCE", t, c)


print("/* X(what, a, b, c, d, value) - made by tests/study_reference.py with "
      f"statsmodels\n * {statsmodels.__version__}, scipy {scipy.__version__}, "
      f"numpy {numpy.__version__} */")
assert math.isclose(st.norm.cdf(0), 0.5)
special()
shares()
survival()
