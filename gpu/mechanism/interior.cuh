/* The interior point of models/mechanism/pf_interior.h by a team of threads: agents along its members, what
   is summed over agents along them again. The formulas are those of models/mechanism/pf_formulas.h. */
#ifndef WAL_GPU_MECHANISM_INTERIOR_H
#define WAL_GPU_MECHANISM_INTERIOR_H

#include "gpu/mechanism/team.cuh"

extern "C" {
#include "models/mechanism/pf.h"
#include "models/mechanism/pf_entries.h"
#include "models/mechanism/pf_formulas.h"
}

/* Arrays of an instance's room, in this order. [m, n]: resource by resource, agents side by side. */
enum {
  /* [m, n] as pf_interior.h has them; of resources that are left to decide, entries that are not there: v = z
     = a = mu = nu = 0, t = 1 */
  WAL_PF_V,
  WAL_PF_Z,
  WAL_PF_A,
  WAL_PF_T,
  WAL_PF_MU,
  WAL_PF_NU,
  WAL_PF_D,
  WAL_PF_IA,
  WAL_PF_IT,
  WAL_PF_FIRST,
  WAL_PF_STEP,
  WAL_PF_DMU,
  WAL_PF_DNU,
  WAL_PF_ENTRY_ARRAYS
};
enum {
  WAL_PF_W, /* [n] agents that are not there: w = y = 0, u = 1 */
  WAL_PF_U,
  WAL_PF_Y,
  WAL_PF_IU,
  WAL_PF_IY,
  WAL_PF_K,
  WAL_PF_DU,
  WAL_PF_DY,
  WAL_PF_CROSS,
  WAL_PF_WHOLE_VALUE, /* v . x over open entries */
  WAL_PF_SCALE,       /* the power of 2 below */
  WAL_PF_AGENT_ARRAYS
};
enum {
  WAL_PF_S, /* [m] of resources that are left, numbered from 0 */
  WAL_PF_LAMBDA,
  WAL_PF_OMEGA,
  WAL_PF_DLAMBDA,
  WAL_PF_USED,
  WAL_PF_DEMAND, /* [m] of all resources, as wal_pf_look has them */
  WAL_PF_SUPPLY,
  WAL_PF_BUDGET,
  WAL_PF_PRICE, /* the multiplier in the caller's units */
  WAL_PF_RESOURCE_ARRAYS
};

static __host__ __device__ inline int64_t wal_pf_room_doubles(int64_t n, int64_t m) {
  const int64_t numbers =
      WAL_PF_ENTRY_ARRAYS * n * m + WAL_PF_AGENT_ARRAYS * n + WAL_PF_RESOURCE_ARRAYS * m + m * (m + 1) / 2;
  return numbers + (m + 2) / 2 + (n * m + 7) / 8; /* resource[m + 1], state[n m] */
}

template <class Team>
struct wal_pf_room {
  Team team;
  int n, m;      /* 0: no instance */
  int resources; /* left to decide */
  int most;      /* the largest such number of the warp's teams */
  bool live;     /* false: the passes below have nothing to do */
  double weight; /* sum of the weights of all products */
  double *entries, *agents, *goods, *chol;
  int *resource;        /* [m + 1] which are left; how many */
  unsigned char *state; /* [m, n] wal_pf_state */

  __device__ wal_pf_room(const Team &team_, int n_, int m_, double *room, bool present)
      : team(team_),
        n(present ? n_ : 0),
        m(present ? m_ : 0),
        resources(0),
        most(0),
        live(present),
        weight(0) {
    entries = room;
    agents = entries + WAL_PF_ENTRY_ARRAYS * n_ * m_;
    goods = agents + WAL_PF_AGENT_ARRAYS * n_;
    chol = goods + WAL_PF_RESOURCE_ARRAYS * m_;
    resource = reinterpret_cast<int *>(chol + m_ * (m_ + 1) / 2);
    state = reinterpret_cast<unsigned char *>(resource + (m_ + 2) / 2 * 2);
  }
  __device__ double &entry(int array, int e) const { return entries[array * n * m + e]; }
  __device__ double &agent(int array, int i) const { return agents[array * n + i]; }
  __device__ double &good(int array, int j) const { return goods[array * m + j]; }
  /* What loops run over. */
  __device__ int rows() const { return live ? n : 0; }
  __device__ int left() const { return live ? resources : 0; }

  __device__ double sum(double x) const { return team.join(x, wal_add()); }
  __device__ double largest(double x) const { return team.join(x, wal_larger()); }
};

/* Of a team, the same in every member. */
struct wal_pf_progress {
  double gap, aim, trust, primal, dual;
  bool running, stuck;
  int steps;
};

/* ---- the matrix ---- */

/* d, 1/a, 1/t of agent i, its k, d v into STEP and what it adds to the matrix's diagonal into DNU, without a
   difference: what u and the other entries leave of it. */
template <class Team>
__device__ void wal_pf_invert(const wal_pf_room<Team> &p, int i) {
  double vdv = 0;
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    double d;
    wal_pf_invert_entry(p.entry(WAL_PF_A, e), p.entry(WAL_PF_T, e), p.entry(WAL_PF_MU, e),
                        p.entry(WAL_PF_NU, e), &p.entry(WAL_PF_IA, e), &p.entry(WAL_PF_IT, e), &d);
    const double v = p.entry(WAL_PF_V, e);
    p.entry(WAL_PF_D, e) = d;
    p.entry(WAL_PF_STEP, e) = d * v;
    p.entry(WAL_PF_DNU, e) = vdv;
    vdv = fma(d * v, v, vdv);
  }
  const double u = p.agent(WAL_PF_U, i), y = p.agent(WAL_PF_Y, i), whole = 1 / fma(y, vdv, u);
  wal_pf_invert_agent(u, y, &p.agent(WAL_PF_IU, i), &p.agent(WAL_PF_IY, i));
  p.agent(WAL_PF_K, i) = y * whole;
  double after = u;
  for (int q = p.resources - 1; q >= 0; q--) {
    const int e = q * p.n + i;
    const double others = fma(y, p.entry(WAL_PF_DNU, e), after);
    after = fma(y * p.entry(WAL_PF_STEP, e), p.entry(WAL_PF_V, e), after);
    p.entry(WAL_PF_DNU, e) = whole * p.entry(WAL_PF_D, e) * others;
  }
}

/* K_i^-1 g into DMU, where g is: the first half of a direction. */
template <class Team>
__device__ void wal_pf_gather(const wal_pf_room<Team> &p, int i) {
  double beta = 0;
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    beta = fma(p.entry(WAL_PF_D, e) * p.entry(WAL_PF_V, e), p.entry(WAL_PF_DMU, e), beta);
  }
  beta *= p.agent(WAL_PF_K, i);
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    p.entry(WAL_PF_DMU, e) = p.entry(WAL_PF_D, e) * fma(-p.entry(WAL_PF_V, e), beta, p.entry(WAL_PF_DMU, e));
  }
}

/* K_i^-1 (g - dlambda) into `to`, g where it is; du: the second half. */
template <class Team>
__device__ void wal_pf_spread(const wal_pf_room<Team> &p, int i, int g, int to) {
  double beta = 0, du = 0;
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    const double side = p.entry(g, e) - p.good(WAL_PF_DLAMBDA, q);
    p.entry(to, e) = side;
    beta = fma(p.entry(WAL_PF_D, e) * p.entry(WAL_PF_V, e), side, beta);
  }
  beta *= p.agent(WAL_PF_K, i);
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    const double v = p.entry(WAL_PF_V, e);
    p.entry(to, e) = p.entry(WAL_PF_D, e) * fma(-v, beta, p.entry(to, e));
    du = fma(v, p.entry(to, e), du);
  }
  p.agent(WAL_PF_DU, i) = du;
}

/* Adds the agents' DMU to dlambda, which holds what it begins with. */
template <class Team>
__device__ void wal_pf_gather_all(const wal_pf_room<Team> &p) {
  p.team.sync();
  wal_join_agents(
      p.team, p.left(), p.n, 0.0, [&](int q, int i) { return p.entry(WAL_PF_DMU, q * p.n + i); }, wal_add(),
      [&](int q, double x) { p.good(WAL_PF_DLAMBDA, q) += x; });
  p.team.sync();
}

/* The supply that the agents' direction uses. */
template <class Team>
__device__ void wal_pf_use_all(const wal_pf_room<Team> &p, int direction) {
  p.team.sync();
  wal_join_agents(
      p.team, p.left(), p.n, 0.0, [&](int q, int i) { return p.entry(direction, q * p.n + i); }, wal_add(),
      [&](int q, double x) { p.good(WAL_PF_USED, q) = x; });
  p.team.sync();
}

/* Entry (j, l) of the prices' matrix from what wal_pf_invert left, a sum over agents. */
template <class Team>
__device__ double wal_pf_matrix_entry(const wal_pf_room<Team> &p, int j, int l) {
  double sum = 0;
  for (int i = p.team.rank % Team::ALONG; i < p.n; i += Team::ALONG) {
    const double dv = p.entry(WAL_PF_STEP, j * p.n + i), other = p.entry(WAL_PF_STEP, l * p.n + i);
    sum += j == l ? p.entry(WAL_PF_DNU, j * p.n + i) : -p.agent(WAL_PF_K, i) * dv * other;
  }
  for (int apart = Team::ALONG / 2; apart > 0; apart /= 2) sum += __shfl_xor_sync(WAL_FULL_WARP, sum, apart);
  return j == l ? sum + wal_vec64_over(p.good(WAL_PF_S, j), p.good(WAL_PF_LAMBDA, j)) : sum;
}

/* The matrix, by rows up to the diagonal. */
template <class Team>
__device__ void wal_pf_assemble(const wal_pf_room<Team> &p) {
  const int first = p.team.rank / Team::ALONG, apart = p.team.size / Team::ALONG;
  p.team.sync();
  for (int item = first, j = 0, l = first; item < p.left() * (p.left() + 1) / 2; item += apart, l += apart) {
    while (l > j) l -= ++j; /* the next row */
    const double x = wal_pf_matrix_entry(p, j, l);
    if (p.team.rank % Team::ALONG == 0) p.chol[item] = x;
  }
  p.team.sync();
}

/* L D L' in place, column by column: L D below the diagonal, 1/D on it. */
template <class Team>
__device__ void wal_pf_decompose(const wal_pf_room<Team> &p) {
  for (int j = 0; p.team.leads() && j < p.most; j++) {
    const double *own = p.chol + j * (j + 1) / 2;
    for (int r = j + p.team.rank; r < p.left(); r += p.team.leaders()) {
      double *row = p.chol + r * (r + 1) / 2, sum = row[j];
      for (int l = 0; l < j; l++) sum = fma(-row[l], own[l] * p.chol[l * (l + 1) / 2 + l], sum);
      const double floor = wal_vec64_max(row[j] * 1e-16, WAL_PF_TINY);
      row[j] = r == j ? 1 / wal_vec64_max(sum, floor) : sum;
    }
    p.team.sync_leaders();
  }
  p.team.sync();
}

/* Solves for dlambda in place. */
template <class Team>
__device__ void wal_pf_solve_prices(const wal_pf_room<Team> &p) {
  double *x = &p.good(WAL_PF_DLAMBDA, 0);
  for (int j = 0; p.team.leads() && j < p.most; j++) {
    const double done = j < p.left() ? x[j] * p.chol[j * (j + 1) / 2 + j] : 0;
    for (int r = j + 1 + p.team.rank; r < p.left(); r += p.team.leaders())
      x[r] = fma(-p.chol[r * (r + 1) / 2 + j], done, x[r]);
    p.team.sync_leaders();
  }
  for (int j = p.most - 1; p.team.leads() && j > 0; j--) {
    const double *row = p.chol + j * (j + 1) / 2;
    const double done = j < p.left() ? x[j] * row[j] : 0;
    for (int r = p.team.rank; j < p.left() && r < j; r += p.team.leaders()) x[r] = fma(-row[r], done, x[r]);
    p.team.sync_leaders();
  }
  for (int j = p.team.rank; p.team.leads() && j < p.left(); j += p.team.leaders())
    x[j] *= p.chol[j * (j + 1) / 2 + j];
  p.team.sync();
}

/* The matrix of the point, decomposed. */
template <class Team>
__device__ void wal_pf_factor(const wal_pf_room<Team> &p) {
  for (int i = p.team.rank; i < p.rows(); i += p.team.size) wal_pf_invert(p, i);
  wal_pf_assemble(p);
  wal_pf_decompose(p);
}

/* ---- a step, in four passes over the agents ---- */

/* Takes agent i's step; returns whether a product is above tol, and adds the products to the gap. */
template <class Team>
__device__ bool wal_pf_advance_agent(const wal_pf_room<Team> &p, int i, const wal_pf_progress &now,
                                     double tol, double *gap) {
  const double u = fma(now.primal, p.agent(WAL_PF_DU, i), p.agent(WAL_PF_U, i));
  const double y = fma(now.dual, p.agent(WAL_PF_DY, i), p.agent(WAL_PF_Y, i));
  const double residual = fma(u, y, -p.agent(WAL_PF_W, i));
  double most = wal_vec64_max(residual, -residual);
  p.agent(WAL_PF_U, i) = u;
  p.agent(WAL_PF_Y, i) = y;
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    const double step = p.entry(WAL_PF_STEP, e);
    const double a = fma(now.primal, step, p.entry(WAL_PF_A, e));
    const double t = fma(-now.primal, step, p.entry(WAL_PF_T, e));
    const double mu = fma(now.dual, p.entry(WAL_PF_DMU, e), p.entry(WAL_PF_MU, e));
    const double nu = fma(now.dual, p.entry(WAL_PF_DNU, e), p.entry(WAL_PF_NU, e));
    *gap += a * mu + t * nu;
    most = wal_vec64_max(most, wal_vec64_max(a * mu, t * nu));
    p.entry(WAL_PF_A, e) = a;
    p.entry(WAL_PF_T, e) = t;
    p.entry(WAL_PF_MU, e) = mu;
    p.entry(WAL_PF_NU, e) = nu;
  }
  return most > tol * p.agent(WAL_PF_W, i);
}

template <class Team>
__device__ bool wal_pf_advance_goods(const wal_pf_room<Team> &p, const wal_pf_progress &now, double tol,
                                     double *gap) {
  bool running = false;
  for (int q = p.team.rank; q < p.left(); q += p.team.size) {
    const double s = fma(-now.primal, p.good(WAL_PF_USED, q), p.good(WAL_PF_S, q));
    const double lambda = fma(now.dual, p.good(WAL_PF_DLAMBDA, q), p.good(WAL_PF_LAMBDA, q));
    *gap += s * lambda;
    running |= s * lambda > tol * p.good(WAL_PF_OMEGA, q);
    p.good(WAL_PF_S, q) = s;
    p.good(WAL_PF_LAMBDA, q) = lambda;
    p.good(WAL_PF_DLAMBDA, q) = -s;
  }
  p.team.sync();
  return running;
}

/* First pass: the last step is taken, the matrix and the predictor's prices are made; those of a point that
   has converged only where `last`. */
template <class Team>
__device__ void wal_pf_first_pass(wal_pf_room<Team> &p, wal_pf_progress &now, double tol, bool last) {
  double gap = 0;
  bool running = wal_pf_advance_goods(p, now, tol, &gap);
  for (int i = p.team.rank; i < p.rows(); i += p.team.size) {
    running |= wal_pf_advance_agent(p, i, now, tol, &gap);
    wal_pf_invert(p, i);
    const double ratio = p.agent(WAL_PF_W, i) * p.agent(WAL_PF_IU, i);
    for (int q = 0; q < p.resources; q++) {
      const int e = q * p.n + i;
      p.entry(WAL_PF_DMU, e) =
          wal_pf_predictor_side(ratio, p.entry(WAL_PF_V, e), p.entry(WAL_PF_Z, e), p.good(WAL_PF_LAMBDA, q));
    }
    wal_pf_gather(p, i);
  }
  now.gap = wal_vec64_over(p.sum(gap), p.weight);
  now.running = p.largest(running ? 1 : 0) > 0;
  p.live = p.live && (now.running || last);
  wal_pf_gather_all(p);
  wal_pf_assemble(p);
  wal_pf_decompose(p);
  p.live = p.live && now.running;
}

/* The mean product after the predictor, over the present one. */
template <class Team>
__device__ double wal_pf_predicted(const wal_pf_room<Team> &p, const wal_pf_progress &now, double cross,
                                   double curve) {
  const double primal = wal_pf_length(1, now.primal), dual = wal_pf_length(1, now.dual);
  double goods = 0, sum = 0;
  for (int q = p.team.rank; q < p.left(); q += p.team.size) {
    goods += p.good(WAL_PF_S, q) * p.good(WAL_PF_LAMBDA, q);
    sum += (p.good(WAL_PF_S, q) - primal * p.good(WAL_PF_USED, q)) *
           fma(dual, p.good(WAL_PF_DLAMBDA, q), p.good(WAL_PF_LAMBDA, q));
  }
  const double all = now.gap * p.weight, total = all - p.sum(goods);
  return (p.sum(sum) + total - dual * (total + cross) + primal * cross + primal * dual * curve) / all;
}

/* The bounds that the resources set join those that this member's agents set; then all members'. */
template <class Team>
__device__ void wal_pf_bound_all(const wal_pf_room<Team> &p, wal_pf_progress &now) {
  for (int q = p.team.rank; q < p.left(); q += p.team.size)
    wal_pf_bound_resource(p.good(WAL_PF_S, q), p.good(WAL_PF_LAMBDA, q), p.good(WAL_PF_USED, q),
                          p.good(WAL_PF_DLAMBDA, q), &now.primal, &now.dual);
  now.primal = p.largest(now.primal);
  now.dual = p.largest(now.dual);
}

template <class Team>
__device__ void wal_pf_bound_one(const wal_pf_room<Team> &p, int i, double cross, wal_pf_progress &now) {
  p.agent(WAL_PF_DY, i) = wal_pf_bound_agent(p.agent(WAL_PF_W, i), p.agent(WAL_PF_U, i), p.agent(WAL_PF_Y, i),
                                             p.agent(WAL_PF_IU, i), p.agent(WAL_PF_IY, i),
                                             p.agent(WAL_PF_DU, i), cross, &now.primal, &now.dual);
}

/* Second pass: the predictor, and what the corrector is to aim at. */
template <class Team>
__device__ void wal_pf_second_pass(wal_pf_room<Team> &p, wal_pf_progress &now, double tol) {
  double cross = 0, curve = 0;
  now.primal = now.dual = 0;
  wal_pf_solve_prices(p);
  for (int i = p.team.rank; i < p.rows(); i += p.team.size) {
    const double ratio = p.agent(WAL_PF_W, i) * p.agent(WAL_PF_IU, i);
    for (int q = 0; q < p.resources; q++) {
      const int e = q * p.n + i;
      p.entry(WAL_PF_DMU, e) =
          wal_pf_predictor_side(ratio, p.entry(WAL_PF_V, e), p.entry(WAL_PF_Z, e), p.good(WAL_PF_LAMBDA, q));
    }
    wal_pf_spread(p, i, WAL_PF_DMU, WAL_PF_FIRST);
    wal_pf_bound_one(p, i, 0, now);
    for (int q = 0; q < p.resources; q++) {
      const int e = q * p.n + i;
      wal_pf_predict_entry(p.entry(WAL_PF_FIRST, e), p.entry(WAL_PF_MU, e), p.entry(WAL_PF_NU, e),
                           p.entry(WAL_PF_IA, e), p.entry(WAL_PF_IT, e), &now.primal, &now.dual, &cross,
                           &curve);
    }
  }
  wal_pf_use_all(p, WAL_PF_FIRST);
  wal_pf_bound_all(p, now);
  cross = p.sum(cross);
  curve = p.sum(curve);
  const double left = wal_pf_predicted(p, now, cross, curve);
  wal_pf_choose_aim(left, now.gap, now.primal, now.dual, now.stuck, tol, &now.aim, &now.trust);
}

__device__ static inline void wal_pf_entry_targets(double first, double mu, double nu, double ia, double it,
                                                   double w, const wal_pf_progress &now, double *lower,
                                                   double *upper) {
  wal_pf_targets(first, mu, nu, ia, it, now.aim * w, now.trust, lower, upper);
}

/* Right side of the corrector for agent i into DMU. */
template <class Team>
__device__ void wal_pf_correct(const wal_pf_room<Team> &p, int i, const wal_pf_progress &now) {
  const double w = p.agent(WAL_PF_W, i), ratio = (w - p.agent(WAL_PF_CROSS, i)) * p.agent(WAL_PF_IU, i);
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    const double ia = p.entry(WAL_PF_IA, e), it = p.entry(WAL_PF_IT, e);
    double lower, upper;
    wal_pf_entry_targets(p.entry(WAL_PF_FIRST, e), p.entry(WAL_PF_MU, e), p.entry(WAL_PF_NU, e), ia, it, w,
                         now, &lower, &upper);
    p.entry(WAL_PF_DMU, e) = wal_pf_corrector_side(ratio, p.entry(WAL_PF_V, e), p.entry(WAL_PF_Z, e),
                                                   p.good(WAL_PF_LAMBDA, q), ia, it, lower, upper);
  }
}

/* Third pass: the corrector's prices. */
template <class Team>
__device__ void wal_pf_third_pass(const wal_pf_room<Team> &p, const wal_pf_progress &now) {
  for (int q = p.team.rank; q < p.left(); q += p.team.size) {
    const double target =
        now.aim * p.good(WAL_PF_OMEGA, q) + now.trust * p.good(WAL_PF_USED, q) * p.good(WAL_PF_DLAMBDA, q);
    p.good(WAL_PF_DLAMBDA, q) = wal_vec64_over(target, p.good(WAL_PF_LAMBDA, q)) - p.good(WAL_PF_S, q);
  }
  for (int i = p.team.rank; i < p.rows(); i += p.team.size) {
    p.agent(WAL_PF_CROSS, i) = now.trust * p.agent(WAL_PF_DU, i) * p.agent(WAL_PF_DY, i);
    wal_pf_correct(p, i, now);
    wal_pf_gather(p, i);
  }
  wal_pf_gather_all(p);
}

/* Fourth pass: the whole direction, and how far to go. */
template <class Team>
__device__ void wal_pf_fourth_pass(const wal_pf_room<Team> &p, wal_pf_progress &now) {
  now.primal = now.dual = 0;
  wal_pf_solve_prices(p);
  for (int i = p.team.rank; i < p.rows(); i += p.team.size) {
    wal_pf_correct(p, i, now);
    wal_pf_spread(p, i, WAL_PF_DMU, WAL_PF_STEP);
    wal_pf_bound_one(p, i, p.agent(WAL_PF_CROSS, i), now);
    for (int q = 0; q < p.resources; q++) {
      const int e = q * p.n + i;
      const double mu = p.entry(WAL_PF_MU, e), nu = p.entry(WAL_PF_NU, e);
      const double ia = p.entry(WAL_PF_IA, e), it = p.entry(WAL_PF_IT, e);
      double lower, upper;
      wal_pf_entry_targets(p.entry(WAL_PF_FIRST, e), mu, nu, ia, it, p.agent(WAL_PF_W, i), now, &lower,
                           &upper);
      wal_pf_correct_entry(p.entry(WAL_PF_STEP, e), mu, nu, ia, it, lower, upper, &p.entry(WAL_PF_DMU, e),
                           &p.entry(WAL_PF_DNU, e), &now.primal, &now.dual);
    }
  }
  wal_pf_use_all(p, WAL_PF_STEP);
  wal_pf_bound_all(p, now);
  const double fraction = wal_pf_fraction(now.gap);
  now.primal = wal_pf_length(fraction, now.primal);
  now.dual = wal_pf_length(fraction, now.dual);
  now.stuck = wal_vec64_min(now.primal, now.dual) < 0.1;
}

/* Steps until the products are below tol times their weights, or max_steps: now->running then. A team that is
   done waits for the others of its warp and touches nothing. last: the last point's matrix is wanted. */
template <class Team>
__device__ void wal_pf_run_steps(wal_pf_room<Team> &p, double tol, int max_steps, bool last,
                                 wal_pf_progress *out) {
  wal_pf_progress now = {};
  p.live = p.resources > 0;
  for (int step = 0;; step++) {
    const bool was_live = p.live;
    wal_pf_progress next = now;
    wal_pf_first_pass(p, next, tol, last);
    if (was_live) now = next;
    if (!p.team.any(p.live) || step == max_steps) break;
    now.steps += p.live;
    next = now;
    wal_pf_second_pass(p, next, tol);
    wal_pf_third_pass(p, next);
    wal_pf_fourth_pass(p, next);
    if (p.live) now = next;
  }
  p.live = p.n > 0;
  *out = now;
}

#endif
