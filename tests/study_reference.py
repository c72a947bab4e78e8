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
import scipy.optimize
import scipy.special as sp
import scipy.stats as st
import statsmodels
import statsmodels.api as sm
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


# Counts of days: before, after, days between, logarithms, weekdays, lag.
SERIES = [(20, 20, 0, True, False, 3), (28, 28, 0, False, True, 7),
          (8, 9, 5, True, False, 0), (30, 16, 12, True, True, 3)]
FIRST = 20454  # 2026-01-01, a Thursday
WEEK = (0, 5, 9, 4, -3, -30, -35)


def series_days(case):
    """As series_test.c makes them."""
    before, after, between = SERIES[case][:3]
    state, out = case + 1, []
    for i in range(before + between + after):
        state = (state * 1103515245 + 12345) % 2**31
        count = 60 + i // 2 + (state >> 16) % 40 + WEEK[(FIRST + i + 3) % 7]
        if i >= before + between:
            count = count * 6 // 10
        if i < before or i >= before + between:
            out.append((FIRST + i, count))
    return out, FIRST + before + between


def series():
    for case, (_, after, _, log, weekdays, lag) in enumerate(SERIES):
        days, cut = series_days(case)
        t = numpy.array([day - cut for day, _ in days], dtype=float)
        y = numpy.array([count for _, count in days], dtype=float)
        y = numpy.log1p(y) if log else y
        x = numpy.column_stack([t * 0 + 1, t, t >= 0, t * (t >= 0)])
        if weekdays:
            of = numpy.array([(day + 3) % 7 for day, _ in days])
            x = numpy.column_stack([x] + [(of == w) * 1.0 - (of == 6)
                                          for w in range(6)])
        n, k = x.shape
        c = numpy.eye(5, k)
        c[4] = 0
        c[4, 2], c[4, 3] = 1, t[-after:].mean()
        fit = sm.OLS(y, x).fit(cov_type="HAC", use_t=True, cov_kwds={
            "maxlags": lag, "use_correction": True})
        test = fit.t_test(c)
        low = test.conf_int()[:, 0]
        for i in range(5):
            row("NEWEY_WEST", case, i, test.effect[i])
            row("NEWEY_WEST_ERROR", case, i, test.sd[i])
            row("NEWEY_WEST_LOW", case, i, low[i])

        # restricted likelihood with the whole matrix of covariances
        apart = abs(t[:, None] - t[None, :])

        def gls(rho):
            v = rho ** apart / (1 - rho * rho)
            return sm.GLS(y, x, sigma=v).fit(), v

        def minus(rho):
            g, v = gls(rho)
            u = y - x @ g.params
            inner = x.T @ numpy.linalg.solve(v, x)
            s2 = u @ numpy.linalg.solve(v, u) / (n - k)
            return (numpy.linalg.slogdet(v)[1] + (n - k) * math.log(s2)
                    + numpy.linalg.slogdet(inner)[1]) / 2

        best = min((minus(r), r) for r in numpy.arange(-0.59, 0.95, 0.02))[1]
        rho = scipy.optimize.minimize_scalar(
            minus, bounds=(best - 0.02, best + 0.02), method="bounded",
            options={"xatol": 1e-10}).x
        row("AR1_RHO", case, rho)
        test = gls(rho)[0].t_test(c)
        for i in range(5):
            row("AR1", case, i, test.effect[i])
            row("AR1_ERROR", case, i, test.sd[i])


print("/* X(what, a, b, c, d, value) - made by tests/study_reference.py with "
      f"statsmodels\n * {statsmodels.__version__}, scipy {scipy.__version__}, "
      f"numpy {numpy.__version__} */")
assert math.isclose(st.norm.cdf(0), 0.5)
special()
shares()
survival()
series()
