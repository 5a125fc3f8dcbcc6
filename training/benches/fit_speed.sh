#!/usr/bin/env bash
# Fits 2,000,000 rows x the real features with tidegate-train and with scikit-learn, one thread each, and prints both.
#
# Usage: training/benches/fit_speed.sh [ROWS]     (PROFILE=dev for a quick build; TRACES=DIR to take the rows from traces)
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=${1:-2000000}
profile=${PROFILE:-release}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cargo build --quiet --package tidegate-train --profile "$profile"
folder=$profile
[ "$profile" = dev ] && folder=debug
trainer=${CARGO_TARGET_DIR:-target}/$folder/tidegate-train

python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check numpy scikit-learn

"$trainer" bench --rows "$rows" --export "$scratch" ${TRACES:+--traces "$TRACES"} > /dev/null
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$scratch/venv/bin/python" training/benches/sklearn_fit.py "$scratch"
