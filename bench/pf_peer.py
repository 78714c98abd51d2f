"""Proportional fairness (rpfnet, eq. 4) in cvxpy and cvxpylayers against build/bench_pf. Run by bench/pf_peer.sh.

maximise sum_i w_i log(v_i . a_i)  subject to  0 <= a <= x,  sum_i a_im <= b_m. Agents without a demand have w_i = 0 and 1
added to their utility. The problem is built once, with parameters, so that cvxpy only fills in numbers. Times are the
processor's. Three ratios: whole calls, the conic solver's own time alone, and forward with backward."""

import subprocess
import sys
import time
import warnings

import cvxpy as cp
import numpy as np
import torch
from cvxpylayers.torch import CvxpyLayer

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SIZES = [(2, 2, 0.5), (10, 3, 0.5), (10, 3, 0.25), (50, 10, 0.1), (200, 20, 0.1)]
MOST_ENTRIES = 40_000  # of the peer's instances together
PATH = "build/pf_peer.bin"


class Batch:
    """Instances that the program wrote, its utilities and gradients, and its microseconds per instance."""

    def __init__(self, n, m, scarcity):
        self.n, self.m, self.count = n, m, max(2, min(COUNT, MOST_ENTRIES // (n * m)))
        total = max(self.count, min(20000, 2_000_000 // (n * m)))
        command = ["build/bench_pf", "write", PATH, str(n), str(m), str(total), str(scarcity)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.fast, self.polished, self.adjoint = (float(t) for t in text.split())
        parts = np.split(np.fromfile(PATH), np.cumsum([total * s for s in (n * m, n * m, m, n, n * m)]))
        shapes = [(n, m), (n, m), (m,), (n,), (n, m), (n, m)]
        self.v, self.x, self.b, self.u, self.da, self.dv = (p.reshape(total, *s) for p, s in zip(parts, shapes))
        self.w = (self.x.max(axis=2) > 0).astype(float)


def program(n, m):
    a, u = cp.Variable((n, m)), cp.Variable(n)
    v, x, b = cp.Parameter((n, m), nonneg=True), cp.Parameter((n, m), nonneg=True), cp.Parameter(m, nonneg=True)
    w, rest = cp.Parameter(n, nonneg=True), cp.Parameter(n, nonneg=True)
    limits = [a >= 0, a <= x, cp.sum(a, axis=0) <= b, u == cp.sum(cp.multiply(v, a), axis=1) + rest]
    return cp.Problem(cp.Maximize(cp.sum(cp.multiply(w, cp.log(u)))), limits), [v, x, b, w, rest], a


def fill(parameters, t, k):
    for parameter, value in zip(parameters, (t.v[k], t.x[k], t.b[k], t.w[k], 1 - t.w[k])):
        parameter.value = value


TIGHT = {"tol_gap_abs": 1e-14, "tol_gap_rel": 1e-14, "tol_feas": 1e-14, "max_iter": 100}


def solve(problem, **options):
    """Seconds of the call; None where the solver gave up."""
    start = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem.solve(**options)
    except cp.SolverError:
        return None
    return time.process_time() - start


def apart(t, k, a):
    """Largest relative difference of the utilities of those who take part."""
    u = (t.v[k] * a).sum(axis=1)
    return (t.w[k] * abs(u - t.u[k]) / np.maximum(t.u[k], 1e-12)).max()


def forward(t):
    """Microseconds of a call and of the solver alone; differences of utilities, as solved and to tight tolerances."""
    problem, parameters, a = program(t.n, t.m)
    fill(parameters, t, 0)
    solve(problem)
    spent, solver, usual, tight = [], [], [], []
    for k in range(t.count):
        fill(parameters, t, k)
        seconds = solve(problem)
        if seconds is None:
            continue
        spent.append(1e6 * seconds)
        solver.append(1e6 * problem.solver_stats.solve_time)
        usual.append(apart(t, k, a.value))
        if solve(problem, solver=cp.CLARABEL, **TIGHT) is not None and a.value is not None:
            tight.append(apart(t, k, a.value))
    return np.mean(spent), np.median(solver), np.array(usual), np.array(tight), problem.solver_stats.solver_name


def backward(t):
    """(microseconds of a forward and a backward pass of a batch, per instance; median relative difference of dv)."""
    problem, parameters, a = program(t.n, t.m)
    layer = CvxpyLayer(problem, parameters=parameters, variables=[a])
    count = max(2, t.count // 4)
    arrays = (t.v, t.x, t.b, t.w, 1 - t.w)
    inputs = [torch.tensor(value[:count], dtype=torch.float64, requires_grad=l == 0) for l, value in enumerate(arrays)]
    for _ in range(2):  # the first call sets up
        inputs[0].grad = None
        start = time.process_time()
        (answer,) = layer(*inputs)
        (answer * torch.tensor(t.da[:count])).sum().backward()
        spent = time.process_time() - start
    dv = inputs[0].grad.numpy()
    differences = [abs(dv[k] - t.dv[k]).max() / max(abs(t.dv[k]).max(), 0.1) for k in range(count)]
    return 1e6 * spent / count, float(np.median(differences))


def main():
    print(f"cvxpy {cp.__version__}, law (17), microseconds of one core per instance; the solver alone: median, by its own clock")
    for n, m, scarcity in SIZES:
        t = Batch(n, m, scarcity)
        call, solver, usual, tight, name = forward(t)
        print(f"{n}x{m}, b = {scarcity} N: walras {t.fast:.2f}, polished {t.polished:.2f}, with adjoint {t.adjoint:.2f}")
        print(
            f"  {name} {call:.0f}, ratio {call / t.fast:.0f}, to the polished {call / t.polished:.0f}; the solver alone "
            f"{solver:.0f}, ratio {solver / t.fast:.0f}"
        )
        print(
            f"  utilities apart: median {np.median(usual):.1e}, max {usual.max():.1e} of {len(usual)}; to tight "
            f"tolerances median {np.median(tight):.1e}, 99% {np.quantile(tight, 0.99):.1e}, max {tight.max():.1e} of {len(tight)}"
        )
        try:
            both, gradients = backward(t)
            print(f"  cvxpylayers {both:.0f}: ratio {both / t.adjoint:.0f}; gradients in v apart: median {gradients:.1e}")
        except Exception as error:
            print("  cvxpylayers failed:", str(error).splitlines()[0][:100])
        sys.stdout.flush()


main()
