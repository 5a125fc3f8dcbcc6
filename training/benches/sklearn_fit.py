"""Fits the rows that `tidegate-train bench --export DIR` wrote with scikit-learn, and prints both results as a table.

Run by fit_speed.sh. One thread; the fastest of three fits; single and double precision are both tried and the faster counts.
"""
import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import PoissonRegressor, Ridge

REPEAT = 3


def fastest(make, x, y):
    """The least seconds of REPEAT fits, and the last model."""
    seconds = []
    for _ in range(REPEAT):
        model = make()
        start = time.perf_counter()
        model.fit(x, y)
        seconds.append(time.perf_counter() - start)
    return min(seconds), model


def both_precisions(make, x, y):
    """The faster of a fit in single and one in double precision; the model is the one in double."""
    single, _ = fastest(make, x, y)
    double, model = fastest(make, x.astype(np.float64), y.astype(np.float64))
    return min(single, double), model


def row(name, ours, theirs, x, y_hat_theirs, link):
    """One line: times, their ratio, and how far apart the two predictions are."""
    eta = ours["intercept"] + x.astype(np.float64) @ np.array(ours["coefficients"])
    mine = np.exp(eta) if link == "log" else eta
    apart = np.abs(mine - y_hat_theirs).mean() / np.abs(y_hat_theirs).mean()
    return f"| {name} | {ours['seconds']:.3f} | {theirs:.3f} | {theirs / ours['seconds']:.2f} | {apart:.1e} |"


def main(folder):
    fit = json.loads((folder / "fit.json").read_text())
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    # Both sides penalise standardised columns; standardising is part of our time and left out of theirs.
    mean, spread = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    standard = ((x - mean) / np.where(spread > 1e-9, spread, 1.0)).astype(np.float32)
    warnings.filterwarnings("ignore")
    logs = np.log1p(y)
    ridge_s, ridge = both_precisions(lambda: Ridge(alpha=fit["ridge"] * len(y), solver="cholesky"), standard, logs)
    alpha = fit["ridge"] * float(y.mean())
    poisson_s, poisson = both_precisions(lambda: PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-6), standard, y)

    print(f"{len(y):,} rows ({fit['distinct_rows']:,} distinct) x {x.shape[1]} features, one thread, scikit-learn {sklearn.__version__}\n")
    print("| fit | tidegate-train, s | scikit-learn, s | times as fast | predictions apart |")
    print("|---|---:|---:|---:|---:|")
    print(row("ridge, log scale", fit["ridge_regression"], ridge_s, x, ridge.predict(standard), "identity"))
    print(row("Poisson", fit["poisson"], poisson_s, x, poisson.predict(standard), "log"))
    print(f"\nPeak memory: tidegate-train {fit['peak_rss_mb']} MB, rows included;", end=" ")
    print(f"scikit-learn {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB, in both precisions.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
