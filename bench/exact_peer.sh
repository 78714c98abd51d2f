#!/bin/sh
# The exact solver against the Eisenberg-Gale program in cvxpy with open conic solvers: the same markets, one run, one
# thread each; prints ratios and how far the log welfares are apart.
# usage: bench/exact_peer.sh [n ...]     (build/bench_exact_peer must be built; needs python3 with venv)
# cvxpy goes into an environment of its own, build/exact_peer; pip's own configuration says where from.
set -eu
cd "$(dirname "$0")/.."
test -x build/bench_exact_peer || cmake --build build --target bench_exact_peer
test -x build/exact_peer/bin/python || python3 -m venv build/exact_peer
build/exact_peer/bin/python -c 'import cvxpy' 2>/dev/null || build/exact_peer/bin/pip install --quiet cvxpy numpy || {
  echo "cvxpy could not be installed here: no ratio" >&2
  exit 1
}
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1 exec build/exact_peer/bin/python bench/exact_peer.py "$@"
