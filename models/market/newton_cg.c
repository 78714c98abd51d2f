/* The exact equilibrium with many goods: newton.c's log-Newton steps,
     [(1 + r) diag(S) - r C] dq = S o F,   C = sum_i B_i s_i s_i^T,   F_j = log(S_j / (Y_j p_j)),
   solved by conjugate gradients, so that C is only multiplied with: no m x m matrix. Divided by diag(S) on
   both sides the matrix has its eigenvalues between 1 + r and 1, and the steps needed do not grow with m.

   Shares are kept in float32 between the products while they fit in STORE_BYTES, and computed again for each
   product otherwise: products only steer the steps and the second order of the certificate, while S and F are
   summed in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"
#include "models/market/solvers.h"

enum { BLOCK = 64, LANES = 16 };
static const double STORE_BYTES = 2.0 * 1024 * 1024 * 1024;
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

typedef struct {
  const wal_market *market;
  const wal_solver_options *options;
  const wal_trace *trace;
  size_t stride;                            /* floats in a row of shares: m in whole vectors, the rest 0 */
  float *store;                             /* [n, stride] shares at q; NULL: they do not fit */
  double *money;                            /* [n] budgets, where there is a store */
  double r;                                 /* of the present stage */
  int64_t steps;                            /* passes so far */
  double *q, *factor, *last_q;              /* [m] log prices; e^-q; q of the stage before */
  double *share, *f, *trial, *dq;           /* [m] S and F at q (or a trial point), the step */
  double *residual, *scaled, *search, *hit; /* [m] of the conjugate gradients */
  double *sums;                             /* [m + 1] */
  float *operand;                           /* [stride] what C is multiplied with */
  double budget, norm, gap;                 /* sum B; ||F|| at q; certified, nats */
} newton_cg;

/* ---- shares ---- */

/* s_j of v[m], in place (eqs. 21-24, 27-28); r = 0 and r = 1 need no powers. */
static void shares_of(const newton_cg *s, double *v) {
  const int m = s->market->m;
  const double r = s->r;
  double top = -INFINITY, sum = 0.0;
  if (r == 0.0 || r == 1.0) {
    for (int j = 0; j < m; j++) sum += v[j] *= r == 0.0 ? 1.0 : s->factor[j];
  } else {
#pragma omp simd
    for (int j = 0; j < m; j++) v[j] = r * (wal_log(v[j]) - s->q[j]);
    for (int j = 0; j < m; j++) top = v[j] > top ? v[j] : top;
#pragma omp simd
    for (int j = 0; j < m; j++) v[j] = wal_exp_down(v[j] - top);
    for (int j = 0; j < m; j++) sum += v[j];
  }
  const double scale = 1.0 / sum;
  for (int j = 0; j < m; j++) v[j] *= scale;
}

/* Shares of buyers [lo, lo + count) into v[count, m] and, rounded, into row[count, stride]. */
static wal_status share_block(const newton_cg *s, int64_t lo, int count, double *v, float *row,
                              double *money) {
  const int m = s->market->m;
  const wal_source *buyers = s->market->buyers;
  const wal_status status = buyers->ops->rows(buyers, lo, lo + count, v, money);
  for (int i = 0; status == WAL_OK && i < count; i++) {
    double *shares = v + (size_t)i * (size_t)m;
    float *rounded = row + (size_t)i * s->stride;
    shares_of(s, shares);
    for (int j = 0; j < m; j++) rounded[j] = (float)shares[j];
    for (size_t j = (size_t)m; j < s->stride; j++) rounded[j] = 0.0f;
  }
  return status;
}

/* Room of a body: values and rows of a block, and sums in float32. */
typedef struct {
  double *v, *money; /* [BLOCK, m], [BLOCK] */
  float *row, *sum;  /* [BLOCK, stride], [stride] */
} block_room;

static wal_status block_room_create(const newton_cg *s, block_room *room) {
  room->v = malloc(BLOCK * ((size_t)s->market->m + 1) * sizeof *room->v);
  room->row = aligned_alloc(64, (BLOCK + 1) * s->stride * sizeof *room->row);
  if (!room->v || !room->row)
    return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", BLOCK, s->market->m);
  room->money = room->v + BLOCK * (size_t)s->market->m;
  room->sum = room->row + BLOCK * s->stride;
  return WAL_OK;
}

static int block_end(int64_t at, int64_t hi) { return (int)(hi - at < BLOCK ? hi - at : BLOCK); }

/* sums[j] += sum_i B_i s_ij, sums[m] += sum_i B_i. */
static wal_status shares_body(void *context, int64_t lo, int64_t hi, double *sums) {
  const newton_cg *s = context;
  const int m = s->market->m;
  block_room room = {0};
  wal_status status = block_room_create(s, &room);
  for (int64_t at = lo; status == WAL_OK && at < hi; at += BLOCK) {
    const int count = block_end(at, hi);
    float *row = s->store ? s->store + (size_t)at * s->stride : room.row;
    status = share_block(s, at, count, room.v, row, room.money);
    for (int i = 0; status == WAL_OK && i < count; i++) {
      const double *shares = room.v + (size_t)i * (size_t)m;
      for (int j = 0; j < m; j++) sums[j] += room.money[i] * shares[j];
      sums[m] += room.money[i];
      if (s->store) s->money[at + i] = room.money[i];
    }
  }
  free(room.v);
  free(room.row);
  return status;
}

/* ---- products with C ---- */

static double dot_rows(size_t stride, const float *a, const float *b) {
  const lanes *x = (const lanes *)a, *y = (const lanes *)b;
  lanes sum = x[0] * y[0];
  for (size_t k = 1; k < stride / LANES; k++) sum += x[k] * y[k];
  double total = 0.0;
  for (int l = 0; l < LANES; l++) total += sum[l];
  return total;
}

/* sum += weight row */
static void add_row(size_t stride, float weight, const float *row, float *sum) {
  const lanes *x = (const lanes *)row;
  lanes *y = (lanes *)sum;
  for (size_t k = 0; k < stride / LANES; k++) y[k] += weight * x[k];
}

/* sums += sum_i B_i s_i (s_i . operand); float32 takes budgets in a unit near their sum. */
static wal_status product_body(void *context, int64_t lo, int64_t hi, double *sums) {
  const newton_cg *s = context;
  const double unit = scalbn(1.0, ilogb(s->budget));
  block_room room = {0};
  wal_status status = block_room_create(s, &room);
  for (int64_t at = lo; status == WAL_OK && at < hi; at += BLOCK) {
    const int count = block_end(at, hi);
    const float *row = s->store ? s->store + (size_t)at * s->stride : room.row;
    const double *money = s->store ? s->money + at : room.money;
    if (!s->store) status = share_block(s, at, count, room.v, room.row, room.money);
    memset(room.sum, 0, s->stride * sizeof *room.sum);
    for (int i = 0; status == WAL_OK && i < count; i++, row += s->stride)
      add_row(s->stride, (float)(money[i] / unit * dot_rows(s->stride, row, s->operand)), row, room.sum);
    for (int j = 0; j < s->market->m; j++) sums[j] += unit * room.sum[j];
  }
  free(room.v);
  free(room.row);
  return status;
}

/* out[m] = C x */
static wal_status multiply(newton_cg *s, const double *x, double *out) {
  for (int j = 0; j < s->market->m; j++) s->operand[j] = (float)x[j];
  return wal_sum_chunks(s->market->n, s->market->m, product_body, s, out);
}

/* ---- a point ---- */

/* S and F at q, q scaled to sum_j Y_j p_j = sum_i B_i; the norm weighs goods by what is spent on them. */
static wal_status evaluate(newton_cg *s, double *q) {
  const int m = s->market->m;
  double *kept = s->q, worth = 0.0;
  s->q = q;
  for (int j = 0; j < m; j++) s->factor[j] = exp(-q[j]);
  const wal_status status = wal_sum_chunks(s->market->n, m + 1, shares_body, s, s->sums);
  s->q = kept;
  if (status != WAL_OK) return status;
  s->budget = s->sums[m];
  for (int j = 0; j < m; j++) worth += s->market->supply[j] * exp(q[j]);
  const double shift = log(s->budget / worth);
  s->norm = 0.0;
  for (int j = 0; j < m; j++) {
    q[j] += shift;
    s->share[j] = s->sums[j];
    s->f[j] = log(s->share[j] / s->market->supply[j]) - q[j];
    s->norm += s->share[j] / s->budget * s->f[j] * s->f[j];
  }
  s->norm = sqrt(s->norm);
  s->steps++;
  return WAL_OK;
}

/* newton.c's certificate; its second-order term is one product with C. */
static wal_status certify(newton_cg *s) {
  const int m = s->market->m;
  const double alpha = s->r / (1.0 + s->r);
  double first = 0.0, second = 0.0, largest = 0.0, *delta = s->search;
  for (int j = 0; j < m; j++) {
    delta[j] = alpha == 0.0 ? -s->f[j] : expm1(-alpha * s->f[j]);
    first += s->share[j] * delta[j];
    largest = fmax(largest, fabs(delta[j]));
  }
  s->gap = alpha == 0.0 ? fabs(first / s->budget) : INFINITY;
  if (alpha == 0.0 || !(largest < 0.5)) return WAL_OK;
  const wal_status status = multiply(s, delta, s->hit);
  for (int j = 0; j < m; j++) second += delta[j] * s->hit[j];
  const double rest = largest * largest * largest / (3.0 * (1.0 - largest));
  s->gap = (fabs(first - 0.5 * second) / s->budget + rest) / fabs(alpha);
  return status;
}

static void report(const newton_cg *s, int64_t inner) {
  static const char *const names[] = {"step", "power", "inner", "residual", "gap"};
  const double values[] = {(double)s->steps, s->r, (double)inner, s->norm, s->gap};
  wal_trace_row(s->trace, 5, names, values);
}

/* ---- steps ---- */

static double inner_product(int m, const double *a, const double *b) {
  double sum = 0.0;
  for (int j = 0; j < m; j++) sum += a[j] * b[j];
  return sum;
}

/* Conjugate gradients for dq, preconditioned by diag(S), from 0 (Golub and Van Loan, section 11.5); *inner:
   how many. They stop where Newton's own error is larger, or float32's. */
static wal_status solve_step(newton_cg *s, int64_t *inner) {
  const int m = s->market->m;
  const double within = fmax(1e-6, fmin(1e-2, s->norm));
  for (int j = 0; j < m; j++) {
    s->dq[j] = 0.0;
    s->residual[j] = s->share[j] * s->f[j];
    s->search[j] = s->scaled[j] = s->f[j];
  }
  double rho = inner_product(m, s->residual, s->scaled);
  const double enough = within * within * rho;
  for (*inner = 0; rho > enough && *inner < s->options->newton_cg.max_inner; ++*inner) {
    const wal_status status = multiply(s, s->search, s->hit);
    if (status != WAL_OK) return status;
    for (int j = 0; j < m; j++) s->hit[j] = (1.0 + s->r) * s->share[j] * s->search[j] - s->r * s->hit[j];
    const double curvature = inner_product(m, s->search, s->hit), step = rho / curvature, before = rho;
    if (!(curvature > 0.0)) break; /* float32 has no more to say */
    for (int j = 0; j < m; j++) {
      s->dq[j] += step * s->search[j];
      s->residual[j] -= step * s->hit[j];
      s->scaled[j] = s->residual[j] / s->share[j];
    }
    rho = inner_product(m, s->residual, s->scaled);
    for (int j = 0; j < m; j++) s->search[j] = s->scaled[j] + rho / before * s->search[j];
  }
  return WAL_OK;
}

/* The step, or a part of it, that shortens F. */
static wal_status take_step(newton_cg *s) {
  const double before = s->norm;
  for (double t = 1.0; t > 1e-3; t *= 0.5) {
    for (int j = 0; j < s->market->m; j++) s->trial[j] = s->q[j] + t * s->dq[j];
    const wal_status status = evaluate(s, s->trial);
    if (status != WAL_OK) return status;
    if (s->norm <= (1.0 - 1e-4 * t) * before) {
      memcpy(s->q, s->trial, (size_t)s->market->m * sizeof *s->q);
      return WAL_OK;
    }
  }
  return wal_fail(
      WAL_E_DIVERGED,
      "no step improves on gap %.3g at power %g (%lld passes); expected an alpha nearer 0 or, with "
      "a few hundred goods, newton",
      s->gap, s->r, (long long)s->steps);
}

/* Steps at the present power until the certificate is below tol. */
static wal_status converge(newton_cg *s, double tol) {
  const int most = s->options->newton_cg.max_steps;
  int64_t inner = 0;
  wal_status status = evaluate(s, s->q);
  for (int step = 0; status == WAL_OK; step++) {
    status = certify(s);
    if (status != WAL_OK) return status;
    report(s, inner);
    if (s->gap <= tol) return WAL_OK;
    if (!isfinite(s->norm))
      return wal_fail(WAL_E_DIVERGED,
                      "prices left the finite numbers at power %g, step %d; expected an alpha nearer 0", s->r,
                      step);
    if (step >= most)
      return wal_fail(WAL_E_DIVERGED,
                      "gap %.3g after %d steps at power %g; expected %g (newton_cg.max_steps)", s->gap, most,
                      s->r, tol);
    status = solve_step(s, &inner);
    if (status == WAL_OK) status = take_step(s);
  }
  return status;
}

/* One more step, whose error is a millionth of the last or its square: prices then clear to about rounding.
   The certificate stays the last pass's. */
static wal_status polish(newton_cg *s) {
  int64_t inner;
  double worth = 0.0;
  const wal_status status = solve_step(s, &inner);
  for (int j = 0; j < s->market->m; j++) {
    s->q[j] += s->dq[j];
    worth += s->market->supply[j] * exp(s->q[j]);
  }
  for (int j = 0; j < s->market->m; j++) s->q[j] += log(s->budget / worth);
  return status;
}

/* ---- the solver ---- */

/* From power to power, as newton.c has it. */
static wal_status climb(newton_cg *s, double target) {
  double last_r = 0.0;
  s->r = wal_first_power(target);
  while (s->r != target) {
    const wal_status status = converge(s, fmin(1e-6, fmax(1e-13, 1e-4 / (s->r * s->r))));
    if (status != WAL_OK) return status;
    const double next = wal_next_power(s->r, target);
    wal_next_stage(s->market->m, last_r, s->r, next, s->q, s->last_q);
    last_r = s->r;
    s->r = next;
  }
  return WAL_OK;
}

static wal_status run(newton_cg *s, wal_solution *solution) {
  const double alpha = s->market->alpha;
  for (int j = 0; j < s->market->m; j++) s->q[j] = -log(s->market->supply[j]);
  wal_status status = climb(s, alpha / (1.0 - alpha));
  if (status == WAL_OK) status = converge(s, s->options->newton_cg.tol);
  if (status == WAL_OK) status = polish(s);
  if (status != WAL_OK) return status;
  solution->iterations = s->steps;
  solution->certified_gap = s->gap;
  for (int j = 0; j < s->market->m; j++) solution->price[j] = exp(s->q[j]);
  return wal_allocation_demand(s->market, solution->price, &solution->allocation);
}

/* The shares of all buyers, where they fit. */
static void keep_shares(newton_cg *s) {
  const size_t n = (size_t)s->market->n, row = s->stride * sizeof *s->store;
  if ((double)n * (double)row > STORE_BYTES) return;
  s->store = aligned_alloc(64, n * row);
  s->money = malloc(n * sizeof *s->money);
  if (s->store && s->money) return;
  free(s->store); /* without them it takes longer, no more */
  s->store = NULL;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  if (!(market->alpha < 1.0) || isinf(market->alpha))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "newton_cg takes finite alpha < 1, not %g; expected 0.9, say, or another solver (newton "
                    "takes 1 and -.inf)",
                    market->alpha);
  const size_t m = (size_t)market->m;
  newton_cg s = {.market = market, .options = options, .trace = trace};
  s.stride = (m + LANES - 1) / LANES * LANES;
  double *room = malloc((12 * m + 1) * sizeof *room);
  s.operand = aligned_alloc(64, s.stride * sizeof *s.operand);
  solution->price = malloc(m * sizeof *solution->price);
  wal_status status = WAL_OK;
  if (!room || !s.operand || !solution->price) {
    status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  } else {
    double **vectors[] = {&s.q,        &s.factor, &s.share,  &s.f,   &s.trial,  &s.dq,
                          &s.residual, &s.scaled, &s.search, &s.hit, &s.last_q, &s.sums};
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) *vectors[k] = room + k * m;
    memset(s.operand, 0, s.stride * sizeof *s.operand);
    keep_shares(&s);
    status = run(&s, solution);
  }
  free(s.store);
  free(s.money);
  free(s.operand);
  free(room);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_newton_cg = {
    "newton_cg",
    "Exact (Newton-CG)",
    "this project, from marketfcnet corollary 5.7; Hestenes and Stiefel 1952",
    .alpha = "[-50, 0.9999]",
    .sizes =
        "many goods: no m x m matrix; 4 n m bytes up to 2 GiB, else "
        "streamed",
    .seam = "",
    .solve = solve};
