"""Scores the planner's forecasts and their peers on the same series and windows; writes a table, all scores and plots."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import per_series
import per_trace
import report
from score import processor_s, score
from series import LEVELS, STEPS, Trace, read


def ours(trace: Trace) -> pd.DataFrame:
    """The planner: its processor time is that of a whole tick; its model was fitted before."""
    rows = trace.ours.sort_values(["series", "origin", "step"])
    quantiles = rows[["q50", "q90", "q99"]].to_numpy().reshape(*trace.actual().shape, len(LEVELS))
    per_forecast_s = rows["cpu_us"].iloc[0] / 1e6
    return score(trace, report.OURS, quantiles, 0.0, per_forecast_s * trace.actual().size)


def alone(trace: Trace, name: str, history: int) -> pd.DataFrame:
    """A forecaster that is fitted to each series; where it fails, the last value stands in, and is counted."""
    quantiles = np.zeros((*trace.actual().shape, len(LEVELS)))
    failed = 0
    began = processor_s()
    for i, counts in enumerate(trace.counts):
        forecast = per_series.FORECASTERS[name]()
        for j, origin in enumerate(trace.origins):
            past = counts[: origin + 1]
            try:
                quantiles[i, j] = forecast(past, history)
            except Exception as reason:  # noqa: BLE001: whatever a peer raises on a series, it is scored all the same
                failed += 1
                print(f"{trace.name}, series {i}, window {origin}: {name} failed: {reason}", file=sys.stderr)
            if not np.isfinite(quantiles[i, j]).all():
                failed += 1
                quantiles[i, j] = 0
            if failed and not quantiles[i, j].any():
                quantiles[i, j] = per_series.last_value(past[-history:], history)
    return score(trace, name, quantiles, processor_s() - began, 0.0).assign(failed=failed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what `tidegate-replay forecast --out` wrote")
    parser.add_argument("--history", type=int, default=600, help="windows of history for those fitted to each series")
    parser.add_argument("--peers", default="all", help="names, separated by commas")
    asked = parser.parse_args()
    names = [*per_series.FORECASTERS, *per_trace.FORECASTERS]
    if asked.peers != "all":
        names = [name for name in names if name in {report.REFERENCE, *asked.peers.split(",")}]
    traces, scores = read(asked.folder), []
    for name in names:  # compiles what it compiles at its first call, which nobody is charged for
        if name in per_series.FORECASTERS:
            per_series.FORECASTERS[name]()(np.abs(np.sin(np.arange(60.0))) * 9, 60)
    for trace in traces:
        scores.append(ours(trace))
        for name in names:
            began = time.monotonic()
            if name in per_series.FORECASTERS:
                scores.append(alone(trace, name, asked.history))
            else:
                scores.append(score(trace, name, *per_trace.FORECASTERS[name](trace)))
            print(f"{trace.name}: {name} {time.monotonic() - began:.1f} s", file=sys.stderr)
    scored = pd.concat(scores, ignore_index=True)
    scored.to_csv(asked.folder / "scores.csv", index=False)
    forecasts = sum(trace.actual().size for trace in traces)
    text = report.tables(scored, f"{sum(len(t.kinds) for t in traces)} series of {len(traces)} traces, {forecasts} forecasts, {STEPS} steps")
    (asked.folder / "table.md").write_text(text)
    report.plots(scored, asked.folder)
    print(text)


if __name__ == "__main__":
    main()
