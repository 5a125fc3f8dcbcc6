"""Tables and plots of scores."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from series import LEVELS

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402: the backend is chosen first

OURS = "tidegate"
REFERENCE = "last value"
LOSSES = [f"loss_{level}" for level in LEVELS]


def relative(scored: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean scaled loss by forecaster and `by`, over that of the last value; groups in which that lost nothing are left out."""
    mean = scored.groupby([*by, "forecaster"])[LOSSES].mean().reset_index(level="forecaster")
    naive = mean[mean["forecaster"] == REFERENCE][LOSSES]
    ratio = mean[LOSSES] / naive.where(naive > 0).loc[mean.index]
    ratio = ratio.assign(mean=ratio.mean(axis=1), forecaster=mean["forecaster"])
    return ratio.set_index("forecaster", append=True)


def overall(scored: pd.DataFrame) -> pd.DataFrame:
    """One row per forecaster: every trace counts the same, in the arithmetic mean and in the geometric one of its mean loss."""
    by_trace = relative(scored, ["trace"])
    ratio = by_trace.groupby("forecaster").mean()
    ratio["geometric"] = np.exp(np.log(by_trace["mean"]).groupby("forecaster").mean())
    shares = [f"{which}_{level}" for level in LEVELS for which in ("below", "within")]
    traces = scored.groupby(["trace", "forecaster"])[[*shares, "fit_us", "predict_us"]].mean()
    return ratio.join(traces.groupby("forecaster").mean()).sort_values("geometric")


def tables(scored: pd.DataFrame, what: str) -> str:
    lines = [f"{what}; pinball loss over that of the last value.", ""]
    head = ["forecaster", *(f"loss {level}" for level in LEVELS), "mean", "geometric mean", "90 % covers, %", "99 % covers, %", "µs to fit", "µs to predict"]
    lines += row(head) + row(["---"] + ["--:"] * (len(head) - 1))
    for name, of in overall(scored).iterrows():
        covers = [f"{100 * of[f'below_{level}']:.1f} to {100 * of[f'within_{level}']:.1f}" for level in LEVELS[1:]]
        losses = [f"{of[column]:.3f}" for column in [*LOSSES, "mean", "geometric"]]
        lines += row([name, *losses, *covers, f"{of['fit_us']:,.1f}", f"{of['predict_us']:,.1f}"])
    lines += pivot(scored, "trace") + pivot(scored, "kind")
    if "failed" in scored:
        failed = scored.groupby(["trace", "forecaster"])["failed"].first().groupby("forecaster").sum()
        lines += ["", "Forecasts that failed: " + (", ".join(f"{n} {int(f)}" for n, f in failed.items() if f) or "none") + "."]
    return "\n".join(lines) + "\n"


def pivot(scored: pd.DataFrame, by: str) -> list[str]:
    """Mean of the three relative losses, by `by` and forecaster."""
    wide = relative(scored, [by])["mean"].unstack("forecaster")
    wide = wide[overall(scored).index]
    lines = ["", *row([by, *wide.columns]), *row(["---"] + ["--:"] * len(wide.columns))]
    for name, of in wide.iterrows():
        lines += row([name, *(f"{value:.2f}" for value in of)])
    return lines


def row(cells: list[str]) -> list[str]:
    return ["| " + " | ".join(cells) + " |"]


def plots(scored: pd.DataFrame, folder: Path) -> None:
    """Loss against processor time, and coverage by level."""
    of = overall(scored)
    figure, axes = plt.subplots(figsize=(7, 4.5))
    axes.scatter(of["fit_us"] + of["predict_us"], of["geometric"])
    for name, at in of.iterrows():
        axes.annotate(name, (at["fit_us"] + at["predict_us"], at["geometric"]), textcoords="offset points", xytext=(4, 4))
    axes.set(xscale="log", xlabel="processor time per series and step, µs", ylabel="pinball loss / that of the last value, geometric mean over traces")
    figure.tight_layout()
    figure.savefig(folder / "loss_by_time.svg")
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for i, level in enumerate(LEVELS[1:]):
        low, high = 100 * of[f"below_{level}"], 100 * of[f"within_{level}"]
        places = [p + 0.3 * i for p in range(len(of))]
        axes.barh(places, high - low, left=low, height=0.25, label=f"{100 * level:.0f} %")
        axes.axvline(100 * level, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(of)), of.index)
    axes.set(xlabel="windows below the quantile, and not above it, %")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "coverage.svg")
