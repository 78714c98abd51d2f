"""The Eisenberg-Gale program in cvxpy against build/bench_exact_peer. Run by bench/exact_peer.sh.

maximise sum_i B_i log u_i(x_i) / sum_i B_i  subject to  sum_i x_ij <= n, x >= 0, where u_i is linear (alpha = 1) or
(sum_j sqrt(v_ij x_ij))^2 (alpha = 1/2). Times are the processor's. The ratio takes the conic solver's own, without
cvxpy's translation, which is printed too. Amounts are in units of n, so that the supply is 1."""

import subprocess
import sys
import time

import cvxpy as cp
import numpy as np

SIZES = [int(a) for a in sys.argv[1:]] or [200, 1000, 5000]
M = 10
LIMITS = {cp.CLARABEL: {"time_limit": 60.0}, cp.SCS: {"time_limit_secs": 20.0}}


def ours(n, alpha, path="build/exact_peer.bin"):
    """(values, budgets, milliseconds, log Nash welfare) of the market and our answer."""
    out = subprocess.run(
        ["build/bench_exact_peer", path, str(n), str(M), str(alpha)], check=True, capture_output=True, text=True
    ).stdout.split()
    data = np.fromfile(path)
    return data[: n * M].reshape(n, M), data[n * M :], float(out[0]), float(out[1]), float(out[2])


def log_welfare(v, budget, x, alpha):
    """Of an allocation scaled good by good to give everything away (marketfcnet, eq. 12)."""
    x = np.maximum(x, 0)
    x = x / x.sum(axis=0) * len(v)
    u = (v * x).sum(axis=1) if alpha == 1 else np.sqrt(v * x).sum(axis=1) ** 2
    return budget @ np.log(u) / budget.sum()


def peer(v, budget, alpha, solver):
    n = len(v)
    x = cp.Variable((n, M), nonneg=True)
    weight = budget / budget.sum()
    if alpha == 1:
        log_u = cp.log(cp.sum(cp.multiply(v, x), axis=1))
    else:
        log_u = 2 * cp.log(cp.sum(cp.multiply(np.sqrt(v), cp.sqrt(x)), axis=1))
    problem = cp.Problem(cp.Maximize(weight @ log_u), [cp.sum(x, axis=0) <= 1])
    start = time.process_time()
    data, chain, inverse = problem.get_problem_data(solver, solver_opts=LIMITS[solver])
    translated = time.process_time()
    raw = chain.solve_via_data(problem, data, solver_opts=LIMITS[solver])
    solved = time.process_time()
    problem.unpack_results(raw, chain, inverse)
    return 1e3 * (solved - translated), 1e3 * (solved - start), problem.status, x.value


def main():
    print(f"cvxpy {cp.__version__}, m = {M}, normal contexts, one thread")
    print(f"{'alpha':>5} {'n':>6} {'walras ms':>10} {'NG':>9}  {'solver':9} {'its ms':>9} {'all ms':>9} {'ratio':>8}  welfare below ours by")
    for alpha in (0.5, 1):
        for n in SIZES:
            v, budget, ms, lnw, gap = ours(n, alpha)
            for solver in (cp.CLARABEL, cp.SCS):
                try:
                    own, total, status, x = peer(v, budget, alpha, solver)
                except cp.error.SolverError as error:
                    print(f"{alpha:5} {n:6} {ms:10.3f} {gap:9.1e}  {solver:9} failed: {error}")
                    continue
                below = lnw - log_welfare(v, budget, x, alpha)
                note = "" if status == "optimal" else f"  ({status})"
                print(f"{alpha:5} {n:6} {ms:10.3f} {gap:9.1e}  {solver:9} {own:9.1f} {total:9.1f} {own / ms:8.0f}  {below:.1e}{note}")


main()
