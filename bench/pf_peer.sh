#!/bin/sh
# Proportional fairness against cvxpy and its default solver, and against cvxpylayers forward and backward: the same
# instances, one run, one thread each; prints ratios and how far utilities and gradients are apart.
# usage: bench/pf_peer.sh [count]      [instances of each size for cvxpy, 200; a quarter of them for cvxpylayers]
# They go into an environment of their own, build/pf_peer; pip's own configuration says where from.
set -eu
cd "$(dirname "$0")/.."
test -x build/bench_pf || cmake --build build --target bench_pf
test -x build/pf_peer/bin/python || python3 -m venv build/pf_peer
build/pf_peer/bin/python -c 'import cvxpy, cvxpylayers, torch' 2>/dev/null ||
  build/pf_peer/bin/pip install --quiet cvxpy cvxpylayers torch numpy || {
  echo "cvxpy and cvxpylayers could not be installed here: no ratio" >&2
  exit 1
}
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1 exec build/pf_peer/bin/python bench/pf_peer.py "$@"
