"""Forecasters that are fitted to each series alone: naive ones, statsforecast's, Prophet.

Each is called with the history of one series, oldest first and at most as long as asked for, and returns quantiles: steps x
levels. All but AutoARIMA are fitted anew at each origin; AutoARIMA's order is searched for at every fourth and its
coefficients are kept in between, as it takes a second and more.
"""

import logging
import warnings

import numpy as np
import pandas as pd
from prophet import Prophet
from statsforecast.models import TSB, AutoARIMA, AutoETS, AutoTheta, CrostonSBA
from statsforecast.utils import ConformalIntervals

from series import LEVELS, STEPS, WINDOW_S

warnings.filterwarnings("ignore")
for noisy in ("cmdstanpy", "prophet"):
    logging.getLogger(noisy).disabled = True

DAY = 86_400 // WINDOW_S
HOUR = 3_600 // WINDOW_S
# Two-sided intervals whose upper ends are the quantiles 0.9 and 0.99.
INTERVALS = [80, 98]
REFIT_EVERY = 4


def last_value(past: np.ndarray, _recent: int) -> np.ndarray:
    """The last window again; quantiles from how far it was off over the history."""
    off = [past[step:] - past[:-step] for step in range(1, STEPS + 1)]
    return np.stack([past[-1] + np.quantile(o, LEVELS) for o in off])


def seasonal_naive(past: np.ndarray, recent: int) -> np.ndarray:
    """The same window a day before, or an hour before where less than a day and an hour are known; quantiles likewise."""
    season = DAY if len(past) > DAY + HOUR else min(HOUR, len(past) // 2)
    off = (past[season:] - past[:-season])[-recent:]
    return np.stack([past[len(past) - season + step] + np.quantile(off, LEVELS) for step in range(STEPS)])


def upper_ends(forecast: dict) -> np.ndarray:
    """Median and quantiles out of statsforecast's answer."""
    return np.stack([forecast["mean"], forecast["hi-80"], forecast["hi-98"]], axis=1)


def classical(make):
    """A model of statsforecast, fitted anew at each call."""
    return lambda past, recent: upper_ends(make().forecast(past[-recent:], h=STEPS, level=INTERVALS))


def conformal(past: int) -> ConformalIntervals:
    """Intervals of a model that has none of its own, from as many earlier forecasts as 99 % need, if there are."""
    return ConformalIntervals(h=STEPS, n_windows=max(2, min(100, past // (2 * STEPS))))


def intermittent(make):
    """A model of statsforecast without intervals of its own."""

    def forecast(past, recent):
        past = past[-recent:]
        return upper_ends(make(conformal(len(past))).forecast(past, h=STEPS, level=INTERVALS))

    return forecast


class Arima:
    """AutoARIMA whose order is searched for now and then."""

    def __init__(self):
        self.calls, self.model = 0, None

    def __call__(self, past: np.ndarray, recent: int) -> np.ndarray:
        past = past[-recent:]
        if self.calls % REFIT_EVERY == 0:
            self.model = AutoARIMA().fit(past)
        self.calls += 1
        return upper_ends(self.model.forward(past, h=STEPS, level=INTERVALS))


def prophet(past: np.ndarray, recent: int) -> np.ndarray:
    """Prophet as it comes, with as many samples as 99 % need."""
    past = past[-recent:]
    times = pd.date_range("2024-01-01", periods=len(past) + STEPS, freq=f"{WINDOW_S}s")
    model = Prophet(uncertainty_samples=500).fit(pd.DataFrame({"ds": times[: len(past)], "y": past}))
    samples = model.predictive_samples(pd.DataFrame({"ds": times[len(past) :]}))["yhat"]
    return np.quantile(samples, LEVELS, axis=1).T


# By name, a maker: one forecaster per series.
FORECASTERS = {
    "last value": lambda: last_value,
    "seasonal naive": lambda: seasonal_naive,
    "AutoETS": lambda: classical(AutoETS),
    "AutoTheta": lambda: classical(AutoTheta),
    "AutoARIMA": Arima,
    "CrostonSBA": lambda: intermittent(lambda intervals: CrostonSBA(prediction_intervals=intervals)),
    "TSB": lambda: intermittent(lambda intervals: TSB(0.1, 0.1, prediction_intervals=intervals)),
    "Prophet": lambda: prophet,
}
