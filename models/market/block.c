/* Block-coordinate proportional response (Nan, Gao and Kroer 2023, BCPR).

   Buyers bid b_ij >= 0, sum_j b_ij = B_i; S_j = sum_i b_ij is spent on good j, whose price is p_j = S_j/Y_j,
   and buyer i receives b_ij/p_j. With r = alpha/(1-alpha), the bids of an equilibrium minimise the convex
     f(b) = sum_j S_j log S_j - sum_ij b_ij log(v_ij Y_j) + (1/r) sum_ij b_ij log b_ij,   0 < alpha <= 1
   (alpha = 1, where 1/r = 0: Shmyrev 2009; Cheung, Cole and Tao 2018), and -f for alpha < 0. One block of
   buyers at a time takes a proximal step of size eta in the relative entropy of its bids:
     b_ij <- B_i y_ij / sum_k y_ik,   y_ij = b_ij^w (v_ij/p_j)^(eta w),   w = 1/(1 + eta/r).
   eta = 1 and all buyers in one block: proportional response.

   eta. What a step leaves out of f is sum_j phi(S_j, h_j), what it pays is at least sum_j phi(T_j, h_j) /
   eta, with T_j the block's own spending, h_j its change, phi(a, h) = (a + h) log(1 + h/a) - h; and phi(T, h)
   / phi(S, h) lies between S/T before the step and after it. So f falls where eta T_j <= S_j before and
   after: the largest such eta is tried first, about the number of blocks. alpha < 0: what is left out of -f
   is negative, eta is infinite and the step is the block's demand at the present prices.

   Quasilinear utilities (Gao and Kroer 2020): money is one more good whose price stays 1, so b_i0 keeps its
   weight while the others move.

   The order of the blocks is drawn anew for every pass. f never rises. Proven for blocks drawn independently
   (Nan, Gao and Kroer): f - min f = O(1/steps) at alpha = 1, a linear rate for alpha < 1.

   No bid is stored: in a block b_ij ~ v_ij^a e^(-s_j) always, with one power a and one shift s_j per good. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/common/vmath.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

enum { TILE = 128 }; /* buyers of a block are worked on TILE at a time, good by good */

/* ---- bids ---- */

typedef struct {
  wal_allocation base;
  const wal_market *market; /* borrowed */
  int64_t block;            /* buyers of a block; the last may have fewer */
  double *power;            /* [blocks] a */
  double *shift;            /* [blocks, m] s_j */
  double *spent;            /* [m] S_j */
} block_bids;

/* log v_ij of `rows` buyers into log_v[m, TILE], budgets into budget[TILE]. */
static wal_status read_tile(const wal_market *market, int64_t lo, int rows, double *log_v, double *budget) {
  const wal_status status = wal_source_columns(market->buyers, market->m, lo, lo + rows, TILE, log_v, budget);
  for (int j = 0; status == WAL_OK && j < market->m; j++)
#pragma omp simd
    for (int t = 0; t < rows; t++) log_v[j * TILE + t] = wal_log(log_v[j * TILE + t]);
  return status;
}

/* e^x for x <= 0, and 0 below e^-600: subnormal bids would cost a hundred times their worth. */
static inline double weight(double x) {
  const double e = wal_exp_down(x > -600.0 ? x : -600.0);
  return x > -600.0 ? e : 0.0;
}

/* bid[m, TILE]: b_ij = B_i y_ij / sum_k y_ik with y_ij = v_ij^power e^(-shift_j), and 1 for money. */
static void bid_tile(const wal_market *market, double power, const double *shift, int rows,
                     const double *log_v, const double *budget, double *bid) {
  const bool keeps = market->quasilinear;
  double top[TILE], sum[TILE];
  for (int t = 0; t < rows; t++) top[t] = keeps ? 0.0 : -INFINITY;
  for (int j = 0; j < market->m; j++)
#pragma omp simd
    for (int t = 0; t < rows; t++) {
      const double y = power * log_v[j * TILE + t] - shift[j];
      bid[j * TILE + t] = y;
      top[t] = y > top[t] ? y : top[t];
    }
  for (int t = 0; t < rows; t++) sum[t] = keeps ? weight(-top[t]) : 0.0;
  for (int j = 0; j < market->m; j++)
#pragma omp simd
    for (int t = 0; t < rows; t++) {
      bid[j * TILE + t] = weight(bid[j * TILE + t] - top[t]);
      sum[t] += bid[j * TILE + t];
    }
  for (int t = 0; t < rows; t++) sum[t] = budget[t] / sum[t];
  for (int j = 0; j < market->m; j++)
    for (int t = 0; t < rows; t++) bid[j * TILE + t] *= sum[t];
}

static wal_status bids_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const block_bids *a = (const block_bids *)allocation;
  const int m = a->market->m;
  const size_t cells = (size_t)m * TILE;
  double *room = malloc((2 * cells + TILE) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  double *log_v = room, *bid = log_v + cells, *budget = bid + cells;
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi;) {
    const int64_t b = at / a->block, left = a->block - at % a->block, asked = hi - at < left ? hi - at : left;
    const int rows = asked < TILE ? (int)asked : TILE;
    status = read_tile(a->market, at, rows, log_v, budget);
    if (status == WAL_OK) bid_tile(a->market, a->power[b], a->shift + b * m, rows, log_v, budget, bid);
    for (int t = 0; status == WAL_OK && t < rows; t++)
      for (int j = 0; j < m; j++)
        x[(at - lo + t) * m + j] = bid[j * TILE + t] * (a->market->supply[j] / a->spent[j]);
    at += rows;
  }
  free(room);
  return status;
}

static void bids_destroy(wal_allocation *allocation) {
  block_bids *a = (block_bids *)allocation;
  free(a->power);
  free(a->shift);
  free(a->spent);
  free(a);
}

static const wal_allocation_ops bids_ops = {"block bids", bids_fill, bids_destroy};

/* ---- one block ---- */

typedef struct {
  const wal_market *market;
  const wal_solver_options *options;
  const wal_trace *trace;
  block_bids *bids;
  int64_t blocks;
  double *spent;  /* [blocks, m] T_j */
  double *ahead;  /* [blocks, m] by place in the pass: what later blocks spend */
  int64_t *order; /* [blocks] */
  /* the block at hand */
  int64_t lo, hi;  /* its buyers */
  double *rest;    /* [m] what the others spend */
  double power;    /* tried */
  double *shift;   /* [m] tried */
  double *trial;   /* [m] T_j there */
  double *log_p;   /* [m] */
  double *log_v;   /* [tiles, m, TILE] */
  double *budget;  /* [tiles, TILE] */
  double *by_tile; /* [tiles, m] T_j */
} solver;

static int tile_rows(const solver *s, int64_t tile) {
  const int64_t left = s->hi - s->lo - tile * TILE;
  return left < TILE ? (int)left : TILE;
}

static wal_status load_task(void *context, int64_t tile) {
  solver *s = context;
  return read_tile(s->market, s->lo + tile * TILE, tile_rows(s, tile), s->log_v + tile * s->market->m * TILE,
                   s->budget + tile * TILE);
}

static wal_status spend_task(void *context, int64_t tile) {
  solver *s = context;
  const int m = s->market->m, rows = tile_rows(s, tile);
  double *bid = malloc((size_t)m * TILE * sizeof *bid);
  if (!bid) return wal_fail(WAL_E_MEMORY, "no memory for bids of %d buyers for %d goods", TILE, m);
  bid_tile(s->market, s->power, s->shift, rows, s->log_v + tile * m * TILE, s->budget + tile * TILE, bid);
  for (int j = 0; j < m; j++) {
    double sum = 0.0;
    for (int t = 0; t < rows; t++) sum += bid[j * TILE + t];
    s->by_tile[tile * m + j] = sum;
  }
  free(bid);
  return WAL_OK;
}

static int64_t tiles(const solver *s) { return (s->hi - s->lo + TILE - 1) / TILE; }

static wal_status load(solver *s, int64_t b) {
  s->lo = b * s->bids->block;
  s->hi = s->lo + s->bids->block < s->market->n ? s->lo + s->bids->block : s->market->n;
  return wal_for_tasks(tiles(s), load_task, s);
}

/* trial[m]: what the block spends where its power and shifts are those tried. */
static wal_status spend(solver *s) {
  const int m = s->market->m;
  const wal_status status = wal_for_tasks(tiles(s), spend_task, s);
  for (int j = 0; j < m; j++) {
    s->trial[j] = 0.0;
    for (int64_t tile = 0; tile < tiles(s); tile++) s->trial[j] += s->by_tile[tile * m + j];
  }
  return status;
}

/* max_j T_j/S_j. */
static double largest_share(const solver *s, const double *spent) {
  double largest = 0.0;
  for (int j = 0; j < s->market->m; j++) largest = fmax(largest, spent[j] / (s->rest[j] + spent[j]));
  return largest;
}

/* The block's power and shifts after a step of size eta. */
static wal_status try_step(solver *s, int64_t b, double eta) {
  const double alpha = s->market->alpha, *shift = s->bids->shift + b * s->market->m;
  double keep = 1.0 / (1.0 + eta * (1.0 - alpha) / alpha), move = eta * keep;
  if (alpha < 0.0) keep = 0.0, move = alpha / (1.0 - alpha);
  if (alpha == 0.0) keep = 1.0, move = 0.0; /* shares do not depend on prices */
  s->power = keep * s->bids->power[b] + move;
  for (int j = 0; j < s->market->m; j++) s->shift[j] = keep * shift[j] + move * s->log_p[j];
  return spend(s);
}

static wal_status update(solver *s, int64_t b) {
  const int m = s->market->m;
  double *spent = s->spent + b * m;
  wal_status status = load(s, b);
  for (int j = 0; j < m; j++) s->log_p[j] = log(fmax(s->rest[j] + spent[j], DBL_MIN) / s->market->supply[j]);
  double eta = fmin(1.0 / largest_share(s, spent), (double)s->blocks);
  while (status == WAL_OK) {
    status = try_step(s, b, eta);
    const double share = largest_share(s, s->trial);
    if (s->market->alpha <= 0.0 || eta <= 1.0 || eta * share <= 1.0) break;
    eta = fmax(1.0, fmin(0.9 * eta, 1.0 / share));
  }
  s->bids->power[b] = s->power;
  memcpy(s->bids->shift + b * m, s->shift, (size_t)m * sizeof *s->shift);
  memcpy(spent, s->trial, (size_t)m * sizeof *spent);
  return status;
}

/* ---- passes over the blocks ---- */

/* Every block's first bids: b_ij ~ (v_ij Y_j)^a, a = 1 or the demand's power. */
static wal_status start(solver *s) {
  const int m = s->market->m;
  const double alpha = s->market->alpha;
  s->power = alpha < 0.0 ? alpha / (1.0 - alpha) : 1.0;
  wal_status status = WAL_OK;
  for (int j = 0; j < m; j++) {
    s->shift[j] = alpha == 0.0 ? 0.0 : -s->power * log(s->market->supply[j]);
    s->bids->spent[j] = 0.0;
  }
  for (int64_t b = 0; status == WAL_OK && b < s->blocks; b++) {
    status = load(s, b);
    if (status == WAL_OK) status = spend(s);
    s->order[b] = b;
    s->bids->power[b] = s->power;
    memcpy(s->bids->shift + b * m, s->shift, (size_t)m * sizeof *s->shift);
    memcpy(s->spent + b * m, s->trial, (size_t)m * sizeof *s->trial);
    for (int j = 0; j < m; j++) s->bids->spent[j] += s->trial[j];
  }
  for (int j = 0; status == WAL_OK && j < m; j++)
    if (s->bids->spent[j] == 0.0)
      status = wal_fail(WAL_E_INPUT,
                        "no buyer values good %d; expected at least one positive value (or leave it out)", j);
  return status;
}

/* A new order: Fisher and Yates. */
static void shuffle(solver *s, int64_t pass) {
  for (int64_t k = s->blocks - 1; k > 0; k--) {
    const uint64_t index = (uint64_t)(pass * s->blocks + k);
    const int64_t other = (int64_t)wal_rng_below(s->options->seed, WAL_STREAM_ORDER, index, (uint64_t)k + 1);
    const int64_t b = s->order[k];
    s->order[k] = s->order[other];
    s->order[other] = b;
  }
}

/* Updates every block once. S is a sum of what earlier blocks spend now and later ones still do: differences
   would lose a small S_j. */
static wal_status pass_over(solver *s, int64_t pass) {
  const int m = s->market->m;
  double *done = s->bids->spent;
  shuffle(s, pass);
  for (int64_t k = s->blocks - 1; k >= 0; k--)
    for (int j = 0; j < m; j++)
      s->ahead[k * m + j] =
          k + 1 < s->blocks ? s->ahead[(k + 1) * m + j] + s->spent[s->order[k + 1] * m + j] : 0.0;
  for (int j = 0; j < m; j++) done[j] = 0.0;
  for (int64_t k = 0; k < s->blocks; k++) {
    const int64_t b = s->order[k];
    for (int j = 0; j < m; j++) s->rest[j] = done[j] + s->ahead[k * m + j];
    const wal_status status = update(s, b);
    if (status != WAL_OK) return status;
    for (int j = 0; j < m; j++) done[j] += s->spent[b * m + j];
  }
  for (int j = 0; j < m; j++)
    if (!(done[j] > 0.0) || isinf(done[j]))
      return wal_fail(WAL_E_DIVERGED, "buyers spend %g on good %d after %lld passes", done[j], j,
                      (long long)pass);
  return WAL_OK;
}

static wal_status certify(const solver *s, wal_solution *solution) {
  wal_measures measures;
  const wal_status status = wal_measure(s->market, solution->allocation, solution->price, &measures);
  static const char *const names[] = {"step", "gap"};
  const double values[] = {(double)solution->iterations, measures.nash_gap};
  if (status != WAL_OK) return status;
  wal_trace_row(s->trace, 2, names, values);
  solution->certified_gap = fmax(measures.nash_gap, 0.0);
  return WAL_OK;
}

/* Passes until the gap, which is looked at after 1, 2, ... 8, 9, 10, 12, ... of them, is small enough. */
static wal_status iterate(solver *s, wal_solution *solution) {
  const int most = s->options->block.max_steps;
  const double tol = s->options->block.tol;
  wal_status status = start(s);
  for (int64_t pass = 1, due = 1; status == WAL_OK && pass <= most; pass++) {
    status = pass_over(s, pass);
    if (status != WAL_OK) break;
    for (int j = 0; j < s->market->m; j++) solution->price[j] = s->bids->spent[j] / s->market->supply[j];
    solution->iterations = pass;
    wal_trace_state(s->trace, pass, solution->allocation, solution->price);
    wal_trace_progress(s->trace, (double)pass / most, "passes over the buyers");
    if (pass < due && pass < most) continue;
    due = pass + 1 + pass / 8;
    status = certify(s, solution);
    if (status == WAL_OK && solution->certified_gap <= tol) return WAL_OK;
  }
  if (status != WAL_OK) return status;
  return wal_fail(WAL_E_DIVERGED, "gap %.3g after %d passes; expected %g (max_steps, tol)",
                  solution->certified_gap, most, tol);
}

/* ---- the solver ---- */

/* Ours: many blocks, of at most 1024 buyers so that a block has work for several threads. */
static int64_t block_size(int64_t n, int64_t asked) {
  if (asked > 0) return asked < n ? asked : n;
  return n < 128 ? 1 : n < 128 * 1024 ? n / 128 : 1024;
}

static wal_status allocate(solver *s, wal_solution *solution) {
  const size_t m = (size_t)s->market->m, tile = (size_t)(s->bids->block + TILE - 1) / TILE,
               blocks = (size_t)s->blocks;
  block_bids *x = s->bids;
  x->power = malloc(blocks * sizeof *x->power);
  x->shift = malloc(blocks * m * sizeof *x->shift);
  x->spent = malloc(m * sizeof *x->spent);
  solution->price = malloc(m * sizeof *solution->price);
  s->order = malloc(blocks * sizeof *s->order);
  s->spent = malloc((2 * blocks * m + 4 * m + tile * m * TILE + tile * TILE + tile * m) * sizeof *s->spent);
  if (!x->power || !x->shift || !x->spent || !solution->price || !s->order || !s->spent)
    return wal_fail(WAL_E_MEMORY, "no memory for %zu blocks of %lld buyers and %zu goods", blocks,
                    (long long)x->block, m);
  s->ahead = s->spent + blocks * m;
  s->rest = s->ahead + blocks * m;
  s->shift = s->rest + m;
  s->trial = s->shift + m;
  s->log_p = s->trial + m;
  s->log_v = s->log_p + m;
  s->budget = s->log_v + tile * m * TILE;
  s->by_tile = s->budget + tile * TILE;
  return WAL_OK;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  block_bids *bids = malloc(sizeof *bids);
  if (!bids) return wal_fail(WAL_E_MEMORY, "no memory for bids");
  const int64_t block = block_size(market->n, options->block.block);
  *bids = (block_bids){.base.ops = &bids_ops, .market = market, .block = block};
  solution->allocation = &bids->base;
  solver s = {.market = market,
              .options = options,
              .trace = trace,
              .bids = bids,
              .blocks = (market->n + block - 1) / block};
  wal_status status = allocate(&s, solution);
  if (status == WAL_OK) status = iterate(&s, solution);
  free(s.spent);
  free(s.order);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_block = {"block",
                                     "Block-coordinate",
                                     "Nan, Gao and Kroer 2023, BCPR",
                                     .alpha = "(-inf, 1]",
                                     .sizes = "any n, streamed; 24 m bytes per 1,024 buyers",
                                     .seam = "",
                                     .quasilinear = true,
                                     .solve = solve};
