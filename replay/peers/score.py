"""Pinball loss, coverage and processor time of quantile forecasts."""

import os
import time

import numpy as np
import pandas as pd

from series import LEVELS, Trace


def processor_s() -> float:
    """Processor time of this process and of those that it started and that have ended (Prophet fits in one), in seconds."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def pinball(quantiles: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Loss of quantiles (... x levels) against what came (...)."""
    off = actual[..., None] - quantiles
    levels = np.asarray(LEVELS)
    return np.maximum(levels * off, (levels - 1) * off)


def whole(quantiles: np.ndarray) -> np.ndarray:
    """Requests are whole numbers, so every quantile is rounded, and is neither below zero nor below that of a lesser level."""
    return np.maximum.accumulate(np.maximum(np.round(quantiles), 0), axis=-1)


def score(trace: Trace, name: str, quantiles: np.ndarray, fit_s: float, predict_s: float) -> pd.DataFrame:
    """One row per series: losses scaled by how much the series changes from one window to the next, and coverage, by level.

    A whole number that is exceeded in just a tenth of the windows may not exist: a calibrated one has less than 90 % of the
    windows below it (`below`) and at least 90 % not above (`within`). A series that never changed before the scored part has
    no scale, so it has no loss either.
    """
    actual, quantiles = trace.actual(), whole(quantiles)
    moves = np.abs(np.diff(trace.counts[:, : trace.fit_windows], axis=1)).mean(axis=1)
    loss = pinball(quantiles, actual).mean(axis=(1, 2)) / np.where(moves > 0, moves, np.nan)[:, None]
    within = (actual[..., None] <= quantiles).mean(axis=(1, 2))
    below = (actual[..., None] < quantiles).mean(axis=(1, 2))
    rows = {"trace": trace.name, "kind": trace.kinds, "series": range(len(trace.kinds)), "forecaster": name}
    for i, level in enumerate(LEVELS):
        rows |= {f"loss_{level}": loss[:, i], f"within_{level}": within[:, i], f"below_{level}": below[:, i]}
    return pd.DataFrame(rows | {"fit_us": 1e6 * fit_s / actual.size, "predict_us": 1e6 * predict_s / actual.size})
