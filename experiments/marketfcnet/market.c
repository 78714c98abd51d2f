#include "experiments/marketfcnet/market.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/pool.h"
#include "engine/precision.h"
#include "experiments/files/market_file.h"
#include "models/market/reduce.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

#define DRAWN_ONLY "contexts=normal|uniform|exponential"
#define EG_ONLY "solver=eg|eg_m"
#define FC_ONLY "solver=fc"
#define SHARE_ONLY "solver=fc_share"
#define STOP_DOC "stop when the certified gap is below"

/* The parameters of one recipe of MarketFCNet; the two recipes differ in their defaults only. */
#define NETWORK_PARAMS(P, WHEN, WIDTH, INNER, LR, WARMUP, COSINE, RHO, PRICE)                             \
  {P ".width", WAL_INT, WIDTH, 1, 4096, NULL, "units", "hidden width", WHEN, false},                      \
      {P ".estimator",                                                                                    \
       WAL_TEXT,                                                                                          \
       "product",                                                                                         \
       0,                                                                                                 \
       0,                                                                                                 \
       "diagonal|product|u_statistic",                                                                    \
       "1",                                                                                               \
       "of the squared excess in eq. 5",                                                                  \
       WHEN,                                                                                              \
       false},                                                                                            \
      {P ".depth", WAL_INT, "5", 1, 32, NULL, "layers", "linear layers, output included", WHEN, false},   \
      {P ".activation", WAL_TEXT, "relu", 0, 0, "relu|tanh|silu", "1", "hidden activation", WHEN, false}, \
      WAL_PRECISION_PARAM(P ".precision", WHEN),                                                          \
      {P ".batch", WAL_INT, "128", 1, 1e6, NULL, "buyers", "M: buyers per minibatch; a step takes two",   \
       WHEN,       false},                                                                                \
      {P ".epochs", WAL_INT, "30", 1, 1e6, NULL, "1", "updates of the multipliers lambda", WHEN, false},  \
      {P ".inner", WAL_INT, INNER, 1, 1e6, NULL, "steps", "K: Adam steps per epoch", WHEN, false},        \
      {P ".lr", WAL_REAL, LR, 1e-8, 1, NULL, "1", "Adam's learning rate", WHEN, false},                   \
      {P ".warmup", WAL_INT, WARMUP, 0, 1e6, NULL, "steps", "linear warm-up of the rate; 0: none",        \
       WHEN,        false},                                                                               \
      {P ".cosine", WAL_BOOL, COSINE, 0, 1, NULL, "1", "decay the rate to 0 by a cosine", WHEN, false},   \
      {P ".rho", WAL_REAL, RHO, 0, 1e6, NULL, "1", "augmented-Lagrangian weight rho", WHEN, false}, {     \
    P ".price_buyers", WAL_INT, PRICE, 0, 1099511627776.0, NULL, "buyers",                                \
        "buyers whose demand sets lambda; 0: all of them, as the paper does", WHEN, false                 \
  }

const wal_param wal_market_params[WAL_MARKET_PARAMS] = {
    {"solver", WAL_TEXT, "newton", 0, 0, WAL_SOLVER_CHOICES, "1", "how the equilibrium is computed", NULL,
     true},
    {"n", WAL_INT, "1048576", 1, 1099511627776.0, NULL, "buyers", "number of buyers", DRAWN_ONLY,
     WAL_PARAM_KEY},
    {"m", WAL_INT, "10", 1, 65536, NULL, "goods", "number of goods", DRAWN_ONLY, WAL_PARAM_KEY},
    {"alpha", WAL_REAL, "0.5", -INFINITY, 1, NULL, "1",
     "CES parameter: 1 linear, 0 Cobb-Douglas, -.inf Leontief", NULL, true},
    {"quasilinear", WAL_BOOL, "false", 0, 1, NULL, "1",
     "money left over counts as utility, u_i = <v_i, x_i> + money left; alpha = 1 only", NULL, false},
    {"contexts", WAL_TEXT, "normal", 0, 0, "normal|uniform|exponential|file", "1",
     "law of the context elements, N(0,1), U[0,1] or Exp(1), or a market from a file", NULL, WAL_PARAM_KEY},
    {"contexts.path", WAL_TEXT, "", 0, 0, NULL, "1", "the market's file", "contexts=file", WAL_PARAM_FILE},
    {"d", WAL_INT, "5", 1, 4096, NULL, "1", "dimension of a buyer's and of a good's context", DRAWN_ONLY,
     false},
    {"seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL,
     true},
    {"newton.max_steps", WAL_INT, "100", 1, 100000, NULL, "steps", "most Newton steps of a stage",
     "solver=newton", false},
    {"newton.tol", WAL_REAL, "1e-12", 0, 1, NULL, "nats", "stop when the certified |NG| is below",
     "solver=newton|newton_sample", false},
    {"newton.single", WAL_BOOL, "false", 0, 1, NULL, "1",
     "values in float32, sums in double: NG about 1e-15 in half of the time; alpha in [-10, 0.95]",
     "solver=newton|newton_sample", false},
    {"newton_sample.buyers", WAL_INT, "2^14", 1, 1099511627776.0, NULL, "buyers", "buyers in the sample",
     "solver=newton_sample", false},
    {"newton_cg.max_steps", WAL_INT, "100", 1, 100000, NULL, "steps", "most Newton steps", "solver=newton_cg",
     false},
    {"newton_cg.max_inner", WAL_INT, "200", 1, 100000, NULL, "steps", "most conjugate-gradient steps of each",
     "solver=newton_cg", false},
    {"newton_cg.tol", WAL_REAL, "1e-12", 0, 1, NULL, "nats", STOP_DOC, "solver=newton_cg", false},
    {"pr.max_steps", WAL_INT, "100000", 1, 1e9, NULL, "steps", "most steps", "solver=pr", false},
    {"pr.tol", WAL_REAL, "1e-8", 0, 1, NULL, "nats", STOP_DOC, "solver=pr", false},
    {"tatonnement.max_steps", WAL_INT, "10000", 1, 1e9, NULL, "steps", "most steps", "solver=tatonnement",
     false},
    {"tatonnement.tol", WAL_REAL, "1e-10", 0, 1, NULL, "nats", STOP_DOC, "solver=tatonnement", false},
    {"tatonnement.gamma", WAL_REAL, "0", 0, 10, NULL, "1",
     "log p_j moves by gamma times the log of demand over supply; 0: 1 - alpha, or 1 for alpha < 0",
     "solver=tatonnement", false},
    {"tatonnement.memory", WAL_INT, "8", 0, 64, NULL, "steps", "Anderson acceleration over so many; 0: none",
     "solver=tatonnement", false},
    {"block.max_steps", WAL_INT, "10000", 1, 1e9, NULL, "passes", "most passes over the buyers",
     "solver=block", false},
    {"block.tol", WAL_REAL, "1e-8", 0, 1, NULL, "nats", STOP_DOC, "solver=block", false},
    {"block.block", WAL_INT, "0", 0, 1e9, NULL, "buyers", "buyers updated together; 0: n/128, from 1 to 1024",
     "solver=block", false},
    {"pace.items", WAL_INT, "0", 0, 1099511627776.0, NULL, "items",
     "items that arrive; 0: as many as reach pace.tol, at most 2^30", "solver=pace", false},
    {"pace.tol", WAL_REAL, "1e-3", 0, 1, NULL, "nats", STOP_DOC, "solver=pace", false},
    {"eg_scaled.max_steps", WAL_INT, "30000", 1, 1e9, NULL, "steps", "most gradient steps",
     "solver=eg_scaled", false},
    {"eg_scaled.tol", WAL_REAL, "1e-6", 0, 1, NULL, "nats", STOP_DOC, "solver=eg_scaled", false},
    {"eg_scaled.step", WAL_REAL, "0", 0, 1e12, NULL, "1",
     "step of a buyer's own gradient; 0: 2/max(1, 1 - alpha)", "solver=eg_scaled", false},
    {"eg_scaled.momentum", WAL_REAL, "0.9", 0, 0.9999, NULL, "1", "momentum", "solver=eg_scaled", false},
    {"eg.epochs", WAL_INT, "30", 1, 1e6, NULL, "1", "updates of the multipliers lambda", EG_ONLY, false},
    {"eg.inner", WAL_INT, "0", 0, 1e6, NULL, "steps",
     "K: gradient steps per epoch; 0: the paper's rule (1000 for n > 1000, else 100)", EG_ONLY, false},
    {"eg.step", WAL_REAL, "0", 0, 1e12, NULL, "1",
     "gradient step; 0: the paper's rule (1e3, or 1e2 at alpha = 1, for n > 1000; else 1 or 0.1)", EG_ONLY,
     false},
    {"eg.as_if_n", WAL_INT, "0", 0, 1099511627776.0, NULL, "buyers",
     "scales the step by n / as_if_n: a buyer moves as it would among so many buyers; 0: no", EG_ONLY, false},
    {"eg.momentum", WAL_REAL, "0.9", 0, 0.9999, NULL, "1", "momentum of EG-m", "solver=eg_m", false},
    {"eg.rho", WAL_REAL, "0.2", 0, 1e6, NULL, "1", "augmented-Lagrangian weight rho", EG_ONLY, false},
    {"eg.lambda0", WAL_REAL, "0", 0, 1e6, NULL, "1", "initial multipliers (the paper does not say)", EG_ONLY,
     false},
    {"eg.early_stop", WAL_BOOL, "true", 0, 1, NULL, "1", "stop at the end of an epoch when NG < eg.stop_gap",
     EG_ONLY, false},
    {"eg.stop_gap", WAL_REAL, "1e-3", 0, 1, NULL, "nats", "the gap of the early stop", EG_ONLY, false},
    {"fc.lambda0", WAL_REAL, "0", 0, 1e6, NULL, "1", "initial multipliers (the paper does not say)", FC_ONLY,
     false},
    NETWORK_PARAMS("fc", FC_ONLY, "256", "100", "1e-4", "0", "false", "0.2", "0"),
    NETWORK_PARAMS("fc_share", SHARE_ONLY, "64", "100", "1e-2", "100", "true", "0", "2^18"),
    NETWORK_PARAMS("tower", "solver=tower", "64", "200", "1e-2", "100", "true", "0", "2^18"),
};

/* Optional: without a result (`outcome`) there is nothing to measure. */
const wal_column wal_market_columns[WAL_MARKET_COLUMNS] = {
    {"nash_gap", WAL_REAL, "nats", "Nash gap NG of the projected pair (eqs. 9, 12)", WAL_COLUMN_OPTIONAL,
     1e-3, 1e-12},
    {"voa", WAL_REAL, "1", "violation of allocation VoA (eq. 13)", WAL_COLUMN_OPTIONAL, 1e-3, 1e-9},
    {"vop", WAL_REAL, "1", "violation of price VoP (eq. 13)", WAL_COLUMN_OPTIONAL, 1e-3, 1e-9},
    {"lnw", WAL_REAL, "nats", "log Nash welfare of the projected allocation (eq. 6)", WAL_COLUMN_OPTIONAL,
     1e-6, 1e-9},
    {"lfw", WAL_REAL, "nats", "log fixed-price welfare of the projected prices (eq. 8)", WAL_COLUMN_OPTIONAL,
     1e-6, 1e-9},
    {"wsw", WAL_REAL, "1", "weighted social welfare of the projected allocation (section 5.1)",
     WAL_COLUMN_OPTIONAL, 1e-3, 0},
    {"iterations", WAL_INT, "steps", "iterations, in the solver's own unit", WAL_COLUMN_OPTIONAL, 0, 2},
    {"solve_s", WAL_REAL, "s", "wall time of solving or training", WAL_COLUMN_TIMING, 0, 0},
    {"measure_s", WAL_REAL, "s", "wall time of measuring NG, VoA, VoP on all buyers", WAL_COLUMN_TIMING, 0,
     0},
    {"outcome", WAL_TEXT, "1", "ok, or why the method has no result (EG: a lambda that is not positive)", 0,
     0, 0},
    {"train_flop", WAL_REAL, "FLOP", "floating-point operations of a network's training", WAL_COLUMN_OPTIONAL,
     1e-12, 0},
};

static void trace_row(void *sink, int count, const char *const names[], const double values[]) {
  wal_sink_trace(sink, "solve", count, names, values);
}

static void trace_progress(void *sink, double fraction, const char *what) {
  wal_sink_progress(sink, fraction, what);
}

wal_trace wal_market_trace(wal_sink *sink) {
  return (wal_trace){.context = sink, .row = trace_row, .progress = trace_progress};
}

static void network_options(const wal_point *p, const char *recipe, wal_network_options *o) {
  char name[64];
#define NAMED(field) (snprintf(name, sizeof name, "%s.%s", recipe, field), name)
  o->width = (int)wal_point_int(p, NAMED("width"));
  o->depth = (int)wal_point_int(p, NAMED("depth"));
  o->batch = (int)wal_point_int(p, NAMED("batch"));
  o->epochs = (int)wal_point_int(p, NAMED("epochs"));
  o->inner = (int)wal_point_int(p, NAMED("inner"));
  o->lr = wal_point_real(p, NAMED("lr"));
  o->warmup = (int)wal_point_int(p, NAMED("warmup"));
  o->cosine = wal_point_bool(p, NAMED("cosine"));
  o->rho = wal_point_real(p, NAMED("rho"));
  o->price_buyers = wal_point_int(p, NAMED("price_buyers"));
  snprintf(o->activation, sizeof o->activation, "%s", wal_point_text(p, NAMED("activation")));
  snprintf(o->estimator, sizeof o->estimator, "%s", wal_point_text(p, NAMED("estimator")));
  snprintf(o->precision, sizeof o->precision, "%s", wal_point_text(p, NAMED("precision")));
#undef NAMED
}

void wal_market_solver_options(const wal_point *p, wal_solver_options *o) {
  wal_solver_defaults(o);
  o->seed = (uint64_t)wal_point_int(p, "seed");
  o->newton.max_steps = (int)wal_point_int(p, "newton.max_steps");
  o->newton.tol = wal_point_real(p, "newton.tol");
  o->newton.single = wal_point_bool(p, "newton.single");
  o->newton_sample.buyers = wal_point_int(p, "newton_sample.buyers");
  o->newton_cg.max_steps = (int)wal_point_int(p, "newton_cg.max_steps");
  o->newton_cg.max_inner = (int)wal_point_int(p, "newton_cg.max_inner");
  o->newton_cg.tol = wal_point_real(p, "newton_cg.tol");
  o->pr.max_steps = (int)wal_point_int(p, "pr.max_steps");
  o->pr.tol = wal_point_real(p, "pr.tol");
  o->tatonnement.max_steps = (int)wal_point_int(p, "tatonnement.max_steps");
  o->tatonnement.tol = wal_point_real(p, "tatonnement.tol");
  o->tatonnement.gamma = wal_point_real(p, "tatonnement.gamma");
  o->tatonnement.memory = (int)wal_point_int(p, "tatonnement.memory");
  o->block.max_steps = (int)wal_point_int(p, "block.max_steps");
  o->block.tol = wal_point_real(p, "block.tol");
  o->block.block = wal_point_int(p, "block.block");
  o->pace.items = wal_point_int(p, "pace.items");
  o->pace.tol = wal_point_real(p, "pace.tol");
  o->eg_scaled.max_steps = (int)wal_point_int(p, "eg_scaled.max_steps");
  o->eg_scaled.tol = wal_point_real(p, "eg_scaled.tol");
  o->eg_scaled.step = wal_point_real(p, "eg_scaled.step");
  o->eg_scaled.momentum = wal_point_real(p, "eg_scaled.momentum");
  o->eg.epochs = (int)wal_point_int(p, "eg.epochs");
  o->eg.inner = (int)wal_point_int(p, "eg.inner");
  o->eg.step = wal_point_real(p, "eg.step");
  o->eg.as_if_n = wal_point_int(p, "eg.as_if_n");
  o->eg.momentum = wal_point_real(p, "eg.momentum");
  o->eg.rho = wal_point_real(p, "eg.rho");
  o->eg.lambda0 = wal_point_real(p, "eg.lambda0");
  o->eg.early_stop = wal_point_bool(p, "eg.early_stop");
  o->eg.stop_gap = wal_point_real(p, "eg.stop_gap");
  network_options(p, "fc", &o->fc);
  network_options(p, "fc_share", &o->fc_share);
  network_options(p, "tower", &o->tower);
  o->fc.lambda0 = wal_point_real(p, "fc.lambda0");
}

int64_t wal_market_weights(const wal_network_options *o, int inputs, int outputs) {
  const int64_t width = o->width;
  return o->depth == 1 ? (int64_t)inputs * outputs
                       : inputs * width + (o->depth - 2) * width * width + width * outputs;
}

int wal_market_price_passes(const wal_network_options *o, const char *recipe) {
  return strcmp(recipe, "fc") ? 1 : o->epochs;
}

double wal_market_training_flop(const wal_network_options *o, const char *recipe, int64_t n, int m, int d) {
  const bool tower = !strcmp(recipe, "tower"); /* a row per buyer; the others have one per buyer and good */
  const double weights = (double)(tower ? wal_market_weights(o, d, m) : wal_market_weights(o, 2 * d, 1));
  const double steps =
      6.0 * o->epochs * o->inner * 2 * o->batch; /* rows of minibatches, three times 2 each */
  const double buyers = (double)(o->price_buyers > 0 && o->price_buyers < n ? o->price_buyers : n);
  return weights * (tower ? 1 : m) * (steps + 2.0 * wal_market_price_passes(o, recipe) * buyers);
}

const wal_network_options *wal_market_recipe(const wal_solver_options *options, const char *solver) {
  if (!strcmp(solver, "fc")) return &options->fc;
  if (!strcmp(solver, "fc_share")) return &options->fc_share;
  return strcmp(solver, "tower") ? NULL : &options->tower;
}

static void send_row(wal_sink *sink, const wal_measures *measures, const wal_solution *solution,
                     double solve_s, double measure_s) {
  wal_sink_row(sink);
  wal_sink_text(sink, "outcome", "ok");
  wal_sink_real(sink, "nash_gap", measures->nash_gap);
  wal_sink_real(sink, "voa", measures->voa);
  wal_sink_real(sink, "vop", measures->vop);
  wal_sink_real(sink, "lnw", measures->lnw);
  wal_sink_real(sink, "lfw", measures->lfw);
  wal_sink_real(sink, "wsw", measures->wsw);
  wal_sink_int(sink, "iterations", solution->iterations);
  wal_sink_real(sink, "solve_s", solve_s);
  wal_sink_real(sink, "measure_s", measure_s);
}

/* Solves and measures one market; the caller owns both the market and the solution. */
static wal_status solve_and_send(const wal_market *market, const wal_solver *solver,
                                 const wal_solver_options *options, wal_sink *sink, wal_solution *solution) {
  const wal_trace trace = wal_market_trace(sink);
  wal_measures measures;
  double begun = wal_now();
  wal_status status = wal_solver_solve(solver, market, options, &trace, solution);
  double solved = wal_now();
  if (status == WAL_E_DIVERGED && (!strcmp(solver->name, "eg") || !strcmp(solver->name, "eg_m"))) {
    wal_sink_row(sink);
    wal_sink_text(sink, "outcome", wal_status_text(status));
    wal_sink_real(sink, "solve_s", solved - begun);
    return WAL_OK;
  }
  if (status != WAL_OK) return status;
  wal_sink_progress(sink, 1, "measuring");
  status = wal_measure(market, solution->allocation, solution->price, &measures);
  if (status != WAL_OK) return status;
  send_row(sink, &measures, solution, solved - begun, wal_now() - solved);
  const wal_network_options *recipe = wal_market_recipe(options, solver->name);
  if (recipe)
    wal_sink_real(sink, "train_flop",
                  wal_market_training_flop(recipe, solver->name, market->n, market->m, market->d));
  return WAL_OK;
}

wal_status wal_market_drawn(const wal_point *point, wal_context_market *out) {
  wal_context_law law;
  const wal_status status = wal_context_law_parse(wal_point_text(point, "contexts"), &law);
  if (status != WAL_OK) return status;
  return wal_context_market_create(law, (uint64_t)wal_point_int(point, "seed"), wal_point_int(point, "n"),
                                   (int)wal_point_int(point, "m"), (int)wal_point_int(point, "d"),
                                   wal_point_real(point, "alpha"), out);
}

/* A market drawn from the law of its contexts. */
static wal_status run_drawn(const wal_point *point, const wal_solver *solver,
                            const wal_solver_options *options, wal_sink *sink) {
  wal_context_market drawn = {0};
  wal_solution solution = {0};
  wal_status status = wal_market_drawn(point, &drawn);
  drawn.market.quasilinear = wal_point_bool(point, "quasilinear");
  if (status == WAL_OK) status = solve_and_send(&drawn.market, solver, options, sink, &solution);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&drawn);
  return status;
}

/* A user's market; n and m are the file's. Goods that nobody wants are left out (models/market/reduce.h). */
static wal_status run_file(const wal_point *point, const wal_solver *solver,
                           const wal_solver_options *options, wal_sink *sink) {
  const wal_market_file_options from = {.alpha = wal_point_real(point, "alpha"),
                                        .quasilinear = wal_point_bool(point, "quasilinear")};
  wal_market_file file;
  wal_reduced_market reduced = {0};
  wal_solution solution = {0};
  wal_status status = wal_market_file_open(wal_point_text(point, "contexts.path"), &from, &file);
  if (status == WAL_OK) status = wal_reduced_market_create(&file.market, &reduced);
  if (status == WAL_OK && file.market.d > 0) status = wal_market_check(&reduced.market);
  if (status == WAL_OK) status = solve_and_send(&reduced.market, solver, options, sink, &solution);
  if (status == WAL_OK) {
    wal_sink_int(sink, "n", file.market.n);
    wal_sink_int(sink, "m", file.market.m);
  }
  wal_solution_destroy(&solution);
  wal_reduced_market_destroy(&reduced);
  wal_market_file_close(&file);
  return status;
}

wal_status wal_market_run_point(const wal_point *point, wal_sink *sink) {
  const char *name = wal_point_text(point, "solver");
  const wal_solver *solver = wal_solver_find(name);
  if (!solver) return wal_fail(WAL_E_INTERNAL, "solver '%s' is not in wal_solvers", name);
  wal_solver_options options;
  wal_market_solver_options(point, &options);
  const bool is_file = strcmp(wal_point_text(point, "contexts"), "file") == 0;
  return (is_file ? run_file : run_drawn)(point, solver, &options, sink);
}
