#!/bin/sh
# Maximum Nash welfare against cvxpy with open conic solvers (Clarabel, ECOS, SCS): the same markets, one thread each.
# usage: bench/nashwelfare_peer.sh [count10 [count50 [seconds]]]     markets per family of 10 x 10 (10) and 50 x 50 (2);
#                                                                    limit of a solver that has one (60)
# They go into an environment of their own, build/nashwelfare_peer; pip's own configuration says where from.
set -eu
cd "$(dirname "$0")/.."
test -x build/bench_nashwelfare || cmake --build build --target bench_nashwelfare
test -x build/nashwelfare_peer/bin/python || python3 -m venv build/nashwelfare_peer
build/nashwelfare_peer/bin/python -c 'import cvxpy, clarabel, ecos, scs' 2>/dev/null ||
  build/nashwelfare_peer/bin/pip install --quiet cvxpy clarabel ecos scs numpy scipy || {
  echo "cvxpy and its solvers could not be installed here: no ratio" >&2
  exit 1
}
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1 exec build/nashwelfare_peer/bin/python bench/nashwelfare_peer.py "$@"
