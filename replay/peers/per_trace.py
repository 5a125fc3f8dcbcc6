"""Forecasters that are fitted once to all series of a trace, on the part before the scored one: LightGBM and an LSTM.

Both learn the quantiles directly. They see each series divided by its mean plus one, so that requests of a quiet series stay
about whole numbers, and that divisor.
"""

import lightgbm
import numpy as np
import torch

from score import processor_s
from series import LEVELS, STEPS, WINDOW_S, Trace

# Windows of each series that are learned from, at most: the last ones before the scored part.
LEARNED = 4000
LAGS = 12
AVERAGES = (5, 20, 60, 240)
INPUT = 48
HIDDEN = 32
EPOCHS = 6
BATCH = 256
DAY_S = 86_400


def scales(trace: Trace) -> np.ndarray:
    return 1.0 + trace.counts[:, : trace.fit_windows].mean(axis=1)


def learned_from(trace: Trace, reach: int) -> np.ndarray:
    """Last known windows of the examples to learn from: with `reach` windows before, if there are, and all steps after."""
    end = trace.fit_windows - STEPS
    return np.arange(max(min(reach, end // 2), end - LEARNED), end)


def timed(work):
    began = processor_s()
    result = work()
    return result, processor_s() - began


def features(counts: np.ndarray, scale: np.ndarray, at: np.ndarray, start: int) -> np.ndarray:
    """Lags, averages, size and time of day as of each window of `at`: series x windows x features."""
    sums = np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)], axis=1)
    columns = [counts[:, np.maximum(at - lag, 0)] for lag in range(LAGS)]
    columns += [(sums[:, at + 1] - sums[:, np.maximum(at + 1 - n, 0)]) / n for n in AVERAGES]
    angle = 2 * np.pi * ((start + at * WINDOW_S) % DAY_S) / DAY_S
    columns += [np.broadcast_to(f(angle), (len(counts), len(at))) for f in (np.sin, np.cos)]
    columns.append(np.broadcast_to(np.log(scale), (len(counts), len(at))))
    return np.stack(columns, axis=-1)


def light_gbm(trace: Trace) -> tuple[np.ndarray, float, float]:
    """Quantiles (series x origins x steps x levels), processor time to fit and to predict."""
    scale = scales(trace)[:, None]
    counts = trace.counts / scale
    at = learned_from(trace, max(AVERAGES))
    options = {"objective": "quantile", "n_estimators": 100, "num_leaves": 15, "min_child_samples": 100}
    options |= {"n_jobs": 1, "verbose": -1}

    def fit():
        x = features(counts, scale, at, trace.start).reshape(counts.shape[0] * len(at), -1)
        return [
            [lightgbm.LGBMRegressor(alpha=level, **options).fit(x, counts[:, at + step].ravel()) for level in LEVELS]
            for step in range(1, STEPS + 1)
        ]

    def predict():
        x = features(counts, scale, trace.origins, trace.start)
        flat = x.reshape(-1, x.shape[-1])
        return np.stack([np.stack([m.predict(flat) for m in of_step], axis=-1) for of_step in models], axis=1)

    models, fit_s = timed(fit)
    quantiles, predict_s = timed(predict)
    shape = (len(counts), len(trace.origins), STEPS, len(LEVELS))
    return quantiles.reshape(shape) * scale[:, :, None, None], fit_s, predict_s


class Lstm(torch.nn.Module):
    """One layer; out come the quantiles of all steps, each above that of the level below."""

    def __init__(self):
        super().__init__()
        self.cells = torch.nn.LSTM(2, HIDDEN, batch_first=True)
        self.out = torch.nn.Linear(HIDDEN, STEPS * len(LEVELS))

    def forward(self, x):
        _, (hidden, _) = self.cells(torch.log1p(x))
        parts = torch.nn.functional.softplus(self.out(hidden[-1])).reshape(-1, STEPS, len(LEVELS))
        return parts.cumsum(dim=-1)


def pinball(quantiles, actual):
    off = actual[..., None] - quantiles
    levels = torch.tensor(LEVELS)
    return torch.maximum(levels * off, (levels - 1) * off).mean()


def windows(counts: np.ndarray, scale: np.ndarray, at: np.ndarray) -> torch.Tensor:
    """The last windows as of each of `at`, zeros before the first, and the size: examples x INPUT x 2."""
    padded = np.concatenate([np.zeros((len(counts), INPUT)), counts], axis=1)
    recent = padded[:, at[:, None] + 1 + np.arange(INPUT)]
    size = np.broadcast_to(np.log(scale)[:, :, None], recent.shape)
    return torch.tensor(np.stack([recent, size], axis=-1).reshape(-1, INPUT, 2), dtype=torch.float32)


def lstm(trace: Trace) -> tuple[np.ndarray, float, float]:
    """Quantiles (series x origins x steps x levels), processor time to fit and to predict."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    scale = scales(trace)[:, None]
    counts = trace.counts / scale
    at = learned_from(trace, INPUT)
    model = Lstm()

    def fit():
        x = windows(counts, scale, at)
        y = torch.tensor(counts[:, at[:, None] + 1 + np.arange(STEPS)].reshape(-1, STEPS), dtype=torch.float32)
        descent = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(x)).split(BATCH):
                descent.zero_grad()
                pinball(model(x[batch]), y[batch]).backward()
                descent.step()

    def predict():
        with torch.no_grad():
            return model(windows(counts, scale, trace.origins)).numpy()

    _, fit_s = timed(fit)
    quantiles, predict_s = timed(predict)
    shape = (len(counts), len(trace.origins), STEPS, len(LEVELS))
    return quantiles.reshape(shape) * scale[:, :, None, None], fit_s, predict_s


FORECASTERS = {"LightGBM": light_gbm, "LSTM": lstm}
