"""Fits the rows that `tidegate-train bench --export DIR` wrote with scikit-learn, and prints both results as a table.

Run by fit_speed.sh. One thread; seconds are those on a processor, whatever else the machine does; the fastest of three fits; single and double precision are both tried and the faster counts.
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
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

REPEAT = 3


def fastest(make, x, y):
    """The least seconds of REPEAT fits, and the last model."""
    seconds = []
    for _ in range(REPEAT):
        model = make()
        start = time.process_time()
        model.fit(x, y)
        seconds.append(time.process_time() - start)
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


def standardised(make):
    """The regression that `make` makes, behind a scaler: a ridge needs columns of one scale, and rows come as they are."""
    return lambda: make_pipeline(StandardScaler(copy=True), make())


def main(folder):
    fit = json.loads((folder / "fit.json").read_text())
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    warnings.filterwarnings("ignore")
    alpha = fit["ridge"] * float(y.mean(dtype=np.float64))
    ridge_s, ridge = both_precisions(standardised(lambda: Ridge(alpha=fit["ridge"] * len(y), solver="cholesky")), x, np.log1p(y))
    poisson = standardised(lambda: PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-6))
    poisson_s, poisson = both_precisions(poisson, x, y)

    print(f"{len(y):,} rows ({fit['distinct_rows']:,} distinct) x {x.shape[1]} features, one thread, scikit-learn {sklearn.__version__},")
    print("standardising included on both sides\n")
    print("| fit | tidegate-train, s | scikit-learn, s | times as fast | predictions apart |")
    print("|---|---:|---:|---:|---:|")
    wide = x.astype(np.float64)
    print(row("ridge, log scale", fit["ridge_regression"], ridge_s, x, ridge.predict(wide), "identity"))
    print(row("Poisson", fit["poisson"], poisson_s, x, poisson.predict(wide), "log"))
    print(f"\nPeak memory: tidegate-train {fit['peak_rss_mb']} MB, rows included;", end=" ")
    print(f"scikit-learn {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB, in both precisions.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
