#!/usr/bin/env bash
# Sets the planner's forecasts beside those that a data scientist would pick, on the same series and windows.
#
# Usage: replay/peers/run.sh TRACE.parquet...     (SERIES=8 ORIGINS=8 HISTORY=600 OUT=DIR PEERS=all MODEL=models/NAME)
#
# Writes OUT/table.md, OUT/scores.csv and plots; OUT is a new folder under the temporary one when left out. The peers are installed
# in a virtual environment in the user's cache, once; the checkout stays as it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || { sed -n 2,7p "$0"; exit 2; }
series=${SERIES:-8}
origins=${ORIGINS:-8}
history=${HISTORY:-600}
out=${OUT:-$(mktemp -d)}
requirements=replay/peers/requirements.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidegate-peers/$(sha256sum "$requirements" | cut -c1-12)

if [ ! -e "$cache/complete" ]; then
  echo "installing the peers in $cache" >&2
  python3 -m venv "$cache"
  "$cache/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
  touch "$cache/complete"
fi

cargo build --quiet --release --package tidegate-replay
"${CARGO_TARGET_DIR:-target}/release/tidegate-replay" forecast --trace "$@" --out "$out" \
  --series "$series" --origins "$origins" ${MODEL:+--model "$MODEL"} > "$out.coverage.md"
mv "$out.coverage.md" "$out/coverage.md"
# One thread each, so that processor time is what one core would take.
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NIXTLA_NUMBA_CACHE=1 NUMBA_NUM_THREADS=1 \
  "$cache/bin/python" replay/peers/compare.py "$out" --history "$history" --peers "${PEERS:-all}"
echo "$out"
