/* A toy experiment with every type of parameter and column, its config, and a result made of it by hand. */
#ifndef WAL_TESTS_TOY_RESULT_H
#define WAL_TESTS_TOY_RESULT_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/result.h"
#include "engine/store.h"

static const wal_param toy_params[] = {
    {"n", WAL_INT, "8", 1, 1e9, NULL, "buyers", "number of buyers", NULL, true},
    {"alpha", WAL_REAL, "0.5", -INFINITY, 1, NULL, "1", "elasticity", NULL, false},
    {"solver", WAL_TEXT, "eg", 0, 0, "eg|naïve", "1", "method", NULL, true},
    {"eg.step", WAL_REAL, "0.25", 0, 10, NULL, "1", "step", "solver=eg", true},
    {"fast", WAL_BOOL, "false", 0, 1, NULL, "1", "cut corners", NULL, true},
    {"seed", WAL_INT, "1", 0, 1e9, NULL, "1", "seed", NULL, true},
};
static const wal_column toy_columns[] = {
    {"gap", WAL_REAL, "nats", "Nash gap ≥ 0", 0, 1e-3, 1e-12},
    {"steps", WAL_INT, "steps", "iterations", 0, 0, 2},
    {"converged", WAL_BOOL, "1", "reached the tolerance", 0, 0, 0},
    {"note", WAL_TEXT, "1", "a remark", 0, 0, 0},
    {"solve_s", WAL_REAL, "s", "wall time of solving", WAL_COLUMN_TIMING, 0, 0},
};
static const wal_experiment toy_experiment = {
    .id = "toy/figure1",
    .title = "Figure 1: a toy",
    .paper = "A. Author, A paper, 2024, Figure 1",
    .doc = "Nothing at all.",
    .version = 3,
    .params = toy_params,
    .param_count = 6,
    .columns = toy_columns,
    .column_count = 5,
};
static const wal_experiment *const toy_registry[] = {&toy_experiment, NULL};

static const char toy_yaml[] =
    "experiment: toy/figure1\n"
    "title: Größe & Übermaß\n"
    "params: {alpha: 0.25}\n"
    "sweep:\n"
    "  grid: {solver: [eg, naïve], seed: [1, 2]}\n"
    "published:\n"
    "  - where: {solver: eg}\n"
    "    setting: {n: 2^20}\n"
    "    values: {gap: 0.0217}\n"
    "    source: Table 1\n"
    "# end\n";

static inline wal_config *toy_config(const char *yaml, const char *const sets[], int set_count) {
  wal_config *config = NULL;
  wal_status status =
      wal_config_parse(yaml, "configs/toy/figure1.yaml", NULL, sets, set_count, toy_registry, &config);
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
  return config;
}

static inline void toy_set(wal_frame *frame, int64_t row, const char *name, wal_value value) {
  int column = wal_frame_find(frame, name);
  ck_assert_int_ge(column, 0);
  wal_frame_set(frame, row, column, &value);
}

static inline wal_value toy_real(double r) { return (wal_value){.type = WAL_REAL, .r = r}; }
static inline wal_value toy_int(int64_t i) { return (wal_value){.type = WAL_INT, .i = i}; }
static inline wal_value toy_bool(bool b) { return (wal_value){.type = WAL_BOOL, .b = b}; }
static inline wal_value toy_text(const char *text) {
  wal_value value = {.type = WAL_TEXT};
  snprintf(value.text, sizeof value.text, "%s", text);
  return value;
}

/* One row whose numbers depend on `point`, and a trace "train" of `lines` lines. */
static inline wal_outcome toy_outcome(int point, int lines) {
  static const wal_column trace[] = {{"epoch", WAL_REAL, "1", "epoch", 0, 0, 0},
                                     {"gap", WAL_REAL, "nats", "gap", 0, 0, 0}};
  wal_outcome outcome = {.error = strdup(""), .seconds = 0.5 + point, .peak_mib = 12, .trace_count = 1};
  outcome.rows = wal_frame_new(toy_columns, 5);
  ck_assert_int_eq(wal_frame_add(outcome.rows), 0);
  toy_set(outcome.rows, 0, "gap", toy_real(1.0 / (3 + point)));
  toy_set(outcome.rows, 0, "steps", toy_int(INT64_C(9007199254740993) + point)); /* not a double */
  toy_set(outcome.rows, 0, "converged", toy_bool(point % 2 == 0));
  toy_set(outcome.rows, 0, "note", toy_text(point ? "λ ≥ 0 ✓" : "x"));
  toy_set(outcome.rows, 0, "solve_s", toy_real(0.125 * point));
  outcome.trace_names = calloc(1, sizeof *outcome.trace_names);
  outcome.trace_names[0] = strdup("train");
  outcome.traces = calloc(1, sizeof *outcome.traces);
  outcome.traces[0] = wal_frame_new(trace, 2);
  for (int line = 0; line < lines; line++) {
    wal_frame_add(outcome.traces[0]);
    toy_set(outcome.traces[0], line, "epoch", toy_real(line));
    toy_set(outcome.traces[0], line, "gap", toy_real(exp(-line) / (1 + point)));
  }
  return outcome;
}

/* A point that failed before it sent anything. */
static inline wal_outcome toy_failure(const char *error) {
  return (wal_outcome){.status = WAL_E_DIVERGED, .error = strdup(error), .seconds = 0.1, .peak_mib = 1};
}

enum { TOY_POINTS = 4 };

/* Result of toy_yaml; point 3 fails when `with_failure`. `change` is added to point 1's gap. */
static inline wal_result *toy_result_of(const char *yaml, const char *const sets[], int set_count,
                                        bool with_failure, double change) {
  wal_outcome outcomes[TOY_POINTS];
  wal_provenance provenance = {0};
  wal_result *result = NULL;
  wal_config *config = toy_config(yaml, sets, set_count);
  ck_assert_int_eq(config->point_count, TOY_POINTS);
  for (int p = 0; p < TOY_POINTS; p++)
    outcomes[p] =
        p == 3 && with_failure ? toy_failure("left the finite numbers at step 7") : toy_outcome(p, 3);
  toy_set(outcomes[1].rows, 0, "gap", toy_real(0.25 + change));
  wal_provenance_add(&provenance, "git_commit", "0123abc");
  wal_provenance_add(&provenance, "cpu", "A CPU @ 3.00 GHz ™");
  wal_provenance_add(&provenance, "start", "2026-11-21T08:00:00Z");
  wal_provenance_add(&provenance, "end", "2026-11-21T08:00:09Z");
  ck_assert_msg(wal_result_build(config, outcomes, &provenance, &result) == WAL_OK, "%s", wal_error());
  for (int p = 0; p < TOY_POINTS; p++) wal_outcome_free(&outcomes[p]);
  wal_provenance_free(&provenance);
  return result;
}

static inline wal_result *toy_result(bool with_failure) {
  return toy_result_of(toy_yaml, NULL, 0, with_failure, 0);
}

static inline void toy_same_frames(const wal_frame *a, const wal_frame *b) {
  ck_assert_int_eq(wal_frame_columns(a), wal_frame_columns(b));
  ck_assert_int_eq(wal_frame_rows(a), wal_frame_rows(b));
  for (int c = 0; c < wal_frame_columns(a); c++) {
    const wal_column *x = wal_frame_column(a, c), *y = wal_frame_column(b, c);
    ck_assert_str_eq(x->name, y->name);
    ck_assert_str_eq(x->unit, y->unit);
    ck_assert_str_eq(x->doc, y->doc);
    ck_assert_int_eq(x->type, y->type);
    ck_assert_uint_eq(x->flags, y->flags);
    ck_assert(x->rtol == y->rtol && x->atol == y->atol);
    for (int64_t row = 0; row < wal_frame_rows(a); row++) {
      wal_value v = wal_frame_get(a, row, c), w = wal_frame_get(b, row, c);
      ck_assert_msg(wal_value_equal(&v, &w), "row %d column %s", (int)row, x->name);
    }
  }
}

#endif
