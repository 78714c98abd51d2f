/* Estimators of MarketFCNet's penalty sum_j (E x_j - Y_j/n)^2 (eqs. 4, 5) against the minibatch size M: mean
   and standard deviation over many minibatches, beside what theory says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"
#include "models/common/rng.h"
#include "models/market/fc_loss.h"

static const wal_param params[] = {
    {"batch", WAL_INT, "128", 2, 1e6, NULL, "buyers", "M: buyers in each of the two minibatches", NULL,
     WAL_PARAM_KEY},
    {"draws", WAL_INT, "4000", 2, 1e9, NULL, "1", "pairs of minibatches", NULL, 0},
    {"n", WAL_INT, "2^14", 1, 1099511627776.0, NULL, "buyers", "number of buyers", NULL, WAL_PARAM_KEY},
    {"m", WAL_INT, "10", 1, 4096, NULL, "goods", "number of goods", NULL, WAL_PARAM_KEY},
    {"alpha", WAL_REAL, "0.5", -INFINITY, 1, NULL, "1", "CES parameter", NULL, WAL_PARAM_KEY},
    {"contexts", WAL_TEXT, "normal", 0, 0, "normal|uniform|exponential", "1", "law of the context elements",
     NULL, WAL_PARAM_KEY},
    {"d", WAL_INT, "5", 1, 4096, NULL, "1", "dimension of a context", NULL, 0},
    {"shift", WAL_REAL, "0", -10, 10, NULL, "1",
     "x is the demand at exact prices, times e^shift: 0 clears the market, so that the penalty is 0", NULL,
     WAL_PARAM_KEY},
    {"seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL,
     WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"estimator", WAL_TEXT, "1",
     "diagonal (eq. 5), product of the two means, U-statistic, square of the mean", WAL_COLUMN_KEY, 0, 0},
    {"truth", WAL_REAL, "1", "sum_j (E x_j - Y_j/n)^2 over the population", 0, 1e-6, 1e-12},
    {"sd", WAL_REAL, "1", "standard deviation over the draws", 0, 1e-6, 0},
    {"sd_theory", WAL_REAL, "1", "the same from the population's moments (square: to leading order)", 0, 1e-6,
     0},
    {"bias", WAL_REAL, "1", "mean over the draws - truth", 0, 1e-6, 1e-9},
    {"bias_theory", WAL_REAL, "1", "0, or tr(Cov x) / 2M for the square", 0, 1e-6, 0},
    {"bias_z", WAL_REAL, "1", "(bias - bias_theory) in standard errors of the mean", 0, 1e-4, 1e-6},
};

static const struct {
  wal_fc_estimator kind;
  const char *name, *label;
} estimators[] = {{WAL_FC_DIAGONAL, "diagonal", "diagonal pairs (eq. 5)"},
                  {WAL_FC_PRODUCT, "product", "product of two means"},
                  {WAL_FC_U_STATISTIC, "u_statistic", "U-statistic"},
                  {WAL_FC_SQUARE, "square", "square of the mean"}};
enum { ESTIMATORS = sizeof estimators / sizeof *estimators };

/* ---- the population's allocation and its moments ---- */

typedef struct {
  int64_t n;
  int m;
  double *x;                  /* [n, m] owned */
  double *mean;               /* [m] owned: Y_j / n = 1 */
  double truth;               /* |mu|^2, mu_j = E y_j, y_ij = x_ij - 1 */
  double trace, square, ends; /* tr C, tr C^2, mu' C mu with C = Cov y */
} population;

static void population_free(population *p) {
  free(p->x);
  free(p->mean);
}

static wal_status find_moments(population *p) {
  const int m = p->m;
  double *mu = calloc((size_t)m * ((size_t)m + 1), sizeof *mu), *c = mu ? mu + m : NULL; /* [m], [m, m] */
  if (!mu) return wal_fail(WAL_E_MEMORY, "no memory for the moments of %d goods", m);
  for (int64_t i = 0; i < p->n; i++)
    for (int j = 0; j < m; j++) mu[j] += (p->x[i * m + j] - 1) / (double)p->n;
  for (int64_t i = 0; i < p->n; i++)
    for (int j = 0; j < m; j++)
      for (int k = 0; k < m; k++)
        c[j * m + k] += (p->x[i * m + j] - 1 - mu[j]) * (p->x[i * m + k] - 1 - mu[k]) / (double)p->n;
  for (int j = 0; j < m; j++) {
    p->truth += mu[j] * mu[j];
    p->trace += c[j * m + j];
    for (int k = 0; k < m; k++) {
      p->square += c[j * m + k] * c[j * m + k];
      p->ends += mu[j] * c[j * m + k] * mu[k];
    }
  }
  free(mu);
  return WAL_OK;
}

static wal_status fill_population(const wal_market *market, double shift, population *p) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution exact = {0};
  *p = (population){.n = market->n, .m = market->m};
  wal_status status = wal_solver_find("newton")->solve(market, &options, NULL, &exact);
  if (status == WAL_OK) {
    p->x = malloc((size_t)p->n * (size_t)p->m * sizeof *p->x);
    p->mean = malloc((size_t)p->m * sizeof *p->mean);
    if (!p->x || !p->mean) status = wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)p->n);
  }
  if (status == WAL_OK) status = exact.allocation->ops->fill(exact.allocation, 0, p->n, p->x);
  if (status == WAL_OK) {
    for (int j = 0; j < p->m; j++) p->mean[j] = 1;
    for (int64_t k = 0; k < p->n * p->m; k++) p->x[k] *= exp(shift);
    status = find_moments(p);
  }
  wal_solution_destroy(&exact);
  return status;
}

/* ---- theory and draws ---- */

/* Buyers are drawn independently. With h = y . y' of two of them, Var h = tr (C + mu mu')^2 - |mu|^4. */
static double theory_sd(const population *p, wal_fc_estimator kind, int64_t batch) {
  const double M = (double)batch, N = 2 * M, pair = p->square + 2 * p->ends; /* Var h */
  switch (kind) {
    case WAL_FC_DIAGONAL: /* the mean of M such h */
      return sqrt(pair / M);
    case WAL_FC_PRODUCT: /* one h of two means, whose covariance is C / M */
      return sqrt(p->square / (M * M) + 2 * p->ends / M);
    case WAL_FC_U_STATISTIC: /* Hoeffding: 4 (N-2) / N(N-1) Var E[h|y] + 2 / N(N-1) Var h */
      return sqrt((4 * (N - 2) * p->ends + 2 * pair) / (N * (N - 1)));
    case WAL_FC_SQUARE:
      return sqrt(2 * p->square / (N * N) + 4 * p->ends / N);
  }
  return NAN;
}

static void send(wal_sink *sink, const population *p, int which, int64_t batch, int64_t draws, double mean,
                 double sd) {
  const wal_fc_estimator kind = estimators[which].kind;
  const double bias = kind == WAL_FC_SQUARE ? p->trace / (2.0 * (double)batch) : 0;
  wal_sink_row(sink);
  wal_sink_text(sink, "estimator", estimators[which].name);
  wal_sink_real(sink, "truth", p->truth);
  wal_sink_real(sink, "sd", sd);
  wal_sink_real(sink, "sd_theory", theory_sd(p, kind, batch));
  wal_sink_real(sink, "bias", mean - p->truth);
  wal_sink_real(sink, "bias_theory", bias);
  wal_sink_real(sink, "bias_z", (mean - p->truth - bias) / (sd / sqrt((double)draws)));
}

/* Every estimator sees the same minibatches. */
static wal_status draw_batches(const population *p, int64_t batch, int64_t draws, uint64_t seed,
                               wal_sink *sink) {
  const size_t m = (size_t)p->m, rows = 2 * (size_t)batch;
  double *x = malloc(rows * m * sizeof *x); /* [2M, m] */
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for minibatches of %lld buyers", (long long)batch);
  double mean[ESTIMATORS] = {0}, squares[ESTIMATORS] = {0}; /* Welford */
  for (int64_t k = 0; k < draws; k++) {
    for (size_t row = 0; row < rows; row++) {
      const uint64_t index = (uint64_t)k * rows + row;
      const uint64_t i = wal_rng_below(seed, WAL_STREAM_BATCH, index, (uint64_t)p->n);
      memcpy(x + row * m, p->x + i * m, m * sizeof *x);
    }
    for (int e = 0; e < ESTIMATORS; e++) {
      const double value = wal_fc_penalty(estimators[e].kind, p->m, (int)batch, x, p->mean);
      const double from_old = value - mean[e];
      mean[e] += from_old / (double)(k + 1);
      squares[e] += from_old * (value - mean[e]);
    }
    if (k % 64 == 0) wal_sink_progress(sink, (double)k / (double)draws, "minibatches");
  }
  free(x);
  for (int e = 0; e < ESTIMATORS; e++)
    send(sink, p, e, batch, draws, mean[e], sqrt(squares[e] / (double)(draws - 1)));
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_context_market drawn = {0};
  population p = {0};
  wal_status status = wal_market_drawn(point, &drawn);
  if (status == WAL_OK) status = fill_population(&drawn.market, wal_point_real(point, "shift"), &p);
  if (status == WAL_OK)
    status = draw_batches(&p, wal_point_int(point, "batch"), wal_point_int(point, "draws"),
                          (uint64_t)wal_point_int(point, "seed"), sink);
  population_free(&p);
  wal_context_market_destroy(&drawn);
  return status;
}

/* ---- the picture ---- */

/* Measured as points, theory as a line of the same colour. */
static void add_estimator(wal_panel *panel, const wal_grouping *by, int e, const char *measured,
                          const char *theory) {
  const wal_frame *rows = by->result->rows;
  const int name = wal_frame_find(rows, "estimator"), batch = wal_frame_find(rows, "batch");
  wal_series *points = wal_panel_series(panel, WAL_POINTS, estimators[e].label, e);
  wal_series *line = theory ? wal_panel_series(panel, WAL_BAND, "", e) : NULL;
  for (int k = 0; k < by->count; k++) {
    const int64_t row = by->groups[k].row;
    if (strcmp(wal_frame_text(rows, row, name), estimators[e].name)) continue;
    wal_stat s = wal_group_stat(by, k, measured);
    if (!strcmp(measured, "bias")) s.mean = fabs(s.mean), s.count = 1;
    const double x = wal_frame_real(rows, row, batch);
    wal_market_add(points, x, s);
    if (line) wal_series_point(line, x, wal_group_stat(by, k, theory).mean, NAN, NAN);
  }
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *sd = wal_figure_panel(figure, "Standard deviation", "minibatch size M", "of one estimate");
  for (int e = 0; e < ESTIMATORS; e++) add_estimator(sd, by, e, "sd", "sd_theory");
  wal_panel_log(sd, true, true);
  wal_panel_legend(sd, "top right");
  wal_panel *bias =
      wal_figure_panel(figure, "Bias", "minibatch size M", "|mean over seeds and draws - truth|");
  for (int e = 0; e < ESTIMATORS; e++)
    add_estimator(bias, by, e, "bias", estimators[e].kind == WAL_FC_SQUARE ? "bias_theory" : NULL);
  wal_panel_log(bias, true, true);
  wal_panel_legend(bias, NULL);
  wal_figure_note(figure,
                  "Points: measured, bars from the smallest to the largest of the seeds; lines: theory from "
                  "the population's moments. The bias of the three unbiased estimators is what the "
                  "number of draws leaves of it");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"estimator", "batch"};
  static const char *const measures[] = {"sd", "sd_theory", "bias", "bias_theory", "bias_z"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 5, draw_figure);
}

const wal_experiment wal_marketfcnet_estimators = {
    .id = "marketfcnet/estimators",
    .title = "Estimators of the squared excess",
    .paper = WAL_MARKETFCNET_PAPER ", equations 4 and 5",
    .doc =
        "Eq. 5 estimates the penalty's square (E x_j - Y_j/n)^2 from two minibatches of M buyers by pairing "
        "them one by one. Beside it: the product of the two means, the U-statistic of all pairs, and the "
        "plain "
        "square, which is biased. x is the demand at exact prices; every estimator sees the same draws.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
