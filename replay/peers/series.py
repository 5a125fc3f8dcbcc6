"""Series and forecasts as `tidegate-replay forecast --out` writes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

WINDOW_S = 30
STEPS = 4
LEVELS = (0.5, 0.9, 0.99)


@dataclass
class Trace:
    """Sampled series of one trace, windows dense, and the windows from which they are forecast."""

    name: str
    start: int
    fit_windows: int
    kinds: list[str]
    counts: np.ndarray  # series x windows
    origins: np.ndarray  # last window that is known
    ours: pd.DataFrame

    def actual(self) -> np.ndarray:
        """Requests that came: series x origins x steps."""
        ahead = self.origins[:, None] + 1 + np.arange(STEPS)
        return self.counts[:, ahead]


def read(folder: Path) -> list[Trace]:
    """All traces of a folder that have a series to forecast, in order of their names."""
    traces = (read_one(path) for path in sorted(folder.glob("*.series.csv")))
    return [trace for trace in traces if len(trace.kinds) and len(trace.origins)]


def read_one(path: Path) -> Trace:
    name = path.name.removesuffix(".series.csv")
    with path.open() as file:
        start, fit_windows, windows = (int(value) for value in file.readline().lstrip("# ").split(","))
    rows = pd.read_csv(path, comment="#")
    ours = pd.read_csv(path.with_name(f"{name}.forecasts.csv"))
    kinds = rows.groupby("series")["kind"].first()
    counts = np.zeros((len(kinds), windows))
    counts[rows["series"], rows["window"]] = rows["requests"]
    return Trace(name, start, fit_windows, list(kinds), counts, np.sort(ours["origin"].unique()), ours)
