"""Maximum Nash welfare in cvxpy against build/bench_nashwelfare. Run by bench/nashwelfare_peer.sh.

maximise sum_i b_i log(c_i . z_i)  subject to  A_i z_i <= B_i x_i + r_i,  0 <= z <= h,  x >= 0,  sum_i x_i <= 1, with the
matrices that the program uses. A market's problem is built before the clock starts. Two times of the peer: the whole call
(which compiles the problem for the solver), and the solver alone. Its allocations are judged by the program: goods
oversold are scaled down, utilities are computed anew, and the gap is to our certified bound."""

import subprocess
import sys
import time
import warnings

import cvxpy as cp
import numpy as np
import scipy.sparse as sp

COUNTS = {10: int(sys.argv[1]) if len(sys.argv) > 1 else 10, 50: int(sys.argv[2]) if len(sys.argv) > 2 else 2}
LIMIT = float(sys.argv[3]) if len(sys.argv) > 3 else 60
FAMILIES = ["linear", "bounded_linear", "splc", "leontief_free", "network", "plc"]
TIGHT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "max_iter": 200, "time_limit": LIMIT}
SOLVERS = {
    "Clarabel": (cp.CLARABEL, {"time_limit": LIMIT}),
    "Clarabel, 1e-12": (cp.CLARABEL, TIGHT),
    "ECOS": (cp.ECOS, {}),
    "SCS": (cp.SCS, {"time_limit_secs": LIMIT}),
}
PATH, BACK = "build/nashwelfare_peer.bin", "build/nashwelfare_peer.back"


class Stream:
    def __init__(self, path):
        self.data, self.at = np.fromfile(path), 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self):
        return self.take(1)[0]

    def matrix(self, rows, columns):
        entries = self.take(3 * int(self.number())).reshape(-1, 3)
        return sp.csc_matrix((entries[:, 2], (entries[:, 0].astype(int), entries[:, 1].astype(int))), (rows, columns))


class Market:
    """All agents' programs in one: block-diagonal A and B, utilities C z."""

    def __init__(self, stream, n, m):
        self.n, self.m, self.budget = n, m, stream.take(n)
        a, b, r, h, c = [], [], [], [], []
        for _ in range(n):
            rows, columns = int(stream.number()), int(stream.number())
            a.append(stream.matrix(rows, columns))
            b.append(stream.matrix(rows, m))
            r.append(stream.take(rows))
            h.append(stream.take(columns))
            c.append(stream.take(columns).reshape(1, -1))
        self.a, self.b, self.c = (sp.block_diag(blocks, format="csr") for blocks in (a, b, c))
        self.r, self.h = np.concatenate(r), np.concatenate(h)
        self.log_welfare, self.gap, self.seconds = stream.take(3)

    def problem(self):
        z, x = cp.Variable(self.a.shape[1], nonneg=True), cp.Variable(self.n * self.m, nonneg=True)
        supply = sp.hstack([sp.identity(self.m)] * self.n, format="csr")
        limits = [self.a @ z <= self.b @ x + self.r, supply @ x <= 1]
        bounded = np.flatnonzero(np.isfinite(self.h))
        if bounded.size:
            limits.append(z[bounded] <= self.h[bounded])
        self.x = x
        return cp.Problem(cp.Maximize(self.budget @ cp.log(self.c @ z)), limits)


def call(market, solver, options):
    """Seconds of the processor of the whole call and of the solver alone, status, allocation (None: none)."""
    problem = market.problem()
    begun = time.process_time()
    data, chain, inverse = problem.get_problem_data(solver, solver_opts=dict(options))
    compiled = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = chain.solve_via_data(problem, data, warm_start=False, verbose=False, solver_opts=dict(options))
            done = time.process_time()
            problem.unpack_results(raw, chain, inverse)
        status = problem.status
    except cp.SolverError:
        done, status = time.process_time(), "error"
    return done - begun, done - compiled, status, market.x.value


def judge(family, size, markets, allocations):
    """Gaps of the peer's allocations; NaN where there is none."""
    stored = [np.zeros((size, size)) if y is None else y.reshape(size, size) for y in allocations]
    np.concatenate([y.ravel() for y in stored]).tofile(BACK)
    command = ["build/bench_nashwelfare", "judge", BACK, family, str(size), str(size), str(len(markets))]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    gaps = np.array([float(t) for t in text.split()])
    return np.where([y is None for y in allocations], np.nan, gaps)


def compare(family, size):
    count = COUNTS[size]
    command = ["build/bench_nashwelfare", "write", PATH, family, str(size), str(size), str(count)]
    subprocess.run(command, check=True)
    stream = Stream(PATH)
    markets = [Market(stream, size, size) for _ in range(count)]
    ours = np.array([m.seconds for m in markets])
    worst = max(m.gap for m in markets)
    for name, (solver, options) in SOLVERS.items():
        answers = [call(m, solver, options) for m in markets]
        gaps = judge(family, size, markets, [a[3] for a in answers])
        whole, own = np.array([a[0] for a in answers]), np.array([a[1] for a in answers])
        other = sum(a[2] != "optimal" for a in answers)
        found = gaps[np.isfinite(gaps)] if np.isfinite(gaps).any() else np.array([np.nan])
        print(
            f"{family} {size}x{size} | {count} | {1e3 * np.median(ours):.3g} | {worst:.0e} | {name} | "
            f"{1e3 * np.median(whole):.4g} | {1e3 * np.median(own):.4g} | {np.median(whole / ours):.0f} | "
            f"{np.median(own / ours):.0f} | {np.median(found):.0e} | {np.max(found):.0e} | {other} "
            f"({', '.join(sorted({a[2] for a in answers}))})",
            flush=True,
        )


print("market | markets | ours, ms | our largest gap | solver | call, ms | solver alone, ms | call / ours | alone / ours | "
      "its median gap | largest | not optimal")
for side in (10, 50):
    if COUNTS[side]:
        for law in FAMILIES:
            compare(law, side)
