#include "models/mechanism/pf_interior.h"

#include <string.h>

/* ---- the matrix ---- */

static void clear_matrix(wal_pf_group *p) {
  memset(p->chol, 0, (size_t)p->m * ((size_t)p->m + 1) / 2 * sizeof *p->chol);
  for (int j = 0; j < p->m; j++) p->chol[j * (j + 1) / 2 + j] = wal_vec64_over(p->s[j], p->lambda[j]);
}

/* d, 1/a and 1/t of an agent's entries, 0 where there is none; its k; its rank one into `chol`. */
static void add_agent(wal_pf_group *p, int i) {
  const int m = p->m;
  const wal_vec64 *v = p->v + i * m;
  wal_vec64 *d = p->d + i * m, *others = p->row, vdv = {0};
  for (int j = 0; j < m; j++) {
    const int e = i * m + j;
    wal_pf_invert_entry(p->a[e], p->t[e], p->mu[e], p->nu[e], &p->ia[e], &p->it[e], &d[j]);
    others[j] = vdv;
    vdv = wal_vec64_fma(d[j] * v[j], v[j], vdv);
  }
  const wal_vec64 u = p->u[i], y = p->y[i];
  wal_pf_invert_agent(u, y, &p->iu[i], &p->iy[i]);
  const wal_vec64 whole = 1 / wal_vec64_fma(y, vdv, u);
  p->k[i] = y * whole;
  /* d_j - k d_j v_j v_j d_j without a difference: what u and the other entries leave of it. */
  wal_vec64 after = u;
  for (int j = m - 1; j >= 0; j--) {
    others[j] = wal_vec64_fma(y, others[j], after);
    after = wal_vec64_fma(y * d[j] * v[j], v[j], after);
  }
  wal_vec64 *row = p->chol;
  for (int j = 0; j < m; row += ++j) {
    row[j] = wal_vec64_fma(whole * d[j], others[j], row[j]);
    others[j] = d[j] * v[j];
    const wal_vec64 scaled = -p->k[i] * others[j];
    for (int l = 0; l < j; l++) row[l] = wal_vec64_fma(scaled, others[l], row[l]);
  }
}

/* L D L' in place. */
static void decompose(int m, wal_vec64 *chol) {
  wal_vec64 *row = chol;
  for (int j = 0; j < m; row += ++j) {
    const wal_vec64 floor = wal_vec64_max(row[j] * 1e-16, wal_vec64_set(WAL_PF_TINY));
    wal_vec64 pivot = row[j], *other = chol;
    for (int l = 0; l < j; other += ++l) { /* row[l] holds L_jl D_l until its turn */
      wal_vec64 sum = row[l];
      for (int q = 0; q < l; q++) sum = wal_vec64_fma(-row[q], other[q], sum);
      row[l] = sum;
    }
    other = chol;
    for (int l = 0; l < j; other += ++l) {
      const wal_vec64 scaled = row[l] * other[l];
      pivot = wal_vec64_fma(-scaled, row[l], pivot);
      row[l] = scaled;
    }
    row[j] = 1 / wal_vec64_max(pivot, floor);
  }
}

static void substitute(int m, const wal_vec64 *chol, wal_vec64 *x) {
  const wal_vec64 *row = chol;
  for (int j = 0; j < m; row += ++j)
    for (int l = 0; l < j; l++) x[j] = wal_vec64_fma(-row[l], x[l], x[j]);
  for (int j = 0; j < m; j++) x[j] *= chol[j * (j + 1) / 2 + j];
  for (int j = m - 1; j > 0; j--) {
    row = chol + j * (j + 1) / 2;
    for (int l = 0; l < j; l++) x[l] = wal_vec64_fma(-row[l], x[j], x[l]);
  }
}

/* dlambda += K_i^-1 g: the first half of a direction. */
static void gather(wal_pf_group *p, int i, const wal_vec64 *g) {
  const wal_vec64 *d = p->d + i * p->m, *v = p->v + i * p->m;
  wal_vec64 beta = {0};
  for (int j = 0; j < p->m; j++) beta = wal_vec64_fma(d[j] * v[j], g[j], beta);
  beta *= p->k[i];
  for (int j = 0; j < p->m; j++)
    p->dlambda[j] = wal_vec64_fma(d[j], wal_vec64_fma(-v[j], beta, g[j]), p->dlambda[j]);
}

/* step = K_i^-1 (g - dlambda), with what it does to utility and supply: the second half. */
static void spread(wal_pf_group *p, int i, const wal_vec64 *g, wal_vec64 *step) {
  const wal_vec64 *d = p->d + i * p->m, *v = p->v + i * p->m;
  wal_vec64 beta = {0}, du = {0};
  for (int j = 0; j < p->m; j++) beta = wal_vec64_fma(d[j] * v[j], g[j] - p->dlambda[j], beta);
  beta *= p->k[i];
  for (int j = 0; j < p->m; j++) {
    step[j] = d[j] * wal_vec64_fma(-v[j], beta, g[j] - p->dlambda[j]);
    p->used[j] += step[j];
    du = wal_vec64_fma(v[j], step[j], du);
  }
  p->du[i] = du;
}

/* Between the two. */
static void solve_prices(wal_pf_group *p) {
  substitute(p->m, p->chol, p->dlambda);
  memset(p->used, 0, (size_t)p->m * sizeof *p->used);
}

void wal_pf_group_factor(wal_pf_group *p) {
  clear_matrix(p);
  for (int i = 0; i < p->n; i++) add_agent(p, i);
  decompose(p->m, p->chol);
}

void wal_pf_group_pull(wal_pf_group *p) {
  memset(p->dlambda, 0, (size_t)p->m * sizeof *p->dlambda);
  for (int i = 0; i < p->n; i++) gather(p, i, p->dmu + i * p->m);
  solve_prices(p);
  for (int i = 0; i < p->n; i++) spread(p, i, p->dmu + i * p->m, p->step + i * p->m);
}

/* ---- a step, in four passes over the agents ---- */

/* Of the lanes. */
typedef struct {
  wal_vec64 gap;          /* mean product over its weight */
  wal_vec64 aim;          /* where the products are to be, over their weights */
  wal_vec64 trust;        /* in what the predictor's direction says about curvature */
  wal_vec64 primal, dual; /* largest relative decreases of a variable, then lengths of steps */
  wal_mask64 stuck;       /* the last step was short: products far below the mean are in the way */
  wal_vec64 cross, curve; /* sums of da (mu - nu) and da (dmu - dnu): how the products change */
} progress;

/* The step that is known, by the lengths in `now`; adds the agent's products to the gap. */
static void advance_agent(wal_pf_group *p, int i, progress *now, double tol) {
  p->u[i] = wal_vec64_fma(now->primal, p->du[i], p->u[i]);
  p->y[i] = wal_vec64_fma(now->dual, p->dy[i], p->y[i]);
  const wal_vec64 bound = tol * p->w[i], residual = wal_vec64_fma(p->u[i], p->y[i], -p->w[i]);
  wal_vec64 sum = {0}, most = wal_vec64_max(residual, -residual);
  for (int e = i * p->m; e < (i + 1) * p->m; e++) {
    p->a[e] = wal_vec64_fma(now->primal, p->step[e], p->a[e]);
    p->t[e] = wal_vec64_fma(-now->primal, p->step[e], p->t[e]);
    p->mu[e] = wal_vec64_fma(now->dual, p->dmu[e], p->mu[e]);
    p->nu[e] = wal_vec64_fma(now->dual, p->dnu[e], p->nu[e]);
    const wal_vec64 lower = p->a[e] * p->mu[e], upper = p->t[e] * p->nu[e];
    sum += lower + upper;
    most = wal_vec64_max(most, wal_vec64_max(lower, upper));
  }
  now->gap += sum;
  p->running |= most > bound;
}

static void advance_resources(wal_pf_group *p, progress *now, double tol) {
  for (int j = 0; j < p->m; j++) {
    p->s[j] = wal_vec64_fma(-now->primal, p->used[j], p->s[j]);
    p->lambda[j] = wal_vec64_fma(now->dual, p->dlambda[j], p->lambda[j]);
    const wal_vec64 product = p->s[j] * p->lambda[j];
    now->gap += product;
    p->running |= product > tol * p->omega[j];
    p->dlambda[j] = -p->s[j];
  }
}

/* Right side of the predictor: the gradient of the agent's objective less prices. */
static void predictor_side(wal_pf_group *p, int i) {
  const wal_vec64 ratio = p->w[i] * p->iu[i];
  for (int j = 0; j < p->m; j++) {
    const int e = i * p->m + j;
    p->row[j] = wal_pf_predictor_side(ratio, p->v[e], p->z[e], p->lambda[j]);
  }
}

/* First pass: the last step is taken, the matrix and the predictor's prices are made. */
static void first_pass(wal_pf_group *p, progress *now, double tol) {
  now->gap = (wal_vec64){0};
  p->running = (wal_mask64){0};
  advance_resources(p, now, tol);
  clear_matrix(p);
  for (int i = 0; i < p->n; i++) {
    advance_agent(p, i, now, tol);
    add_agent(p, i);
    predictor_side(p, i);
    gather(p, i, p->row);
  }
  now->gap = wal_vec64_over(now->gap, p->weight);
  decompose(p->m, p->chol);
}

/* dy of a direction of which du is known, and how far u and y let it go. */
static void bound_agent(wal_pf_group *p, int i, progress *now) {
  p->dy[i] = wal_pf_bound_agent(p->w[i], p->u[i], p->y[i], p->iu[i], p->iy[i], p->du[i], p->cross[i],
                                &now->primal, &now->dual);
}

static void bound_resources(const wal_pf_group *p, progress *now) {
  for (int j = 0; j < p->m; j++)
    wal_pf_bound_resource(p->s[j], p->lambda[j], p->used[j], p->dlambda[j], &now->primal, &now->dual);
}

/* How far the predictor goes, and how products change. */
static void predict_agent(const wal_pf_group *p, int i, progress *now) {
  wal_vec64 primal = now->primal, dual = now->dual, cross = {0}, curve = {0};
  for (int e = i * p->m; e < (i + 1) * p->m; e++)
    wal_pf_predict_entry(p->first[e], p->mu[e], p->nu[e], p->ia[e], p->it[e], &primal, &dual, &cross, &curve);
  now->primal = primal;
  now->dual = dual;
  now->cross += cross;
  now->curve += curve;
}

/* The mean product after the predictor, over the present one. */
static wal_vec64 predicted(const wal_pf_group *p, const progress *now) {
  const wal_vec64 primal = wal_pf_length(wal_vec64_set(1), now->primal),
                  dual = wal_pf_length(wal_vec64_set(1), now->dual);
  wal_vec64 total = now->gap * p->weight, sum = {0};
  for (int j = 0; j < p->m; j++) {
    total -= p->s[j] * p->lambda[j];
    sum += (p->s[j] - primal * p->used[j]) * wal_vec64_fma(dual, p->dlambda[j], p->lambda[j]);
  }
  sum += total - dual * (total + now->cross) + primal * now->cross + primal * dual * now->curve;
  return sum / (now->gap * p->weight);
}

/* Second pass: the predictor, and what the corrector is to aim at. */
static void second_pass(wal_pf_group *p, progress *now, double tol) {
  const wal_vec64 zero = {0};
  now->primal = now->dual = now->cross = now->curve = zero;
  solve_prices(p);
  for (int i = 0; i < p->n; i++) {
    predictor_side(p, i);
    spread(p, i, p->row, p->first + i * p->m);
    p->cross[i] = zero;
    bound_agent(p, i, now);
    predict_agent(p, i, now);
  }
  bound_resources(p, now);
  wal_pf_choose_aim(predicted(p, now), now->gap, now->primal, now->dual, now->stuck, tol, &now->aim,
                    &now->trust);
}

static void targets(const wal_pf_group *p, int e, wal_vec64 centre, const progress *now, wal_vec64 *lower,
                    wal_vec64 *upper) {
  wal_pf_targets(p->first[e], p->mu[e], p->nu[e], p->ia[e], p->it[e], centre, now->trust, lower, upper);
}

/* Right side of the corrector. */
static void corrector_side(wal_pf_group *p, int i, const progress *now) {
  const wal_vec64 ratio = (p->w[i] - p->cross[i]) * p->iu[i], centre = now->aim * p->w[i];
  for (int j = 0; j < p->m; j++) {
    const int e = i * p->m + j;
    wal_vec64 lower, upper;
    targets(p, e, centre, now, &lower, &upper);
    p->row[j] =
        wal_pf_corrector_side(ratio, p->v[e], p->z[e], p->lambda[j], p->ia[e], p->it[e], lower, upper);
  }
}

/* Third pass: the corrector's prices. */
static void third_pass(wal_pf_group *p, const progress *now) {
  for (int j = 0; j < p->m; j++) {
    const wal_vec64 target = now->aim * p->omega[j] + now->trust * p->used[j] * p->dlambda[j];
    p->dlambda[j] = wal_vec64_over(target, p->lambda[j]) - p->s[j];
  }
  for (int i = 0; i < p->n; i++) {
    p->cross[i] = now->trust * p->du[i] * p->dy[i];
    corrector_side(p, i, now);
    gather(p, i, p->row);
  }
}

/* dmu and dnu of the whole direction, and how far it may go. */
static void correct_agent(wal_pf_group *p, int i, progress *now) {
  const wal_vec64 centre = now->aim * p->w[i];
  wal_vec64 primal = now->primal, dual = now->dual;
  for (int e = i * p->m; e < (i + 1) * p->m; e++) {
    wal_vec64 lower, upper;
    targets(p, e, centre, now, &lower, &upper);
    wal_pf_correct_entry(p->step[e], p->mu[e], p->nu[e], p->ia[e], p->it[e], lower, upper, &p->dmu[e],
                         &p->dnu[e], &primal, &dual);
  }
  now->primal = primal;
  now->dual = dual;
}

/* Fourth pass: the whole direction, and how far to go. */
static void fourth_pass(wal_pf_group *p, progress *now) {
  const wal_vec64 zero = {0};
  now->primal = now->dual = zero;
  solve_prices(p);
  for (int i = 0; i < p->n; i++) {
    corrector_side(p, i, now);
    spread(p, i, p->row, p->step + i * p->m);
    bound_agent(p, i, now);
    correct_agent(p, i, now);
  }
  bound_resources(p, now);
  const wal_vec64 fraction = wal_pf_fraction(now->gap);
  now->primal = wal_vec64_select(p->running, wal_pf_length(fraction, now->primal), zero);
  now->dual = wal_vec64_select(p->running, wal_pf_length(fraction, now->dual), zero);
  now->stuck = wal_vec64_min(now->primal, now->dual) < 0.1;
}

void wal_pf_group_solve(wal_pf_group *p, double tol, int max_steps) {
  progress now = {.gap = {0}};
  for (int lane = 0; lane < WAL_LANES64; lane++) p->steps[lane] = 0;
  for (int step = 0;; step++) {
    first_pass(p, &now, tol);
    if (!wal_mask64_any(p->running) || step == max_steps) return;
    for (int lane = 0; lane < WAL_LANES64; lane++) p->steps[lane] += p->running[lane] != 0;
    second_pass(p, &now, tol);
    third_pass(p, &now);
    fourth_pass(p, &now);
  }
}
