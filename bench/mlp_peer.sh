#!/bin/sh
# The network against PyTorch on the CPU: the same training step, timed in turns in one run; prints the ratio.
# usage: bench/mlp_peer.sh [rows] [width] [rounds]     (build/bench_mlp must be built; needs python3 with venv)
# PyTorch goes into an environment of its own, build/peer; pip's own configuration says where from.
set -eu
cd "$(dirname "$0")/.."
test -x build/bench_mlp || cmake --build build --target bench_mlp
test -x build/peer/bin/python || python3 -m venv build/peer
build/peer/bin/python -c 'import torch' 2>/dev/null || build/peer/bin/pip install --quiet torch numpy || {
  echo "PyTorch could not be installed here: no ratio" >&2
  exit 1
}
exec build/peer/bin/python bench/mlp_peer.py "$@"
