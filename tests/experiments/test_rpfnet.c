/* What the RPF-Net figures share: means, ratios and their errors, measures of instances, keys; and the
   figures themselves from tiny runs. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/config.h"
#include "engine/runner.h"
#include "engine/sink.h"
#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "tests/scratch.h"
#include "tests/suite.h"

enum { SETS_MAX = 8 };

static wal_config *load(const char *figure, const char *const sets[], int count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/configs/rpfnet/%s.yaml", WAL_SOURCE_DIR, figure);
  wal_config *config = NULL;
  ck_assert_msg(wal_config_load(path, "smoke", sets, count, wal_experiments(), &config) == WAL_OK, "%s",
                wal_error());
  return config;
}

/* ---- means and ratios ---- */

START_TEST(means_by_hand) {
  const double four[] = {1, 2, 3, 4};
  wal_rpfnet_mean m = wal_rpfnet_mean_of(four, 4);
  ck_assert_double_eq_tol(m.mean, 2.5, 1e-15);
  ck_assert_double_eq_tol(m.se, sqrt(5.0 / 3) / 2, 1e-15);
  ck_assert(isnan(m.batch_sd)); /* no batch of 50 */
  double values[149];
  for (int k = 0; k < 149; k++) values[k] = k < 50 ? 1 : k < 100 ? 3 : 1e9; /* two whole batches */
  ck_assert_double_eq_tol(wal_rpfnet_mean_of(values, 149).batch_sd, sqrt(2), 1e-12);
  ck_assert(isnan(wal_rpfnet_mean_of(four, 1).se));
}
END_TEST

START_TEST(ratios_by_hand) {
  const double a[] = {1, 2, 3}, b[] = {2, 2, 2}, twice[] = {2, 4, 6}, none[] = {0, 0, 0};
  wal_rpfnet_mean r = wal_rpfnet_ratio_of(a, b, 3);
  ck_assert_double_eq_tol(r.mean, 1, 1e-15);
  ck_assert_double_eq_tol(r.se, 1 / sqrt(3) / 2, 1e-15); /* b is a constant: the error of mean(a) over 2 */
  r = wal_rpfnet_ratio_of(twice, a, 3);
  ck_assert_double_eq_tol(r.mean, 2, 1e-15);
  ck_assert_double_eq_tol(r.se, 0, 1e-15); /* pairs in proportion have no error */
  ck_assert(isnan(wal_rpfnet_ratio_of(a, none, 3).mean));
}
END_TEST

/* The error that it states against the spread of 400 ratios of 200 pairs. */
START_TEST(ratio_errors_are_the_spread) {
  enum { RUNS = 400, PAIRS = 200 };
  double ratios[RUNS], stated = 0;
  for (int run = 0; run < RUNS; run++) {
    double a[PAIRS], b[PAIRS];
    for (int k = 0; k < PAIRS; k++) {
      const uint64_t at = 2 * (uint64_t)(run * PAIRS + k);
      b[k] = wal_rng_exponential(7, WAL_STREAM_TEST, at);
      a[k] = 0.3 * b[k] + 0.2 * wal_rng_exponential(7, WAL_STREAM_TEST, at + 1);
    }
    const wal_rpfnet_mean r = wal_rpfnet_ratio_of(a, b, PAIRS);
    ratios[run] = r.mean;
    stated += r.se / RUNS;
  }
  const wal_rpfnet_mean all = wal_rpfnet_mean_of(ratios, RUNS);
  ck_assert_double_eq_tol(all.mean, 0.5, 0.01);
  ck_assert_double_eq_tol(stated / (all.se * sqrt(RUNS)), 1, 0.12);
}
END_TEST

/* ---- measures of instances ---- */

static wal_rpfnet_samples sample(const char *name, const wal_law *law, int64_t count, bool weak) {
  wal_attack_options attack = wal_attack_defaults("candidates"), ascent = wal_attack_defaults("ascent");
  attack.candidates = 30;
  ascent.steps = 3;
  wal_mechanism *f = NULL;
  wal_rpfnet_samples out;
  wal_sink *sink = wal_sink_new(&wal_rpfnet_table1, NULL, NULL);
  ck_assert_msg(wal_mechanism_create(name, law->n, law->m, NULL, &f) == WAL_OK, "%s", wal_error());
  const wal_status status =
      wal_rpfnet_sample(f, NULL, law, count, &attack, weak ? &ascent : NULL, sink, &out);
  ck_assert_msg(status == WAL_OK, "%s: %s", name, wal_error());
  wal_mechanism_destroy(f);
  wal_sink_free(sink);
  return out;
}

/* Instance by instance, more than two blocks of them: utilities, product and efficiency written out. */
START_TEST(samples_by_hand) {
  enum { COUNT = 300, N = 2, M = 2 };
  const wal_law law = wal_law_default(N, M, 5);
  wal_rpfnet_samples s = sample("pf", &law, COUNT, false);
  wal_attack_options attack = wal_attack_defaults("candidates");
  attack.candidates = 30; /* as sample() has it */
  double gain[N];
  int some = 0;
  wal_mechanism *f = NULL;
  wal_owned_instances in;
  ck_assert_int_eq(wal_mechanism_create("pf", N, M, NULL, &f), WAL_OK);
  ck_assert_int_eq(wal_instances_create(1, N, M, false, &in), WAL_OK);
  for (int64_t k = 0; k < COUNT; k++) {
    double a[N * M], u[N], given = 0;
    ck_assert_int_eq(wal_law_draw(&law, k, &in), WAL_OK);
    ck_assert_int_eq(wal_mechanism_allocate(f, &in.in, a), WAL_OK);
    for (int i = 0; i < N; i++) u[i] = in.v[2 * i] * a[2 * i] + in.v[2 * i + 1] * a[2 * i + 1];
    for (int e = 0; e < N * M; e++) given += a[e];
    const bool one = in.x[0] + in.x[1] > 0, two = in.x[2] + in.x[3] > 0;
    ck_assert_double_eq_tol(s.nsw[k], u[0] * u[1], 1e-12);
    ck_assert_double_eq_tol(s.nsw_active[k], (one ? u[0] : 1) * (two ? u[1] : 1), 1e-12);
    ck_assert_double_eq_tol(s.efficiency[k], given / 2, 1e-12);
    ck_assert_int_eq(wal_attack(f, &in.in, &attack, &(wal_attack_result){.gain = gain}), WAL_OK);
    ck_assert_double_eq_tol(s.expl[k], (gain[0] + gain[1]) / 2, 1e-12);
    some += s.expl[k] > 0;
    ck_assert(isnan(s.expl_weak[k]));
  }
  ck_assert_int_gt(some, COUNT / 20);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
  wal_rpfnet_samples_free(&s);
}
END_TEST

/* The random mechanism's welfare is the mean of its parts', as is its efficiency. */
START_TEST(mixture_is_a_mean) {
  const wal_law law = wal_law_default(2, 2, 3);
  wal_rpfnet_samples pf = sample("pf", &law, 200, false), pa = sample("pa", &law, 200, true),
                     mixture = sample("mixture", &law, 200, false);
  for (int k = 0; k < 200; k++) {
    ck_assert_double_eq_tol(mixture.nsw[k], 0.5 * (pf.nsw[k] + pa.nsw[k]), 1e-12);
    ck_assert_double_eq_tol(mixture.efficiency[k], 0.5 * (pf.efficiency[k] + pa.efficiency[k]), 1e-12);
    ck_assert_double_ge(pa.efficiency[k], 0.5 * pf.efficiency[k] - 1e-9); /* fractions of 1/2 or more */
  }
  ck_assert(isnan(pa.expl_weak[0])); /* asked, but PA has no derivative */
  wal_rpfnet_samples_free(&pf), wal_rpfnet_samples_free(&pa), wal_rpfnet_samples_free(&mixture);
}
END_TEST

START_TEST(threads_do_not_matter) {
  const wal_law law = wal_law_default(3, 2, 9);
  wal_threads_set(1);
  wal_rpfnet_samples one = sample("pf", &law, 300, true);
  wal_threads_set(4);
  wal_rpfnet_samples four = sample("pf", &law, 300, true);
  ck_assert_mem_eq(one.values, four.values, 5 * 300 * sizeof *one.values);
  wal_rpfnet_samples_free(&one), wal_rpfnet_samples_free(&four);
}
END_TEST

/* ---- keys ---- */

static char *key_of(const char *mechanism, const char *set) {
  const char *sets[] = {mechanism, "train.law=uniform", set};
  wal_config *config = load("table1", sets, set ? 3 : 2);
  char *key = wal_rpfnet_point_key(&config->points[0]);
  wal_config_free(config);
  ck_assert_ptr_nonnull(key);
  return key;
}

static bool moves(const char *mechanism, const char *set) {
  char *base = key_of(mechanism, NULL), *changed = key_of(mechanism, set);
  const bool differ = strcmp(base, changed) != 0;
  free(base), free(changed);
  return differ;
}

START_TEST(keys_have_every_setting) {
  static const char *const settings[] = {
      "n=3",
      "m=3",
      "budget=0.3",
      "demanded=0.7",
      "seed=2",
      "net.width=7",
      "net.depth=5",
      "net.activation=tanh",
      "train.law=perturbed",
      "train.samples=11",
      "train.steps=12",
      "train.batch=13",
      "train.lr=0.0123",
      "train.warmup=14",
      "train.gamma=0.77",
      "train.epsilon=0.0171",
      "train.dual_rate=0.019",
      "train.candidates=17",
      "train.lie=demands",
      "train.attack=ascent",
  };
  for (size_t k = 0; k < sizeof settings / sizeof *settings; k++)
    ck_assert_msg(moves("mechanism=rpf", settings[k]), "%s leaves the key as it was", settings[k]);
  ck_assert(moves("mechanism=rpf", "train.objective=log") ||
            moves("mechanism=rpf", "train.objective=product"));
  ck_assert(moves("mechanism=rpf", "train.objective=active"));
  ck_assert(moves("mechanism=rpf", "train.cosine=yes") != moves("mechanism=rpf", "train.cosine=no"));
  ck_assert(moves("mechanism=rpf", "train.contested=yes") != moves("mechanism=rpf", "train.contested=no"));
}
END_TEST

/* What does not count for a mechanism is not trained or measured anew. */
START_TEST(keys_have_nothing_else) {
  ck_assert(!moves("mechanism=rpf", "held_out=7"));
  ck_assert(!moves("mechanism=rpf", "attack.candidates=7"));
  ck_assert(!moves("mechanism=rpf", "mixture.rho=0.1"));
  ck_assert(!moves("mechanism=rpf", "train.scale=0.3")); /* of (18) only */
  ck_assert(!moves("mechanism=pf", "seed=2"));
  ck_assert(!moves("mechanism=pf", "train.steps=12"));
  ck_assert(moves("mechanism=mixture", "mixture.rho=0.1"));
  ck_assert(moves("mechanism=vtheta", "vtheta.theta=0.1"));
  ck_assert(moves("mechanism=clip", "clip.one=0.1"));
  ck_assert(moves("mechanism=clip", "clip.both=0.1"));
  char *rpf = key_of("mechanism=rpf", NULL), *exs = key_of("mechanism=exs", NULL);
  ck_assert_str_ne(rpf, exs);
  free(rpf), free(exs);
}
END_TEST

START_TEST(own_leaves_the_recipe) {
  const char *const sets[] = {"mechanism=rpf", "train.steps=-1", "train.batch=-1", "train.candidates=-1"};
  wal_config *config = load("table1", sets, 4);
  wal_training_options o, own = wal_training_defaults("rpf", 2, 2);
  wal_rpfnet_training_options(&config->points[0], &o);
  ck_assert_int_eq(o.steps, own.steps);
  ck_assert_int_eq(o.batch, own.batch);
  ck_assert_int_eq(o.attack.candidates, own.attack.candidates);
  ck_assert_double_eq(o.gamma, own.gamma);
  ck_assert_int_eq(o.law.stream, WAL_STREAM_TRAINING);
  ck_assert_int_eq(wal_rpfnet_law(&config->points[0]).stream, WAL_STREAM_HELD_OUT);
  wal_config_free(config);
}
END_TEST

/* ---- figures ---- */

static wal_outcome run_first(const char *figure, const char *const sets[], int count) {
  wal_config *config = load(figure, sets, count);
  wal_sink *sink = wal_sink_new(config->experiment, NULL, NULL);
  wal_outcome outcome = {0};
  const wal_status status = config->experiment->run_point(&config->points[0], sink);
  wal_sink_finish(sink, status, &outcome);
  ck_assert_msg(outcome.status == WAL_OK, "%s: %s", figure, outcome.error);
  wal_sink_free(sink);
  wal_config_free(config);
  return outcome;
}

static double real(const wal_outcome *o, int64_t row, const char *column) {
  return wal_frame_real(o->rows, row, wal_frame_find(o->rows, column));
}

/* The solver against the closed form; the supremum of 7/6 from below. */
START_TEST(fig1_is_the_closed_form) {
  static const char *const others[] = {"example.other=0.25", "example.other=0.8", "example.other=0.1"};
  const char *const sets[] = {"mechanism=pf", "example.points=59", others[_i]};
  wal_outcome o = run_first("fig1", sets, 3);
  double best = 0;
  ck_assert_int_gt(wal_frame_rows(o.rows), 59);
  for (int64_t row = 0; row < wal_frame_rows(o.rows); row++) {
    ck_assert_double_eq_tol(real(&o, row, "utility"), real(&o, row, "closed_form"), 1e-7);
    if (row > 0) ck_assert_double_gt(real(&o, row, "ratio"), real(&o, row - 1, "ratio"));
    if (!isnan(real(&o, row, "best_gain"))) best = real(&o, row, "best_gain");
  }
  if (_i == 0) ck_assert_double_eq_tol(best, 1.0 / 6, 2e-6);
  if (_i == 0) ck_assert_double_lt(best, 1.0 / 6);
  wal_outcome_free(&o);
}
END_TEST

/* Under PF the map is of rays: the same at v and at v/2, and all of resource 2 above agent 2's ratio. */
START_TEST(fig5_is_made_of_rays) {
  const char *const sets[] = {"mechanism=pf", "profile.points=10"};
  wal_outcome o = run_first("fig5", sets, 2);
  ck_assert_int_eq(wal_frame_rows(o.rows), 100);
  for (int64_t row = 0; row < 100; row++) {
    const double r = real(&o, row, "v12") / real(&o, row, "v11"), other = 0.47 / 0.83;
    const double a1 = r < other ? 0.5 * (1 + other) : r < 1 ? 0.5 * (1 - r) : 0;
    ck_assert_double_eq_tol(real(&o, row, "a11"), a1, 1e-6);
    ck_assert_double_eq_tol(real(&o, row, "a12"), r < other ? 0 : 1, 1e-6);
  }
  wal_outcome_free(&o);
}
END_TEST

/* 10 x 3 by hand: 93 equations in the paper, 3 here. */
START_TEST(fig2_counts) {
  const char *const sets[] = {
      "mechanism=rpf", "n=10", "m=3", "net.width=8", "net.depth=2", "train.batch=16", "train.candidates=24"};
  wal_outcome o = run_first("fig2", sets, 7);
  ck_assert_double_eq(real(&o, 0, "paper_system"), 93);
  ck_assert_double_eq(real(&o, 0, "system"), 3);
  ck_assert_double_eq(real(&o, 0, "allocations"), 16 * (1 + 10 * 24));
  const double inputs = real(&o, 0, "inputs"), outputs = real(&o, 0, "outputs");
  ck_assert_double_eq(outputs, 30);
  ck_assert_double_eq(real(&o, 0, "parameters"), inputs * 8 + 8 + 8 * outputs + outputs);
  wal_outcome_free(&o);
}
END_TEST

/* Every figure runs, and draws. */
START_TEST(figures_draw) {
  static const struct {
    const char *name;
    bool picture;
    int count;
    const char *sets[SETS_MAX];
  } figures[] = {
      {"fig1", true, 3, {"mechanism=pf,rpf", "train.steps=1", "train.batch=4"}},
      {"fig2", true, 1, {"mechanism=rpf"}},
      {"fig3", true, 4, {"mechanism=pf,mixture,softmax", "train.steps=1", "n=2", "m=2"}},
      {"table1", false, 3, {"mechanism=pf,pa,exs", "train.steps=1", "train.law=uniform"}},
      {"fig4", true, 3, {"mechanism=pf,pa,exs", "train.steps=1", "train.law=uniform"}},
      {"fig5", true, 3, {"mechanism=pf,rpf", "train.steps=1", "train.batch=4"}},
  };
  scratch_make();
  char *plots = scratch_path("plots"), *results = scratch_path("results");
  char path[1024];
  const wal_run_options options = {.device = wal_device_choice_cpu,
                                   .results = results,
                                   .plots = plots,
                                   .style = WAL_SOURCE_DIR "/plots/style.gp",
                                   .jobs = 1,
                                   .quiet = true};
  int failed = 0;
  wal_config *config = load(figures[_i].name, figures[_i].sets, figures[_i].count);
  ck_assert_msg(wal_run(config, &options, &failed) == WAL_OK, "%s: %s", figures[_i].name, wal_error());
  ck_assert_msg(failed == 0, "%s: %d points failed", figures[_i].name, failed);
  snprintf(path, sizeof path, "%s/rpfnet/%s.%s", plots, figures[_i].name, figures[_i].picture ? "png" : "md");
  struct stat file;
  ck_assert_msg(stat(path, &file) == 0 && file.st_size > 500, "%s is missing or empty", path);
  scratch_remove();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("experiments/rpfnet");
  TCase *tc = tcase_create("rpfnet");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, means_by_hand);
  tcase_add_test(tc, ratios_by_hand);
  tcase_add_test(tc, ratio_errors_are_the_spread);
  tcase_add_test(tc, samples_by_hand);
  tcase_add_test(tc, mixture_is_a_mean);
  tcase_add_test(tc, threads_do_not_matter);
  tcase_add_test(tc, keys_have_every_setting);
  tcase_add_test(tc, keys_have_nothing_else);
  tcase_add_test(tc, own_leaves_the_recipe);
  tcase_add_loop_test(tc, fig1_is_the_closed_form, 0, 3);
  tcase_add_test(tc, fig5_is_made_of_rays);
  tcase_add_test(tc, fig2_counts);
  tcase_add_loop_test(tc, figures_draw, 0, 6);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
