/* One instance by a team: what is left to decide, the start, the answer with its certificate, the
   derivatives; as models/mechanism/pf_reduce.c, pf_group.c, pf_kkt.c and pf_adjoint.c have them. */
#ifndef WAL_GPU_MECHANISM_INSTANCE_H
#define WAL_GPU_MECHANISM_INSTANCE_H

#include "gpu/mechanism/interior.cuh"
#include "gpu/mechanism/task.h"

/* One instance of it. */
struct wal_pf_instance {
  int64_t k;
  const double *v, *x, *b, *z, *da; /* [N, M], [M] */
};

__device__ static inline wal_pf_instance wal_pf_instance_of(const wal_pf_task &task, int64_t k) {
  const int64_t m = task.in.m, nm = task.in.n * m;
  return {k,
          task.in.v + k * nm,
          task.in.x + k * nm,
          task.in.b + k * m,
          task.z ? task.z + k * nm : nullptr,
          task.da ? task.da + k * nm : nullptr};
}

__device__ static inline double wal_pf_z_at(const wal_pf_instance &own, int g) {
  return own.z ? own.z[g] : 0.0;
}

/* ---- what is left to decide ---- */

/* Open entries of agent i are WHOLE for now; FIRST has their demands. */
template <class Team>
__device__ void wal_pf_find_open(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                 const wal_pf_instance &own, int i) {
  const bool takes_part = wal_pf_takes_part(&task.in, own.k, i);
  double whole = 0;
  for (int j = 0; j < p.m; j++) {
    const int g = i * p.m + j, e = j * p.n + i;
    const double x = own.x[g], b = own.b[j];
    const bool open = takes_part && wal_pf_open(own.v[g], x, b, wal_pf_z_at(own, g));
    p.state[e] = open ? WAL_PF_WHOLE : WAL_PF_CLOSED;
    p.entry(WAL_PF_FIRST, e) = open ? x : 0;
    whole += open ? own.v[g] * (x < b ? x : b) : 0;
  }
  p.agent(WAL_PF_WHOLE_VALUE, i) = whole;
}

/* LEFT entries of agent i, of resources that do not suffice or of which it does not want all; FIRST has its
   weight there. Its part in the program: W, or 0. */
template <class Team>
__device__ void wal_pf_find_left(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                 const wal_pf_instance &own, int i) {
  const double w = wal_pf_weight(&task.in, own.k, i), whole = p.agent(WAL_PF_WHOLE_VALUE, i);
  bool any = false;
  for (int j = 0; j < p.m; j++) {
    const int g = i * p.m + j, e = j * p.n + i;
    const bool spared = own.z && own.z[g] > w * (own.v[g] / whole);
    const bool left = p.state[e] == WAL_PF_WHOLE && (p.good(WAL_PF_DEMAND, j) > own.b[j] || spared);
    if (left) p.state[e] = WAL_PF_LEFT;
    p.entry(WAL_PF_FIRST, e) = left ? w : 0;
    any |= left;
  }
  p.agent(WAL_PF_W, i) = any ? w : 0;
  p.agent(WAL_PF_SCALE, i) = any ? wal_pf_power_below(whole) : 1;
}

struct wal_pf_least {
  __device__ double operator()(double a, double b) const { return b > 0 && (!(a > 0) || b < a) ? b : a; }
};

/* By one thread: the resources with LEFT entries, whose OMEGA is not 0, and their units. */
template <class Team>
__device__ void wal_pf_list_goods(const wal_pf_room<Team> &p, const wal_pf_instance &own) {
  int count = 0;
  for (int j = 0; j < p.m; j++) {
    const double b = own.b[j], demand = p.good(WAL_PF_DEMAND, j), omega = p.good(WAL_PF_OMEGA, j);
    const double budget = demand <= b ? 2 * demand : b; /* suffices: far from binding */
    p.good(WAL_PF_BUDGET, j) = budget;
    p.good(WAL_PF_SUPPLY, j) = wal_pf_power_below(budget);
    p.good(WAL_PF_PRICE, j) = 0;
    if (!(omega > 0)) continue;
    p.good(WAL_PF_OMEGA, count) = omega;
    p.good(WAL_PF_S, count) = budget / p.good(WAL_PF_SUPPLY, j);
    p.resource[count++] = j;
  }
  p.resource[p.m] = count;
}

/* Agent i's entries in the interior point's units; U: the utility of what is decided. */
template <class Team>
__device__ void wal_pf_pack(const wal_pf_room<Team> &p, const wal_pf_instance &own, int i, double unit) {
  const double scale = p.agent(WAL_PF_SCALE, i);
  double decided = 0;
  for (int j = 0; j < p.m; j++)
    if (p.state[j * p.n + i] == WAL_PF_WHOLE) decided += own.v[i * p.m + j] * own.x[i * p.m + j];
  const bool there = p.agent(WAL_PF_W, i) > 0;
  p.agent(WAL_PF_W, i) /= unit;
  p.agent(WAL_PF_U, i) = there ? decided / scale : 1;
  p.agent(WAL_PF_DU, i) = p.agent(WAL_PF_DY, i) = 0;
  for (int q = 0; q < p.resources; q++) {
    const int j = p.resource[q], g = i * p.m + j, e = q * p.n + i;
    const double supply = p.good(WAL_PF_SUPPLY, j);
    const bool left = p.state[j * p.n + i] == WAL_PF_LEFT;
    p.entry(WAL_PF_V, e) = left ? own.v[g] / scale * supply : 0;
    p.entry(WAL_PF_Z, e) = left ? wal_pf_z_at(own, g) * supply / unit : 0;
    p.entry(WAL_PF_T, e) = left ? wal_pf_pack_demand(own.x[g], own.b[j]) / supply : 1;
    p.entry(WAL_PF_MU, e) = left ? 1 : 0;
    p.entry(WAL_PF_A, e) = p.entry(WAL_PF_NU, e) = 0;
    p.entry(WAL_PF_STEP, e) = p.entry(WAL_PF_DMU, e) = p.entry(WAL_PF_DNU, e) = 0;
  }
}

/* The reduced instance in the room; returns the unit of its weights. */
template <class Team>
__device__ double wal_pf_look_at(wal_pf_room<Team> &p, const wal_pf_task &task, const wal_pf_instance &own) {
  const auto first = [&](int j, int i) { return p.entry(WAL_PF_FIRST, j * p.n + i); };
  for (int i = p.team.rank; i < p.n; i += p.team.size) wal_pf_find_open(p, task, own, i);
  p.team.sync();
  wal_join_agents(p.team, p.m, p.n, 0.0, first, wal_add(),
                  [&](int j, double x) { p.good(WAL_PF_DEMAND, j) = x; });
  p.team.sync();
  double weight = 0;
  for (int i = p.team.rank; i < p.n; i += p.team.size) {
    wal_pf_find_left(p, task, own, i);
    weight = wal_vec64_max(p.agent(WAL_PF_W, i), weight);
  }
  const double unit = wal_pf_power_below(p.largest(weight));
  p.team.sync();
  wal_join_agents(p.team, p.m, p.n, 0.0, first, wal_pf_least(),
                  [&](int j, double x) { p.good(WAL_PF_OMEGA, j) = x / unit; });
  p.team.sync();
  if (p.n > 0 && p.team.rank == 0) wal_pf_list_goods(p, own);
  p.team.sync();
  p.resources = p.n > 0 ? p.resource[p.m] : 0;
  p.most = p.team.most(p.resources);
  for (int i = p.team.rank; i < p.n; i += p.team.size) wal_pf_pack(p, own, i, unit);
  p.team.sync();
  return unit;
}

/* ---- the start ---- */

/* 1/price of each resource if nobody wanted another one, into DLAMBDA. */
template <class Team>
__device__ void wal_pf_water_levels(const wal_pf_room<Team> &p) {
  for (int q = p.team.rank; q < p.resources; q += p.team.size) p.good(WAL_PF_DLAMBDA, q) = 0;
  for (int round = 0; round < WAL_PF_WATER_ROUNDS; round++) {
    p.team.sync();
    wal_join_agents(
        p.team, 2 * p.resources, p.n, 0.0,
        [&](int item, int i) {
          const int q = item / 2, e = q * p.n + i;
          const double w = p.agent(WAL_PF_W, i), share = w * p.good(WAL_PF_DLAMBDA, q),
                       t = p.entry(WAL_PF_T, e);
          if (!(p.entry(WAL_PF_MU, e) > 0)) return 0.0;
          return item % 2 ? share < t ? w : 0 : wal_vec64_min(share, t);
        },
        wal_add(), [&](int item, double x) { p.good(item % 2 ? WAL_PF_LAMBDA : WAL_PF_USED, item / 2) = x; });
    p.team.sync();
    for (int q = p.team.rank; q < p.resources; q += p.team.size)
      p.good(WAL_PF_DLAMBDA, q) += wal_vec64_over(
          wal_vec64_max(p.good(WAL_PF_S, q) - p.good(WAL_PF_USED, q), 0), p.good(WAL_PF_LAMBDA, q));
  }
  p.team.sync();
}

template <class Team>
__device__ void wal_pf_start_agent(const wal_pf_room<Team> &p, int i) {
  const double w = p.agent(WAL_PF_W, i);
  double u = p.agent(WAL_PF_U, i);
  for (int q = 0; q < p.resources; q++)
    u = fma(p.entry(WAL_PF_V, q * p.n + i), p.entry(WAL_PF_A, q * p.n + i), u);
  double y = w / u;
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    y = wal_pf_start_dual(y, p.entry(WAL_PF_V, e), p.entry(WAL_PF_Z, e), p.entry(WAL_PF_T, e), w,
                          p.good(WAL_PF_LAMBDA, q));
  }
  for (int q = 0; q < p.resources; q++) {
    const int e = q * p.n + i;
    if (!(p.entry(WAL_PF_MU, e) > 0)) continue;
    const double excess = p.good(WAL_PF_LAMBDA, q) + p.entry(WAL_PF_Z, e) - y * p.entry(WAL_PF_V, e);
    wal_pf_start_multipliers(excess, p.entry(WAL_PF_A, e), p.entry(WAL_PF_T, e), w, &p.entry(WAL_PF_MU, e),
                             &p.entry(WAL_PF_NU, e));
  }
  p.agent(WAL_PF_U, i) = u;
  p.agent(WAL_PF_Y, i) = y;
}

/* A point strictly inside. */
template <class Team>
__device__ void wal_pf_start(wal_pf_room<Team> &p) {
  const double spent = wal_pf_spent(p.resources);
  double weight = 0;
  wal_pf_water_levels(p);
  for (int i = p.team.rank; i < p.n; i += p.team.size)
    for (int q = 0; q < p.resources; q++) {
      const int e = q * p.n + i;
      if (!(p.entry(WAL_PF_MU, e) > 0)) continue;
      const double w = p.agent(WAL_PF_W, i);
      p.entry(WAL_PF_A, e) =
          wal_pf_start_amount(p.good(WAL_PF_DLAMBDA, q), p.entry(WAL_PF_Z, e), w, p.entry(WAL_PF_T, e));
      p.entry(WAL_PF_T, e) -= p.entry(WAL_PF_A, e);
      weight += w + w;
    }
  wal_pf_use_all(p, WAL_PF_A);
  for (int q = p.team.rank; q < p.resources; q += p.team.size) {
    const double s = p.good(WAL_PF_S, q) - p.good(WAL_PF_USED, q);
    p.good(WAL_PF_LAMBDA, q) = s > 0 ? wal_vec64_over(spent, p.good(WAL_PF_DLAMBDA, q)) : 0;
    p.good(WAL_PF_S, q) = s;
    p.good(WAL_PF_USED, q) = p.good(WAL_PF_DLAMBDA, q) = 0;
    weight += p.good(WAL_PF_OMEGA, q);
  }
  p.weight = p.sum(weight);
  p.team.sync();
  for (int i = p.team.rank; i < p.n; i += p.team.size) wal_pf_start_agent(p, i);
  p.team.sync(); /* who is done may move the resources' prices */
}

/* ---- the answer, in the caller's units ---- */

/* Agent i's utility of FIRST into CROSS. */
template <class Team>
__device__ void wal_pf_measure_agent(const wal_pf_room<Team> &p, const wal_pf_instance &own, int i) {
  double u = 0;
  for (int j = 0; j < p.m; j++) u += own.v[i * p.m + j] * p.entry(WAL_PF_FIRST, j * p.n + i);
  p.agent(WAL_PF_CROSS, i) = u;
}

/* Agent i's amounts into FIRST [m, n]. */
template <class Team>
__device__ void wal_pf_unpack_agent(const wal_pf_room<Team> &p, const wal_pf_instance &own, int i) {
  for (int j = 0; j < p.m; j++) {
    const int e = j * p.n + i;
    p.entry(WAL_PF_FIRST, e) = p.state[e] == WAL_PF_WHOLE ? own.x[i * p.m + j] : 0;
  }
  for (int q = 0; q < p.resources; q++) {
    const int j = p.resource[q], e = q * p.n + i;
    const double supply = p.good(WAL_PF_SUPPLY, j);
    if (p.state[j * p.n + i] == WAL_PF_LEFT)
      p.entry(WAL_PF_FIRST, j * p.n + i) = wal_pf_unpack_amount(
          own.x[i * p.m + j], p.entry(WAL_PF_A, e) * supply, p.entry(WAL_PF_T, e) * supply);
  }
  wal_pf_measure_agent(p, own, i);
}

/* Amounts FIRST, utilities CROSS and prices PRICE. */
template <class Team>
__device__ void wal_pf_unpack(const wal_pf_room<Team> &p, const wal_pf_instance &own, double unit) {
  for (int q = p.team.rank; q < p.resources; q += p.team.size) {
    const int j = p.resource[q];
    if (p.good(WAL_PF_DEMAND, j) > own.b[j])
      p.good(WAL_PF_PRICE, j) = p.good(WAL_PF_LAMBDA, q) * unit / p.good(WAL_PF_SUPPLY, j);
  }
  for (int i = p.team.rank; i < p.n; i += p.team.size) wal_pf_unpack_agent(p, own, i);
  p.team.sync();
}

/* p_im of an entry. */
template <class Team>
__device__ double wal_pf_worth(const wal_pf_room<Team> &p, const wal_pf_task &task,
                               const wal_pf_instance &own, int i, int j) {
  return wal_pf_weight(&task.in, own.k, i) * (own.v[i * p.m + j] / p.agent(WAL_PF_CROSS, i));
}

/* p_im - z_im - lambda_m. */
template <class Team>
__device__ double wal_pf_excess(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                const wal_pf_instance &own, int i, int j) {
  return wal_pf_worth(p, task, own, i, j) - wal_pf_z_at(own, i * p.m + j) - p.good(WAL_PF_PRICE, j);
}

/* What is given of each resource into OMEGA, its dearest p_im into DLAMBDA. */
template <class Team>
__device__ void wal_pf_measure_goods(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                     const wal_pf_instance &own) {
  p.team.sync();
  wal_join_agents(
      p.team, p.m, p.n, 0.0, [&](int j, int i) { return p.entry(WAL_PF_FIRST, j * p.n + i); }, wal_add(),
      [&](int j, double x) { p.good(WAL_PF_OMEGA, j) = x; });
  wal_join_agents(
      p.team, p.m, p.n, 0.0,
      [&](int j, int i) { return p.state[j * p.n + i] ? wal_pf_worth(p, task, own, i, j) : 0.0; },
      wal_larger(), [&](int j, double x) { p.good(WAL_PF_DLAMBDA, j) = x; });
  p.team.sync();
}

/* The multipliers of the bounds of an entry by (11a). */
template <class Team>
__device__ void wal_pf_multipliers(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                   const wal_pf_instance &own, int i, int j, double *mu, double *nu) {
  *mu = *nu = 0;
  if (p.state[j * p.n + i] == WAL_PF_CLOSED) return;
  wal_pf_bound_multipliers(wal_pf_excess(p, task, own, i, j), p.entry(WAL_PF_FIRST, j * p.n + i),
                           own.x[i * p.m + j], mu, nu);
}

/* Agent i's multipliers to the caller, and its residual. */
template <class Team>
__device__ double wal_pf_agent_residual(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                        const wal_pf_instance &own, int i) {
  const double w = wal_pf_weight(&task.in, own.k, i), u = p.agent(WAL_PF_CROSS, i);
  double worst = wal_pf_takes_part(&task.in, own.k, i) && !(u > 0) ? INFINITY : 0;
  for (int j = 0; j < p.m; j++) {
    const int g = i * p.m + j;
    const double a = p.entry(WAL_PF_FIRST, j * p.n + i);
    double mu, nu;
    wal_pf_multipliers(p, task, own, i, j, &mu, &nu);
    const double residual = p.state[j * p.n + i] == WAL_PF_CLOSED
                                ? wal_pf_closed_residual(a, own.x[g], own.b[j])
                                : wal_pf_open_residual(wal_pf_z_at(own, g), w, own.v[g] / u, own.x[g],
                                                       own.b[j], a, mu, nu, p.good(WAL_PF_PRICE, j));
    worst = wal_pf_larger(worst, residual);
    if (task.out.mu) task.out.mu[own.k * p.n * p.m + g] = mu;
    if (task.out.nu) task.out.nu[own.k * p.n * p.m + g] = nu;
  }
  return worst;
}

struct wal_pf_worse {
  __device__ double operator()(double a, double b) const { return wal_pf_larger(a, b); }
};

/* The certificate, as wal_pf_kkt has it. */
template <class Team>
__device__ double wal_pf_residual(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                  const wal_pf_instance &own) {
  double worst = 0;
  wal_pf_measure_goods(p, task, own);
  for (int i = p.team.rank; i < p.n; i += p.team.size)
    worst = wal_pf_larger(worst, wal_pf_agent_residual(p, task, own, i));
  for (int j = p.team.rank; j < p.m; j += p.team.size)
    worst =
        wal_pf_larger(worst, wal_pf_resource_residual(p.good(WAL_PF_PRICE, j), own.b[j],
                                                      p.good(WAL_PF_OMEGA, j), p.good(WAL_PF_DLAMBDA, j)));
  return p.team.join(worst, wal_pf_worse());
}

/* Everything of the instance that the caller wants but derivatives. Returns whether that is finite, and
   certified where it has to be. */
template <class Team>
__device__ bool wal_pf_answer(const wal_pf_room<Team> &p, const wal_pf_task &task, const wal_pf_instance &own,
                              const wal_pf_progress &end) {
  const double good = 1e-12; /* a residual that no interior point has by chance */
  const bool looked_at = task.strict || task.out.kkt || task.out.mu || task.out.nu;
  const double kkt = looked_at ? wal_pf_residual(p, task, own) : 0;
  double finite = 0;
  for (int i = p.team.rank; i < p.n; i += p.team.size) {
    const double u = p.agent(WAL_PF_CROSS, i);
    finite += 0 * u;
    if (task.out.u) task.out.u[own.k * p.n + i] = u;
    for (int j = 0; j < p.m; j++)
      task.out.a[(own.k * p.n + i) * p.m + j] = p.entry(WAL_PF_FIRST, j * p.n + i);
  }
  for (int j = p.team.rank; task.out.lambda && j < p.m; j += p.team.size)
    task.out.lambda[own.k * p.m + j] = p.good(WAL_PF_PRICE, j);
  if (p.n > 0 && p.team.rank == 0) {
    if (task.out.kkt) task.out.kkt[own.k] = kkt;
    if (task.out.steps) task.out.steps[own.k] = end.steps;
  }
  finite = p.sum(finite);
  return finite == 0 && (!task.strict || kkt <= good);
}

/* ---- the polish: what is at a bound is put there, Newton steps for the others ---- */

/* Where both sides of a complementary pair are nearer to 0 than this, the allocation has no derivative. */
#define WAL_PF_UNCLEAR 1e-9

/* A state beyond those of pf_entries.h: LEFT, and strictly between its bounds. */
static const unsigned char WAL_PF_BETWEEN = WAL_PF_LEFT + 1;

/* Leaves entry q of agent i as good as free, or where it is. */
template <class Team>
__device__ void wal_pf_hold(const wal_pf_room<Team> &p, const wal_pf_instance &own, int i, int q,
                            bool is_free) {
  const int j = p.resource[q], e = q * p.n + i;
  const double x = wal_pf_pack_demand(own.x[i * p.m + j], own.b[j]) / p.good(WAL_PF_SUPPLY, j);
  const double soft = wal_pf_softness(p.entry(WAL_PF_V, e), x, p.agent(WAL_PF_W, i), p.agent(WAL_PF_U, i),
                                      p.agent(WAL_PF_Y, i));
  p.state[j * p.n + i] = is_free ? WAL_PF_BETWEEN : static_cast<unsigned char>(WAL_PF_LEFT);
  p.entry(WAL_PF_A, e) = is_free ? 1 : 0;
  p.entry(WAL_PF_T, e) = 1;
  p.entry(WAL_PF_MU, e) = p.entry(WAL_PF_NU, e) = is_free ? 0.5 * soft : 0;
}

/* Puts an entry of agent i that was left where the solution has it. False: it is too near to where that
   changes. */
template <class Team>
__device__ bool wal_pf_place_entry(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                   const wal_pf_instance &own, int i, int q) {
  const int j = p.resource[q], g = i * p.m + j;
  double &a = p.entry(WAL_PF_FIRST, j * p.n + i);
  const double x = own.x[g], excess = wal_pf_excess(p, task, own, i, j),
               worth = wal_pf_worth(p, task, own, i, j);
  const double size = wal_pf_max(wal_pf_max(worth, fabs(wal_pf_z_at(own, g))), p.good(WAL_PF_PRICE, j));
  const double most = wal_pf_min(wal_pf_min(x, own.b[j]), wal_pf_weight(&task.in, own.k, i) / worth);
  const double share = fabs(excess) / size;
  const double room = (excess < 0 ? a : x - a) / most; /* to the bound that would have the multiplier */
  const double other = (excess < 0 ? x - a : a) / most;
  const bool is_free = room > share;
  if (!is_free) a = excess < 0 ? 0 : x;
  wal_pf_hold(p, own, i, q, is_free);
  return wal_pf_max(room, share) > WAL_PF_UNCLEAR && other > WAL_PF_UNCLEAR;
}

struct wal_smaller {
  __device__ double operator()(double a, double b) const { return a < b ? a : b; }
};

/* How many amounts of each resource are between bounds, into BUDGET; what is given of it, into USED. */
template <class Team>
__device__ void wal_pf_count_between(const wal_pf_room<Team> &p) {
  p.team.sync();
  wal_join_agents(
      p.team, p.m, p.n, 0.0, [&](int j, int i) { return p.state[j * p.n + i] == WAL_PF_BETWEEN ? 1.0 : 0.0; },
      wal_add(), [&](int j, double x) { p.good(WAL_PF_BUDGET, j) = x; });
  wal_join_agents(
      p.team, p.m, p.n, 0.0, [&](int j, int i) { return p.entry(WAL_PF_FIRST, j * p.n + i); }, wal_add(),
      [&](int j, double x) { p.good(WAL_PF_USED, j) = x; });
  p.team.sync();
}

/* How much an entry at a bound gains there, INFINITY where it cannot help resource j: more than there is is
   given of it, and the entry is at its demand, or less, and it is at 0. */
template <class Team>
__device__ double wal_pf_reluctance(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                    const wal_pf_instance &own, int i, int j) {
  const double x = own.x[i * p.m + j], a = p.entry(WAL_PF_FIRST, j * p.n + i);
  const bool helps = p.good(WAL_PF_USED, j) > own.b[j] ? a == x : a == 0;
  if (p.state[j * p.n + i] != WAL_PF_LEFT || !helps) return INFINITY;
  return fabs(wal_pf_excess(p, task, own, i, j)) / wal_pf_worth(p, task, own, i, j);
}

/* A resource with a price that is overdrawn or not used up, though nobody's amount is between its bounds: who
   gains least at a bound leaves it. It was too near to it to tell. */
template <class Team>
__device__ void wal_pf_release(const wal_pf_room<Team> &p, const wal_pf_task &task,
                               const wal_pf_instance &own) {
  const double rounding = 1e-14;
  wal_pf_count_between(p);
  wal_join_agents(
      p.team, p.m, p.n, INFINITY, [&](int j, int i) { return wal_pf_reluctance(p, task, own, i, j); },
      wal_smaller(), [&](int j, double x) { p.good(WAL_PF_LAMBDA, j) = x; });
  p.team.sync();
  for (int i = p.team.rank; i < p.n; i += p.team.size)
    for (int q = 0; q < p.resources; q++) {
      const int j = p.resource[q];
      const double off = fabs(p.good(WAL_PF_USED, j) - own.b[j]) / own.b[j], least = p.good(WAL_PF_LAMBDA, j);
      const bool lonely =
          p.good(WAL_PF_BUDGET, j) == 0 && off * p.good(WAL_PF_DLAMBDA, j) < p.good(WAL_PF_PRICE, j);
      if (lonely && off > rounding && least < INFINITY && wal_pf_reluctance(p, task, own, i, j) == least)
        wal_pf_hold(p, own, i, q, true);
    }
  wal_pf_count_between(p);
}

/* Whether resource number q binds those who can have more or less of it. BUDGET: how many these are. */
template <class Team>
__device__ bool wal_pf_place_good(const wal_pf_room<Team> &p, const wal_pf_instance &own, int q) {
  const int j = p.resource[q];
  const double price = p.good(WAL_PF_PRICE, j), dearest = p.good(WAL_PF_DLAMBDA, j);
  const double left = (own.b[j] - p.good(WAL_PF_OMEGA, j)) / own.b[j];
  const double share = price > 0 ? price / wal_pf_max(price, dearest) : 0;
  const bool tight = share > left && p.good(WAL_PF_BUDGET, j) > 0;
  p.good(WAL_PF_LAMBDA, q) = tight ? 1 : 0;
  p.good(WAL_PF_S, q) = tight ? 0 : 1;
  if (share <= left) p.good(WAL_PF_PRICE, j) = 0;
  return wal_pf_max(left, share) > WAL_PF_UNCLEAR;
}

/* Places all, and the matrix there. */
template <class Team>
__device__ bool wal_pf_place_all(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                 const wal_pf_instance &own) {
  bool clear = true;
  wal_pf_measure_goods(p, task, own);
  for (int i = p.team.rank; i < p.n; i += p.team.size) {
    const double w = p.agent(WAL_PF_W, i);
    p.agent(WAL_PF_U, i) = w > 0 ? p.agent(WAL_PF_CROSS, i) / p.agent(WAL_PF_SCALE, i) : 1;
    p.agent(WAL_PF_Y, i) = w / p.agent(WAL_PF_U, i);
    for (int q = 0; q < p.resources; q++)
      if (p.state[p.resource[q] * p.n + i] >= WAL_PF_LEFT) clear &= wal_pf_place_entry(p, task, own, i, q);
  }
  wal_pf_release(p, task, own);
  for (int q = p.team.rank; q < p.resources; q += p.team.size) clear &= wal_pf_place_good(p, own, q);
  p.team.sync();
  wal_pf_factor(p);
  return !(p.largest(clear ? 0 : 1) > 0);
}

/* After wal_pf_place_all: amounts between bounds and prices of what binds go to where (11a) and the budgets,
   made linear, put them, or to a bound on the way. The certificate tells whether the places were right. */
template <class Team>
__device__ void wal_pf_refine(const wal_pf_room<Team> &p, const wal_pf_task &task, const wal_pf_instance &own,
                              double unit) {
  for (int i = p.team.rank; i < p.n; i += p.team.size) wal_pf_measure_agent(p, own, i);
  wal_pf_measure_goods(p, task, own);
  for (int q = p.team.rank; q < p.resources; q += p.team.size) {
    const int j = p.resource[q];
    const double left = (own.b[j] - p.good(WAL_PF_OMEGA, j)) / p.good(WAL_PF_SUPPLY, j);
    p.good(WAL_PF_USED, q) = p.good(WAL_PF_LAMBDA, q) > 0 ? -left : 0;
  }
  p.team.sync();
  for (int q = p.team.rank; q < p.resources; q += p.team.size)
    p.good(WAL_PF_DLAMBDA, q) = p.good(WAL_PF_USED, q); /* its [m] numbers were of all resources */
  const auto side = [&](int i) {
    for (int q = 0; q < p.resources; q++) {
      const int j = p.resource[q];
      const bool moves = p.state[j * p.n + i] == WAL_PF_BETWEEN;
      p.entry(WAL_PF_DMU, q * p.n + i) =
          moves ? wal_pf_excess(p, task, own, i, j) * p.good(WAL_PF_SUPPLY, j) / unit : 0;
    }
  };
  for (int i = p.team.rank; i < p.n; i += p.team.size) side(i), wal_pf_gather(p, i);
  wal_pf_gather_all(p);
  wal_pf_solve_prices(p);
  for (int i = p.team.rank; i < p.n; i += p.team.size) {
    side(i), wal_pf_spread(p, i, WAL_PF_DMU, WAL_PF_STEP);
    for (int q = 0; q < p.resources; q++) {
      const int j = p.resource[q];
      if (p.state[j * p.n + i] != WAL_PF_BETWEEN) continue;
      double &a = p.entry(WAL_PF_FIRST, j * p.n + i);
      a += p.entry(WAL_PF_STEP, q * p.n + i) * p.good(WAL_PF_SUPPLY, j);
      a = wal_pf_min(wal_pf_max(a, 0), own.x[i * p.m + j]);
    }
    wal_pf_measure_agent(p, own, i);
  }
  p.team.sync();
  for (int q = p.team.rank; q < p.resources; q += p.team.size) {
    const int j = p.resource[q];
    const double change = p.good(WAL_PF_DLAMBDA, q) * unit / p.good(WAL_PF_SUPPLY, j);
    if (p.good(WAL_PF_LAMBDA, q) > 0)
      p.good(WAL_PF_PRICE, j) = wal_pf_max(p.good(WAL_PF_PRICE, j) + change, 0);
  }
}

/* ---- derivatives ---- */

/* How much of a change of x the amount of an entry follows. */
template <class Team>
__device__ double wal_pf_follows(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                 const wal_pf_instance &own, int i, int j) {
  const int g = i * p.m + j;
  const double x = own.x[g], a = p.entry(WAL_PF_FIRST, j * p.n + i), u = p.agent(WAL_PF_CROSS, i);
  if (p.state[j * p.n + i] == WAL_PF_WHOLE) return 1;
  if (p.state[j * p.n + i] == WAL_PF_BETWEEN) return 0;
  if (p.state[j * p.n + i] == WAL_PF_CLOSED)
    return wal_pf_would_follow(x, own.b[j], wal_pf_weight(&task.in, own.k, i) * own.v[g], u,
                               wal_pf_z_at(own, g), p.good(WAL_PF_PRICE, j));
  double mu, nu;
  wal_pf_multipliers(p, task, own, i, j, &mu, &nu);
  return wal_pf_share_high(a, x - a, mu, nu);
}

__device__ static inline void wal_pf_put(double *array, int64_t at, double value) {
  if (array) array[at] = value;
}

/* Agent i's gradients: what its entries have through its utility, then what LEFT ones have besides. */
template <class Team>
__device__ void wal_pf_pull_agent(const wal_pf_room<Team> &p, const wal_pf_task &task,
                                  const wal_pf_instance &own, int i, double unit) {
  const wal_pf_gradient &out = task.gradient;
  const double scale = p.agent(WAL_PF_SCALE, i), y = p.agent(WAL_PF_Y, i);
  const double slope = p.resources > 0 ? p.agent(WAL_PF_DU, i) / p.agent(WAL_PF_U, i) : 0;
  const double pull = p.resources > 0 ? y * slope / scale : 0;
  const int64_t row = (own.k * p.n + i) * p.m;
  for (int j = 0; j < p.m; j++) {
    const int g = i * p.m + j;
    const double follows = wal_pf_follows(p, task, own, i, j);
    wal_pf_put(out.dv, row + j, -pull * p.entry(WAL_PF_FIRST, j * p.n + i));
    wal_pf_put(out.dz, row + j, 0);
    wal_pf_put(out.dx, row + j,
               follows > 0 ? follows * (own.da[g] - pull * own.v[g] - p.good(WAL_PF_USED, j)) : 0);
  }
  wal_pf_put(out.dw, own.k * p.n + i, slope / unit);
  for (int q = 0; q < p.resources; q++) {
    const int j = p.resource[q];
    if (p.state[j * p.n + i] < WAL_PF_LEFT) continue;
    const double supply = p.good(WAL_PF_SUPPLY, j), step = p.entry(WAL_PF_STEP, q * p.n + i);
    wal_pf_put(out.dz, row + j, -step * supply / unit);
    if (out.dv) out.dv[row + j] += y * step * (supply / scale);
  }
}

/* The gradients, by the matrix that is there. */
template <class Team>
__device__ void wal_pf_pull(const wal_pf_room<Team> &p, const wal_pf_task &task, const wal_pf_instance &own,
                            double unit) {
  p.team.sync();
  for (int q = p.team.rank; q < p.resources; q += p.team.size) p.good(WAL_PF_DLAMBDA, q) = 0;
  const auto side = [&](int i) {
    for (int q = 0; q < p.resources; q++) {
      const int j = p.resource[q];
      p.entry(WAL_PF_DMU, q * p.n + i) =
          p.state[j * p.n + i] >= WAL_PF_LEFT ? own.da[i * p.m + j] * p.good(WAL_PF_SUPPLY, j) : 0;
    }
  };
  for (int i = p.team.rank; i < p.n; i += p.team.size) side(i), wal_pf_gather(p, i);
  wal_pf_gather_all(p);
  wal_pf_solve_prices(p);
  for (int i = p.team.rank; i < p.n; i += p.team.size) side(i), wal_pf_spread(p, i, WAL_PF_DMU, WAL_PF_STEP);
  for (int j = p.team.rank; j < p.m; j += p.team.size) p.good(WAL_PF_USED, j) = 0;
  p.team.sync();
  for (int q = p.team.rank; q < p.resources; q += p.team.size) {
    const int j = p.resource[q];
    if (p.good(WAL_PF_DEMAND, j) > own.b[j])
      p.good(WAL_PF_USED, j) = p.good(WAL_PF_DLAMBDA, q) / p.good(WAL_PF_SUPPLY, j);
  }
  p.team.sync();
  for (int j = p.team.rank; j < p.m; j += p.team.size)
    wal_pf_put(task.gradient.db, own.k * p.m + j, p.good(WAL_PF_USED, j));
  for (int i = p.team.rank; i < p.n; i += p.team.size) wal_pf_pull_agent(p, task, own, i, unit);
}

/* ---- all of it ---- */

template <class Team>
__device__ __noinline__ void wal_pf_serve(const Team &team, const wal_pf_task &task, double *room, int64_t k,
                                          bool present) {
  wal_pf_room<Team> p(team, task.in.n, task.in.m, room, present);
  const wal_pf_instance own = wal_pf_instance_of(task, present ? k : 0);
  wal_pf_progress end;
  const double unit = wal_pf_look_at(p, task, own);
  wal_pf_start(p);
  wal_pf_run_steps(p, task.tol, task.max_steps, task.da && !task.strict, &end);
  wal_pf_unpack(p, own, unit);
  bool solved = !end.running;
  if (task.strict) {
    wal_pf_place_all(p, task, own);
    wal_pf_refine(p, task, own, unit);
    const bool clear = wal_pf_place_all(p, task, own);
    wal_pf_refine(p, task, own, unit);
    solved &= clear || !task.da;
  }
  solved &= wal_pf_answer(p, task, own, end);
  if (task.da) wal_pf_pull(p, task, own, unit);
  if (present && team.rank == 0) task.doubt[k] = !solved;
  team.sync(); /* the room is free */
}

#endif
