/* Training of mechanisms: the objective's gradient, Algorithm 1's duals, instances with their weights,
   checkpoints to the same bits, and that it helps. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/attack_search.h"
#include "models/mechanism/objective.h"
#include "models/mechanism/sampler.h"
#include "models/mechanism/training_run.h"
#include "tests/suite.h"

static double *doubles(int64_t count) {
  double *p = calloc((size_t)count, sizeof *p);
  ck_assert_ptr_nonnull(p);
  return p;
}

static wal_mechanism *make(const char *kind, int n, int m) {
  wal_mechanism_options options = wal_mechanism_defaults();
  wal_mechanism *f = NULL;
  options.width = 16;
  options.seed = 5;
  strcpy(options.activation, "silu");
  ck_assert_msg(wal_mechanism_create(kind, n, m, &options, &f) == WAL_OK, "%s", wal_error());
  return f;
}

static wal_training_options options_of(const char *kind, int n, int m) {
  wal_training_options o = wal_training_defaults(kind, n, m);
  o.law = wal_law_default(n, m, 3);
  o.batch = 32;
  o.steps = 30;
  o.attack = wal_attack_defaults("candidates");
  o.attack.candidates = 16;
  o.trace_every = 10;
  o.save_every = 10;
  return o;
}

static wal_owned_instances draw(const wal_law *law, int64_t count) {
  wal_owned_instances in;
  ck_assert_int_eq(wal_instances_create(count, law->n, law->m, false, &in), WAL_OK);
  ck_assert_int_eq(wal_law_draw(law, 0, &in), WAL_OK);
  return in;
}

/* ---- the objective ---- */

enum { K = 5, N = 3, M = 2, NM = N * M, R = 4 };
static const int64_t lie_instance[R] = {0, 2, 2, 4};
static const int lie_agent[R] = {1, 0, 2, 1};

static wal_objective_value value_at(const wal_objective *o, const wal_deviations *d, const double *a,
                                    double *da) {
  double scratch[2 * K * N], expl[N];
  return wal_objective_gradient(o, d, a, scratch, expl, da);
}

static wal_objective objective_of(int log, const double *gamma) {
  return (wal_objective){.log = log, .gamma = gamma, .nsw_scale = 0.07, .expl_unit = log ? 1 : 55};
}

static wal_objective active_of(const double *gamma) {
  wal_objective o = objective_of(0, gamma);
  o.active = true;
  return o;
}

START_TEST(objective_has_its_gradient) {
  wal_law law = wal_law_default(N, M, 8);
  law.demanded = 0.9;
  wal_owned_instances in = draw(&law, K);
  const double importance[K] = {0.5, 1, 1.5, 0.7, 1.3}, gamma[N] = {0.3, 2, 0.9};
  wal_deviations d = {&in.in, importance, R, lie_instance, lie_agent, 0, NULL, NULL};
  double a[(K + R) * NM], da[(K + R) * NM], unused[(K + R) * NM];
  for (int e = 0; e < (K + R) * NM; e++) { /* lies may hand out more than the true demand */
    const double x = in.x[e < K * NM ? e : lie_instance[(e - K * NM) / NM] * NM + e % NM];
    a[e] = x * (0.1 + (e < K * NM ? 0.8 : 1.5) * wal_rng_uniform(4, WAL_STREAM_TEST, (uint64_t)e));
  }
  in.x[1 * NM] = in.x[1 * NM + 1] = a[1 * NM] = a[1 * NM + 1] = 0; /* agent 0 of instance 1 stays away */
  const double weight[K] = {0, 0.3, 0, 0.2, 0.1}, reference[K] = {1, 2e-3, 1, 4e-3, 1e-2};
  for (int kind = 0; kind < 4; kind++) { /* product, active, log, log with weights of the welfare's own */
    const wal_objective o = kind == 1 ? active_of(gamma) : objective_of(kind > 1, gamma);
    if (kind == 3) d.attacked = K - 1, d.weight = weight, d.reference = reference, d.lies = R - 1;
    value_at(&o, &d, a, da);
    for (int e = 0; e < (K + (int)d.lies) * NM; e++) {
      const double h = 1e-6 * a[e], kept = a[e];
      if (h == 0) continue; /* nothing demanded: a kink at 0 */
      a[e] = kept + h;
      const double up = value_at(&o, &d, a, unused).loss;
      a[e] = kept - h;
      const double down = value_at(&o, &d, a, unused).loss;
      a[e] = kept;
      ck_assert_double_eq_tol(da[e], (up - down) / (2 * h), 1e-6 + 1e-5 * fabs(da[e]));
    }
    for (int e = NM + M; e < 2 * NM; e++) /* the two others there: worth something but to the product */
      ck_assert(in.x[e] == 0 || (kind == 0) == (da[e] == 0));
  }
  wal_instances_destroy(&in);
}
END_TEST

/* Two agents, one resource, one liar, an instance that counts 1.5 times: by hand. */
START_TEST(objective_by_hand) {
  const double v[] = {1, 2}, x[] = {0.5, 1}, b[] = {1}, importance[] = {1.5}, gamma[] = {3, 5};
  const double a[] = {0.25, 0.5, 0.75, 0.25}; /* the truth; agent 0 lies and gets 0.5 of use */
  const wal_instances in = {.count = 1, .n = 2, .m = 1, .v = v, .x = x, .b = b};
  const wal_deviations d = {&in, importance, 1, (int64_t[]){0}, (int[]){0}, 0, NULL, NULL};
  double scratch[4], expl[2], da[4];
  wal_objective o = {.log = false, .gamma = gamma, .nsw_scale = 0.5, .expl_unit = 1 / (2 * 0.1)};
  wal_objective_value value = wal_objective_gradient(&o, &d, a, scratch, expl, da);
  ck_assert_double_eq_tol(expl[0], 1.5 * 0.25, 1e-15);
  ck_assert_double_eq_tol(expl[1], 0, 1e-15);
  ck_assert_double_eq_tol(value.nsw, 1.5 * 0.25, 1e-15);
  ck_assert_double_eq_tol(value.expl, 1.5 * 0.125, 1e-15);
  ck_assert_double_eq_tol(value.loss, 1.5 * (3 * 0.25 / 2 / 0.1 - 0.25 / 0.5), 1e-14);
  o.log = true, o.expl_unit = 1;
  value = wal_objective_gradient(&o, &d, a, scratch, expl, da);
  ck_assert_double_eq_tol(value.loss, 1.5 * (3 * 0.25 - log(0.25) - log(1)), 1e-14);
}
END_TEST

/* An agent without demand: its logarithm is left out, the product is 0 unless the agent is left out too. */
START_TEST(objective_without_demand) {
  const double v[] = {1, 2}, x[] = {0.5, 0}, b[] = {1}, importance[] = {1}, gamma[] = {1, 1};
  const double a[] = {0.25, 0};
  const wal_instances in = {.count = 1, .n = 2, .m = 1, .v = v, .x = x, .b = b};
  const wal_deviations d = {&in, importance, 0, NULL, NULL, 0, NULL, NULL};
  double scratch[4], expl[2], da[2];
  wal_objective o = {.log = true, .gamma = gamma, .nsw_scale = 1, .expl_unit = 1};
  wal_objective_value value = wal_objective_gradient(&o, &d, a, scratch, expl, da);
  ck_assert_double_eq_tol(value.loss, -log(0.25), 1e-15);
  ck_assert_double_eq_tol(da[0], -4, 1e-14);
  ck_assert_double_eq(da[1], 0);
  o.log = false;
  value = wal_objective_gradient(&o, &d, a, scratch, expl, da);
  ck_assert_double_eq(value.loss, 0);
  ck_assert_double_eq(da[0], 0);
  o.active = true, o.nsw_scale = 0.5;
  value = wal_objective_gradient(&o, &d, a, scratch, expl, da);
  ck_assert_double_eq(value.nsw, 0.25);
  ck_assert_double_eq(value.loss, -0.5);
  ck_assert_double_eq(da[0], -2);
  ck_assert_double_eq(da[1], 0);
}
END_TEST

/* Where everybody takes part the two objectives are the same to the bit. */
START_TEST(objective_of_all_who_take_part) {
  wal_law law = wal_law_default(N, M, 8);
  law.demanded = 1;
  wal_owned_instances in = draw(&law, K);
  const double importance[K] = {0.5, 1, 1.5, 0.7, 1.3}, gamma[N] = {0.3, 2, 0.9};
  const wal_deviations d = {&in.in, importance, R, lie_instance, lie_agent, 0, NULL, NULL};
  const wal_objective all = objective_of(0, gamma), active = active_of(gamma);
  double a[(K + R) * NM], da[2][(K + R) * NM];
  for (int e = 0; e < (K + R) * NM; e++) a[e] = 0.3 * wal_rng_uniform(4, WAL_STREAM_TEST, (uint64_t)e);
  const wal_objective_value one = value_at(&all, &d, a, da[0]), other = value_at(&active, &d, a, da[1]);
  ck_assert_mem_eq(&one, &other, sizeof one);
  ck_assert_mem_eq(da[0], da[1], sizeof da[0]);
  wal_instances_destroy(&in);
}
END_TEST

/* The whole way, parameters -> allocations of truth and lies -> objective, with the lies held still. */
typedef struct {
  wal_mechanism *f;
  wal_instances all; /* truth and lies */
  wal_deviations d;
  wal_objective o;
} whole;

static double loss_of(const whole *w, const float *parameters, double *da) {
  double a[(K + R) * NM];
  ck_assert_int_eq(w->f->net->ops->set(w->f->net, 0, parameters), WAL_OK);
  ck_assert_msg(wal_mechanism_allocate(w->f, &w->all, a) == WAL_OK, "%s", wal_error());
  return value_at(&w->o, &w->d, a, da).loss;
}

static void check_whole(whole *w) {
  const wal_mlp_ops *ops = w->f->net->ops;
  const int64_t count = ops->parameter_count(w->f->net);
  float *at = malloc((size_t)count * sizeof *at), *to = malloc((size_t)count * sizeof *to),
        *g = malloc((size_t)count * sizeof *g);
  double da[(K + R) * NM], unused[(K + R) * NM], norm = 0, slope[2];
  ops->get(w->f->net, 0, at);
  loss_of(w, at, da);
  ck_assert_int_eq(w->f->kind->vjp(w->f, &w->all, da, NULL, NULL), WAL_OK);
  ops->get(w->f->net, 1, g);
  for (int64_t p = 0; p < count; p++) norm += (double)g[p] * g[p];
  norm = sqrt(norm);
  for (int s = 0; s < 2; s++) {
    const double h = s ? 1e-3 : 2e-3;
    double side[2];
    for (int sign = 0; sign < 2; sign++) {
      for (int64_t p = 0; p < count; p++) to[p] = (float)(at[p] + (sign ? -h : h) * g[p] / norm);
      side[sign] = loss_of(w, to, unused);
    }
    slope[s] = (side[0] - side[1]) / (2 * h);
  }
  ck_assert_msg(fabs(slope[1] - norm) <= 5e-3 * norm + 2 * fabs(slope[1] - slope[0]),
                "%s: the loss rises by %g, %g; the gradient says %g", w->f->kind->name, slope[0], slope[1],
                norm);
  ck_assert_double_gt(norm, 1e-3);
  free(at), free(to), free(g);
}

START_TEST(gradient_of_the_whole_objective) {
  const double importance[K] = {0.5, 1, 1.5, 0.7, 1.3}, gamma[N] = {0.3, 2, 0.9};
  wal_law law = wal_law_default(N, M, 21);
  law.demanded = 0.9;
  law.budget = 0.25;
  wal_owned_instances all = draw(&law, K + R); /* the lies: the truth with a report out of another instance */
  for (int r = 0; r < R; r++) {
    double v[M], x[M];
    const int64_t to = (K + r) * NM, own = lie_agent[r] * M;
    memcpy(v, all.v + to + own, sizeof v), memcpy(x, all.x + to + own, sizeof x);
    memcpy(all.v + to, all.v + lie_instance[r] * NM, NM * sizeof *v);
    memcpy(all.x + to, all.x + lie_instance[r] * NM, NM * sizeof *x);
    memcpy(all.v + to + own, v, sizeof v), memcpy(all.x + to + own, x, sizeof x);
  }
  const wal_instances truth = wal_instances_part(&all.in, 0, K);
  for (int k = 0; wal_mechanism_kinds[k]; k++) {
    wal_mechanism *f = NULL;
    wal_mechanism_options options = wal_mechanism_defaults();
    strcpy(options.activation, "silu");
    if (!wal_mechanism_kinds[k]->learned) continue;
    if (wal_mechanism_create(wal_mechanism_kinds[k]->name, N, M, &options, &f) != WAL_OK) continue;
    for (int kind = 0; kind < 3; kind++) {
      whole w = {f,
                 all.in,
                 {&truth, importance, R, lie_instance, lie_agent, 0, NULL, NULL},
                 kind == 2 ? active_of(gamma) : objective_of(kind, gamma)};
      check_whole(&w);
    }
    wal_mechanism_destroy(f);
  }
  wal_instances_destroy(&all);
}
END_TEST

/* ---- instances ---- */

/* Contested: by the agents that take part, as Clip sees it. */
START_TEST(who_gets_nothing_contests_nothing) {
  double v[] = {1, 1, 0, 1}, x[] = {0.7, 0, 0.7, 0}, b[] = {1, 1};
  const wal_instances in = {.count = 1, .n = 2, .m = 2, .v = v, .x = x, .b = b};
  ck_assert(!wal_instance_contested(&in, 0)); /* agent 2 wants what is worth nothing to it */
  v[2] = 0.1;
  ck_assert(wal_instance_contested(&in, 0));
  b[0] = 0; /* nothing to contest */
  ck_assert(!wal_instance_contested(&in, 0));
}
END_TEST

/* Weighted means over contested and other instances are those of the law. */
START_TEST(strata_have_the_means_of_the_law) {
  enum { COUNT = 64, DRAWS = 400 };
  const wal_law law = wal_law_default(2, 2, 9);
  for (int finite = 0; finite < 2; finite++) {
    wal_sampler s;
    ck_assert_int_eq(wal_sampler_create(&law, finite ? 5000 : 0, true, &s), WAL_OK);
    ck_assert(s.stratified);
    wal_owned_instances batch = draw(&law, COUNT);
    double importance[COUNT], contested = 0, weight = 0, demand = 0, square = 0;
    for (int r = 0; r < DRAWS; r++) {
      double mean = 0;
      ck_assert_int_eq(wal_sampler_draw(&s, &batch, importance), WAL_OK);
      for (int k = 0; k < COUNT; k++) {
        double sum = 0;
        for (int e = 0; e < 4; e++) sum += batch.x[k * 4 + e];
        weight += importance[k] / COUNT / DRAWS;
        contested += importance[k] * wal_instance_contested(&batch.in, k) / COUNT / DRAWS;
        mean += importance[k] * sum / COUNT;
      }
      demand += mean / DRAWS, square += mean * mean / DRAWS;
    }
    const double error = sqrt((square - demand * demand) / DRAWS);
    ck_assert_double_eq_tol(weight, 1, 1e-12);
    ck_assert_double_eq_tol(contested, s.contested, 1e-12);
    ck_assert_double_eq_tol(demand, 4 * 0.55 * 0.5,
                            5 * error + 0.05); /* four demands, mean .55, half of them 0 */
    ck_assert_double_lt(error, 0.02);
    wal_instances_destroy(&batch);
    wal_sampler_destroy(&s);
  }
}
END_TEST

START_TEST(fresh_instances_are_the_laws_own) {
  const wal_law law = wal_law_default(2, 2, 9);
  wal_sampler s;
  double importance[700];
  ck_assert_int_eq(wal_sampler_create(&law, 0, false, &s), WAL_OK);
  wal_owned_instances batch = draw(&law, 700), truth = draw(&law, 1400);
  for (int r = 0; r < 2; r++) {
    ck_assert_int_eq(wal_sampler_draw(&s, &batch, importance), WAL_OK);
    ck_assert_mem_eq(batch.v, truth.v + r * 2800, 2800 * sizeof(double));
    ck_assert_mem_eq(batch.x, truth.x + r * 2800, 2800 * sizeof(double));
    ck_assert_mem_eq(batch.b, truth.b + r * 1400, 1400 * sizeof(double));
  }
  ck_assert_int_eq(s.next, 1400);
  wal_instances_destroy(&batch), wal_instances_destroy(&truth);
  wal_sampler_destroy(&s);
}
END_TEST

/* Does the batch hold instance `other` of another? */
static bool holds(const wal_owned_instances *batch, const wal_owned_instances *others, int64_t other) {
  const int64_t nm = (int64_t)batch->in.n * batch->in.m;
  for (int64_t k = 0; k < batch->in.count; k++)
    if (memcmp(batch->v + k * nm, others->v + other * nm, (size_t)nm * sizeof *batch->v) == 0) return true;
  return false;
}

/* Every one of the L = 12 first instances of the law is drawn, and no other. */
START_TEST(a_finite_set_is_drawn_from_whole) {
  enum { L = 12, COUNT = 2000 };
  const wal_law law = wal_law_default(2, 2, 9);
  double importance[COUNT];
  wal_owned_instances batch = draw(&law, COUNT), set = draw(&law, L);
  for (int contested = 0; contested < 2; contested++) {
    wal_sampler s;
    ck_assert_int_eq(wal_sampler_create(&law, L, contested, &s), WAL_OK);
    ck_assert_int_eq(s.stratified, contested);
    ck_assert_int_eq(wal_sampler_draw(&s, &batch, importance), WAL_OK);
    for (int k = 0; k < L; k++) ck_assert_msg(holds(&batch, &set, k), "instance %d is never drawn", k);
    for (int k = 0; k < COUNT; k++) ck_assert(holds(&set, &batch, k));
    wal_sampler_destroy(&s);
  }
  wal_instances_destroy(&batch), wal_instances_destroy(&set);
}
END_TEST

/* What the trace is measured on is neither trained on nor held out. */
START_TEST(validation_instances_are_their_own) {
  enum { COUNT = 5000 };
  wal_training_options o = options_of("softmax", 2, 2);
  wal_mechanism *f = make("softmax", 2, 2), *pf = make("pf", 2, 2);
  wal_training_run run = {.f = f, .o = &o, .pf = pf};
  ck_assert_int_eq(wal_training_reference(&run, false), WAL_OK);
  const uint32_t streams[] = {WAL_STREAM_TRAINING, WAL_STREAM_HELD_OUT};
  for (int k = 0; k < 2; k++) {
    wal_law law = o.law;
    law.stream = streams[k];
    wal_owned_instances other = draw(&law, COUNT);
    for (int64_t e = 0; e < run.validation.batch.in.count; e++)
      ck_assert(!holds(&other, &run.validation.batch, e));
    wal_instances_destroy(&other);
  }
  wal_training_forget(&run);
  wal_mechanism_destroy(f), wal_mechanism_destroy(pf);
}
END_TEST

/* ---- remembered misreports ---- */

/* A hard search's reports, handed to an easy one: it finds no less, and stays among the reports allowed. */
START_TEST(what_is_known_is_tried) {
  enum { COUNT = 60, AGENTS = COUNT * 2, CELLS = AGENTS * 2 };
  const wal_law law = wal_law_default(2, 2, 17);
  wal_owned_instances in = draw(&law, COUNT);
  wal_mechanism *f = NULL;
  ck_assert_int_eq(wal_mechanism_create("pf", 2, 2, NULL, &f), WAL_OK);
  double *gain[4], *v = doubles(CELLS), *x = doubles(CELLS), *to_v = doubles(CELLS), *to_x = doubles(CELLS);
  wal_attack_options strong = wal_attack_defaults("strong"), few = wal_attack_defaults("candidates");
  few.candidates = 1;
  for (int g = 0; g < 4; g++) gain[g] = doubles(AGENTS);
  ck_assert_int_eq(wal_attack(f, &in.in, &strong, &(wal_attack_result){.gain = gain[0], .v = v, .x = x}),
                   WAL_OK);
  for (int g = 1; g < 4; g++) { /* nothing known, the reports alone, reports around them too */
    const wal_attack_known known = {v, x, g == 3 ? 30 : 0};
    const wal_attack_result out = {.gain = gain[g], .v = to_v, .x = to_x};
    ck_assert_int_eq(wal_attack_from(f, &in.in, &few, g > 1 ? &known : NULL, &out), WAL_OK);
  }
  double sum[4] = {0};
  for (int r = 0; r < AGENTS; r++) {
    for (int g = 0; g < 4; g++) sum[g] += gain[g][r];
    ck_assert_double_ge(gain[2][r], gain[0][r] * (1 - 1e-6) - 1e-9);
    ck_assert_double_ge(gain[3][r], gain[2][r]);
  }
  ck_assert_double_lt(sum[1], 0.5 * sum[0]);
  for (int e = 0; e < CELLS; e++)
    ck_assert(to_v[e] >= few.low && to_v[e] <= few.high && (to_x[e] == 0 || to_x[e] >= few.low));
  for (int g = 0; g < 4; g++) free(gain[g]);
  free(v), free(x), free(to_v), free(to_x);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

/* ---- runs ---- */

/* A place for checkpoints, and the trace. */
typedef struct {
  void *bytes;
  int64_t size, saves, last; /* the save number `last` fails once it is kept: the run is cut off */
  double rows[64 * 24];
  int row_count, columns;
} notebook;

static wal_status on_save(void *context, const void *bytes, int64_t size) {
  notebook *b = context;
  free(b->bytes);
  b->bytes = malloc((size_t)size);
  memcpy(b->bytes, bytes, (size_t)size);
  b->size = size;
  return ++b->saves == b->last ? wal_fail(WAL_E_INTERRUPTED, "cut off") : WAL_OK;
}

static wal_status on_load(void *context, void **bytes, int64_t *size) {
  const notebook *b = context;
  *bytes = NULL;
  if (!b->bytes) return WAL_OK;
  *bytes = malloc((size_t)b->size);
  memcpy(*bytes, b->bytes, (size_t)b->size);
  *size = b->size;
  return WAL_OK;
}

static void on_row(void *context, int count, const char *const names[], const double values[]) {
  notebook *b = context;
  ck_assert_str_eq(names[0], "step");
  b->columns = count;
  ck_assert_int_lt((b->row_count + 1) * count, (int)(sizeof b->rows / sizeof *b->rows));
  memcpy(b->rows + b->row_count++ * count, values, (size_t)count * sizeof *values);
}

static wal_training_hooks hooks_of(notebook *b) {
  return (wal_training_hooks){.context = b, .row = on_row, .save = on_save, .load = on_load};
}

static float *parameters_of(const wal_mechanism *f) {
  float *p = malloc((size_t)f->net->ops->parameter_count(f->net) * sizeof *p);
  f->net->ops->get(f->net, 0, p);
  return p;
}

/* Trains a fresh mechanism up to the end or to the save that fails; the parameters. */
static float *train(const char *kind, const wal_training_options *o, notebook *b, wal_status expected) {
  wal_mechanism *f = make(kind, o->law.n, o->law.m);
  const wal_training_hooks hooks = hooks_of(b);
  double seconds = -1;
  b->row_count = 0;
  const wal_status status = wal_mechanism_train(f, o, &hooks, &seconds);
  ck_assert_msg(status == expected, "%s: %s", kind, wal_error());
  ck_assert_double_ge(seconds, 0);
  float *p = parameters_of(f);
  wal_mechanism_destroy(f);
  return p;
}

START_TEST(resumes_to_the_same_bits) {
  static const char *const kinds[] = {"softmax", "rpf"};
  for (int k = 0; k < 2; k++)
    for (int samples = 0; samples < 100; samples += 64) {
      wal_training_options o = options_of(kinds[k], 2, 2);
      o.samples = samples;
      o.around = k ? 5 : 0; /* rpf: with samples, remembered misreports are part of the state */
      o.dual_rate = 10;
      o.epsilon = 1e-3;
      notebook whole_run = {0}, parts = {.last = 1};
      wal_threads_set(1);
      float *expected = train(kinds[k], &o, &whole_run, WAL_OK);
      ck_assert_int_eq(whole_run.saves, 3);
      ck_assert_int_eq(whole_run.row_count, 3);
      wal_threads_set(4);
      float *cut = train(kinds[k], &o, &parts, WAL_E_INTERRUPTED);
      parts.last = -1;
      float *resumed = train(kinds[k], &o, &parts, WAL_OK);
      float *loaded = train(kinds[k], &o, &parts, WAL_OK); /* finished: nothing left to do */
      ck_assert_int_eq(parts.saves, 3);
      const wal_mechanism *f = make(kinds[k], 2, 2);
      const size_t bytes = (size_t)f->net->ops->parameter_count(f->net) * sizeof *expected;
      wal_mechanism_destroy((wal_mechanism *)f);
      ck_assert_mem_ne(expected, cut, bytes);
      ck_assert_mem_eq(expected, resumed, bytes);
      ck_assert_mem_eq(expected, loaded, bytes);
      ck_assert_int_eq(parts.row_count, 3);
      ck_assert_mem_eq(whole_run.rows, parts.rows, (size_t)(3 * parts.columns) * sizeof(double));
      free(expected), free(cut), free(resumed), free(loaded);
      free(whole_run.bytes), free(parts.bytes);
    }
}
END_TEST

START_TEST(foreign_and_damaged_checkpoints_are_refused) {
  wal_training_options o = options_of("softmax", 2, 2);
  notebook b = {0};
  free(train("softmax", &o, &b, WAL_OK));
  free(train("exs", &o, &b, WAL_E_INPUT));
  ck_assert_ptr_nonnull(strstr(wal_error(), "the checkpoint is of softmax"));
  o.steps = 31;
  free(train("softmax", &o, &b, WAL_E_INPUT));
  o.steps = 30;
  b.size -= 1;
  free(train("softmax", &o, &b, WAL_E_INPUT));
  ck_assert_ptr_nonnull(strstr(wal_error(), "damaged"));
  b.size = 5;
  free(train("softmax", &o, &b, WAL_E_INPUT));
  ck_assert_ptr_nonnull(strstr(wal_error(), "remove it"));
  free(b.bytes);
}
END_TEST

/* Algorithm 1, step 3, from the exploitability of the untrained network on the first batch. */
START_TEST(dual_update_by_hand) {
  enum { B = 64 };
  wal_training_options o = options_of("softmax", 3, 2);
  o.steps = o.trace_every = 1;
  o.batch = B;
  o.contested = false;
  o.gamma = 0.5;
  o.dual_rate = 20;
  notebook b = {0};
  double *gain = doubles(B * 3), expl[3] = {0};
  wal_mechanism *f = make("softmax", 3, 2);
  wal_law law = o.law;
  law.stream = WAL_STREAM_TRAINING;
  wal_owned_instances in = draw(&law, B);
  ck_assert_int_eq(wal_attack(f, &in.in, &o.attack, &(wal_attack_result){.gain = gain}), WAL_OK);
  for (int r = 0; r < B * 3; r++) expl[r % 3] += gain[r] / B;
  for (int e = 0; e < 2; e++) {
    o.epsilon = e ? 1 : expl[0]; /* far from what is reached: all duals fall to 0 */
    free(b.bytes);
    b.bytes = NULL;
    free(train("softmax", &o, &b, WAL_OK));
    ck_assert_int_eq(b.columns, 8 + 3);
    for (int i = 0; i < 3; i++)
      ck_assert_double_eq_tol(b.rows[8 + i], fmax(0, 0.5 + 20 * (expl[i] - o.epsilon)), 1e-12);
    ck_assert_double_eq_tol(b.rows[2], (expl[0] + expl[1] + expl[2]) / 3, 1e-12);
  }
  ck_assert_double_gt(expl[0], 0);
  free(gain), free(b.bytes);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* What one row says of a run of the kind that stays what it is at the start. */
static void stay(const char *kind, const char *objective, int welfare, double row[8]) {
  enum { AGENTS = 12 };
  wal_training_options o = options_of(kind, AGENTS, 2);
  notebook b = {0};
  strcpy(o.objective, objective);
  o.law.budget = 0.05;
  o.law.demanded = 0.2;
  o.welfare = welfare;
  o.lr = 1e-12;
  o.steps = o.trace_every = 12;
  o.gamma = 0.3;
  free(train(kind, &o, &b, WAL_OK));
  memcpy(row, b.rows, 8 * sizeof *row);
  free(b.bytes);
}

/* Of 12 agents some never take part: NSW of all is 0, that of those who do is what the mechanism gives. */
START_TEST(objectives_differ_in_whose_welfare_counts) {
  double all[8], active[8], drawn[8], far[8]; /* step, loss, expl, nsw_ratio, expl_ratio, held_nsw, ... */
  stay("rpf_separable", "product", 0, all);
  ck_assert_double_eq_tol(all[3], 0, 1e-6);
  ck_assert_double_eq_tol(all[5], 0, 1e-6);
  stay("rpf_separable", "active", 0, active);
  ck_assert_double_eq_tol(active[3], 1, 0.3);
  ck_assert_double_eq_tol(active[5], 1, 0.1);
  ck_assert_double_eq_tol(active[1], 0.3 * active[4] - active[3], 1e-9);
  stay("rpf_separable", "active", 64, drawn); /* by welfare: its logarithm, of utilities below 1 */
  ck_assert_double_eq_tol(drawn[3], 1, 0.3);
  ck_assert_double_gt(drawn[1], 0.5);
  stay("softmax", "active", 0, far); /* far below PF: the logarithm too */
  ck_assert_double_lt(far[3], 0.8);
  ck_assert_double_gt(far[1], 0.5);
}
END_TEST

/* gamma expl / expl(PF) - NSW / NSW(PF) on instances that training never saw, attacked harder. */
static double held_out(wal_mechanism *f, const wal_instances *in, double gamma, bool active) {
  const int64_t cells = in->count * in->n * in->m, agents = in->count * in->n;
  wal_attack_options attack = wal_attack_defaults("candidates");
  double *a = doubles(cells), *u = doubles(agents), *gain = doubles(agents), *nsw = doubles(in->count);
  double measure[2][2] = {{0}};
  wal_mechanism *pf = NULL;
  attack.candidates = 60;
  ck_assert_int_eq(wal_mechanism_create("pf", in->n, in->m, NULL, &pf), WAL_OK);
  for (int k = 0; k < 2; k++) {
    wal_mechanism *g = k ? pf : f;
    ck_assert_int_eq(wal_mechanism_allocate(g, in, a), WAL_OK);
    wal_utilities(in, a, u);
    wal_nash_welfare(in, u, active, nsw);
    ck_assert_int_eq(wal_attack(g, in, &attack, &(wal_attack_result){.gain = gain}), WAL_OK);
    for (int64_t i = 0; i < in->count; i++) measure[k][0] += nsw[i];
    for (int64_t r = 0; r < agents; r++) measure[k][1] += gain[r];
  }
  wal_mechanism_destroy(pf);
  free(a), free(u), free(gain), free(nsw);
  return gamma * measure[0][1] / measure[1][1] - measure[0][0] / measure[1][0];
}

START_TEST(training_helps) {
  static const char *const kinds[] = {"exs", "softmax", "rpf", "rpf"};
  const wal_law law = wal_law_default(2, 2, 77);
  wal_owned_instances in = draw(&law, 600);
  for (int k = 0; k < 4; k++) {
    wal_training_options o = options_of(kinds[k], 2, 2);
    const bool active = k == 3;
    if (active) strcpy(o.objective, "active");
    wal_mechanism *f = make(kinds[k], 2, 2);
    o.steps = 100;
    o.gamma = 0.2;
    o.lr = 1e-2;
    o.trace_every = 0;
    const double before = held_out(f, &in.in, o.gamma, active);
    ck_assert_msg(wal_mechanism_train(f, &o, NULL, NULL) == WAL_OK, "%s", wal_error());
    const double after = held_out(f, &in.in, o.gamma, active);
    if (getenv("WAL_TEST_VERBOSE")) printf("%-8s %.4f -> %.4f\n", kinds[k], before, after);
    ck_assert_msg(after < before - 0.02, "%s: %g before, %g after", kinds[k], before, after);
    wal_mechanism_destroy(f);
  }
  wal_instances_destroy(&in);
}
END_TEST

/* With one resource PF is the uniform rule and no lie gains: what rounding leaves of that is no scale, and
   training may give all its weight to welfare. */
START_TEST(one_resource_leaves_no_scale) {
  const wal_law law = wal_law_default(2, 1, 77);
  wal_owned_instances in = draw(&law, 600);
  wal_mechanism *f = make("exs", 2, 1), *pf = make("pf", 2, 1);
  wal_training_options o = options_of("exs", 2, 1);
  o.steps = 200;
  o.lr = 1e-2;
  o.trace_every = 0;
  ck_assert_msg(wal_mechanism_train(f, &o, NULL, NULL) == WAL_OK, "%s", wal_error());
  double a[600 * 2], u[600 * 2], nsw[600], sum[2] = {0};
  for (int k = 0; k < 2; k++) {
    ck_assert_int_eq(wal_mechanism_allocate(k ? pf : f, &in.in, a), WAL_OK);
    wal_utilities(&in.in, a, u);
    wal_nash_welfare(&in.in, u, false, nsw);
    for (int l = 0; l < 600; l++) sum[k] += nsw[l];
  }
  ck_assert_double_ge(sum[0], 0.97 * sum[1]);
  wal_mechanism_destroy(f), wal_mechanism_destroy(pf);
  wal_instances_destroy(&in);
}
END_TEST

/* Instances drawn by PF's welfare: what they say of another mechanism's is what all those looked at say. */
START_TEST(draws_by_welfare_have_the_means_of_all) { /* loop: over all agents, over those that take part */
  enum { AGENTS = 6, GOODS = 3, W = 512, LOOKED_AT = 2048 };
  wal_training_options o = options_of("rpf_equivariant", AGENTS, GOODS);
  o.batch = 1;
  wal_mechanism *f = make("vtheta", AGENTS, GOODS), *pf = make("pf", AGENTS, GOODS);
  double weight[W + 1], reference[W + 1], u[LOOKED_AT * AGENTS], nsw[LOOKED_AT], truth = 0;
  wal_training_run run = {
      .f = f, .o = &o, .active = _i, .pf = pf, .pf_nsw = _i ? 1e-2 : 2e-4, .welfare = W, .step = 3};
  run.weight = weight, run.reference = reference;
  ck_assert_int_eq(wal_instances_create(W + 1, AGENTS, GOODS, false, &run.reports), WAL_OK);
  ck_assert_msg(wal_training_draw_welfare(&run) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq((int)run.drawn, W);
  double *a = doubles((int64_t)LOOKED_AT * AGENTS * GOODS), sum = run.rest;
  const wal_instances part = wal_instances_part(&run.reports.in, 1, W);
  ck_assert_int_eq(wal_mechanism_allocate(f, &part, a), WAL_OK);
  wal_utilities(&part, a, u);
  wal_nash_welfare(&part, u, _i, nsw);
  for (int k = 0; k < W; k++) sum += weight[1 + k] * nsw[k] / reference[1 + k];
  wal_law law = o.law;
  law.stream = WAL_STREAM_TRAINING;
  wal_owned_instances all;
  ck_assert_int_eq(wal_instances_create(LOOKED_AT, AGENTS, GOODS, false, &all), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&law, 3 * LOOKED_AT, &all), WAL_OK);
  ck_assert_int_eq(wal_mechanism_allocate(f, &all.in, a), WAL_OK);
  wal_utilities(&all.in, a, u);
  wal_nash_welfare(&all.in, u, _i, nsw);
  for (int k = 0; k < LOOKED_AT; k++) truth += nsw[k] / LOOKED_AT / run.pf_nsw;
  ck_assert_double_eq_tol(sum, truth, 0.005 * truth);
  free(a);
  wal_instances_destroy(&run.reports), wal_instances_destroy(&all);
  wal_mechanism_destroy(f), wal_mechanism_destroy(pf);
}
END_TEST

START_TEST(bad_options_are_refused) {
  wal_training_options o = options_of("softmax", 2, 2);
  wal_mechanism *f = make("softmax", 2, 2), *pf = NULL;
  ck_assert_int_eq(wal_mechanism_create("pf", 2, 2, NULL, &pf), WAL_OK);
  ck_assert_int_eq(wal_mechanism_train(pf, &o, NULL, NULL), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "nothing to train"));
  strcpy(o.objective, "best");
  ck_assert_int_eq(wal_mechanism_train(f, &o, NULL, NULL), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "log, product or active"));
  o = options_of("softmax", 2, 3);
  ck_assert_int_eq(wal_mechanism_train(f, &o, NULL, NULL), WAL_E_INPUT);
  o = options_of("softmax", 2, 2);
  o.lr = NAN;
  ck_assert_int_eq(wal_mechanism_train(f, &o, NULL, NULL), WAL_E_INPUT);
  o.lr = 1e-3, o.gamma = -1;
  ck_assert_int_eq(wal_mechanism_train(f, &o, NULL, NULL), WAL_E_INPUT);
  wal_mechanism_destroy(f), wal_mechanism_destroy(pf);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/training");
  TCase *tests = tcase_create("training");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, objective_has_its_gradient);
  tcase_add_test(tests, objective_by_hand);
  tcase_add_test(tests, objective_without_demand);
  tcase_add_test(tests, objective_of_all_who_take_part);
  tcase_add_test(tests, gradient_of_the_whole_objective);
  tcase_add_test(tests, who_gets_nothing_contests_nothing);
  tcase_add_test(tests, strata_have_the_means_of_the_law);
  tcase_add_test(tests, fresh_instances_are_the_laws_own);
  tcase_add_test(tests, a_finite_set_is_drawn_from_whole);
  tcase_add_test(tests, validation_instances_are_their_own);
  tcase_add_test(tests, what_is_known_is_tried);
  tcase_add_test(tests, resumes_to_the_same_bits);
  tcase_add_test(tests, foreign_and_damaged_checkpoints_are_refused);
  tcase_add_test(tests, dual_update_by_hand);
  tcase_add_test(tests, objectives_differ_in_whose_welfare_counts);
  tcase_add_test(tests, training_helps);
  tcase_add_test(tests, one_resource_leaves_no_scale);
  tcase_add_loop_test(tests, draws_by_welfare_have_the_means_of_all, 0, 2);
  tcase_add_test(tests, bad_options_are_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
