/* A finished run made by hand, shaped like a table of methods: 4 methods x 3 seeds x 4 measures. The
   published values are plainly invented. Methods: "naive" and "eg" finish, "fc" loses one seed of three,
   "lost" fails every time. */
#ifndef WAL_TESTS_TOY_TABLE_H
#define WAL_TESTS_TOY_TABLE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing_data.h"

enum { TOY_METHODS = 4, TOY_SEEDS = 3, TOY_POINTS = TOY_METHODS * TOY_SEEDS, TOY_N = 16384 };
enum { TOY_SOLVER, TOY_SIZE, TOY_SEED, TOY_PARAMS };

static const wal_param toy_params[TOY_PARAMS] = {
    {.name = "solver", .type = WAL_TEXT, .standard = "eg", .unit = "1", .doc = "method"},
    {.name = "n",
     .type = WAL_INT,
     .standard = "16384",
     .min = 1,
     .max = 1e9,
     .unit = "buyers",
     .doc = "buyers"},
    {.name = "seed", .type = WAL_INT, .standard = "1", .min = 0, .max = 1e9, .unit = "1", .doc = "seed"},
};
static const wal_column toy_measures[] = {
    {.name = "nash_gap", .type = WAL_REAL, .unit = "1", .doc = "Nash gap"},
    {.name = "voa", .type = WAL_REAL, .unit = "1", .doc = "violation of allocation"},
    {.name = "vop", .type = WAL_REAL, .unit = "1", .doc = "violation of price"},
    {.name = "solve_s", .type = WAL_REAL, .unit = "s", .doc = "time", .flags = WAL_COLUMN_TIMING},
};
static const wal_column toy_rows[] = {
    {.name = "point", .type = WAL_INT, .unit = "1", .doc = "point"},
    {.name = "status", .type = WAL_TEXT, .unit = "1", .doc = "status"},
    {.name = "solver", .type = WAL_TEXT, .unit = "1", .doc = "method"},
    {.name = "n", .type = WAL_INT, .unit = "buyers", .doc = "buyers"},
    {.name = "seed", .type = WAL_INT, .unit = "1", .doc = "seed"},
    {.name = "nash_gap", .type = WAL_REAL, .unit = "1", .doc = "Nash gap"},
    {.name = "voa", .type = WAL_REAL, .unit = "1", .doc = "violation of allocation"},
    {.name = "vop", .type = WAL_REAL, .unit = "1", .doc = "violation of price"},
    {.name = "solve_s", .type = WAL_REAL, .unit = "s", .doc = "time", .flags = WAL_COLUMN_TIMING},
    {.name = "error", .type = WAL_TEXT, .unit = "1", .doc = "message"},
};
enum { TOY_COLUMNS = sizeof toy_rows / sizeof *toy_rows };

static const char *const toy_methods[TOY_METHODS] = {"naive", "eg", "fc", "lost"};
/* [method][seed]; NaN: the point failed */
static const double toy_gap[TOY_METHODS][TOY_SEEDS] = {
    {0.30, 0.32, 0.34}, {0.010, 0.020, 0.030}, {0.001, NAN, 0.003}, {NAN, NAN, NAN}};

typedef struct {
  wal_experiment experiment;
  wal_config config;
  wal_result result;
  wal_point points[TOY_POINTS];
  wal_value values[TOY_POINTS][TOY_PARAMS];
  bool swept[TOY_PARAMS];
  wal_published published[2];
  int where_param, setting_param, measure[2];
  wal_value where[2], setting[2];
  double naive_values[2], eg_values[2];
} toy;

static void toy_text(wal_value *value, const char *text) {
  value->type = WAL_TEXT;
  snprintf(value->text, sizeof value->text, "%s", text);
}

static void toy_row(toy *t, int method, int seed) {
  int point = method * TOY_SEEDS + seed;
  wal_value *values = t->values[point];
  toy_text(&values[TOY_SOLVER], toy_methods[method]);
  values[TOY_SIZE] = (wal_value){.type = WAL_INT, .i = TOY_N};
  values[TOY_SEED] = (wal_value){.type = WAL_INT, .i = seed + 1};
  t->points[point] = (wal_point){&t->experiment, values};
  bool failed = isnan(toy_gap[method][seed]);
  wal_value cells[TOY_COLUMNS] = {[0] = {.type = WAL_INT, .i = point}};
  toy_text(&cells[1], failed ? "failed" : "ok");
  for (int p = 0; p < TOY_PARAMS; p++) cells[2 + p] = values[p];
  double gap = toy_gap[method][seed];
  const double measures[4] = {gap, gap / 2, method == 0 ? 0 : gap / 4, (method + 1) * 12.5 + seed};
  for (int m = 0; m < 4; m++) cells[5 + m] = (wal_value){.type = WAL_REAL, .r = measures[m]};
  toy_text(&cells[9], failed ? "step 0.1 is too large; 0.01 works" : "");
  int64_t row = wal_frame_add(t->result.rows);
  for (int c = 0; c < TOY_COLUMNS; c++)
    if (!(failed && c >= 5 && c < 9)) wal_frame_set(t->result.rows, row, c, &cells[c]);
}

/* Invented: naive 0.5 and voa 0 (no ratio), eg 0.0625 and voa 0.125; both at n = 1048576. */
static void toy_publish(toy *t) {
  static const double naive[2] = {0.5, 0}, eg[2] = {0.0625, 0.125};
  memcpy(t->naive_values, naive, sizeof naive);
  memcpy(t->eg_values, eg, sizeof eg);
  t->where_param = TOY_SOLVER;
  t->setting_param = TOY_SIZE;
  t->measure[1] = 1;
  for (int i = 0; i < 2; i++) {
    toy_text(&t->where[i], toy_methods[i]);
    t->setting[i] = (wal_value){.type = WAL_INT, .i = 1048576};
    t->published[i] = (wal_published){.where = {1, &t->where_param, &t->where[i]},
                                      .setting = {1, &t->setting_param, &t->setting[i]},
                                      .count = 2,
                                      .column = t->measure,
                                      .value = i == 0 ? t->naive_values : t->eg_values,
                                      .source = "invented"};
  }
}

static wal_status toy_draw_nothing(const wal_result *result, wal_drawing *drawing) {
  (void)result;
  (void)drawing;
  return WAL_OK;
}

/* `draw` NULL: draws nothing. Everything but the frame lives in the one block: free with toy_free. */
static toy *toy_new(wal_status (*draw)(const wal_result *, wal_drawing *)) {
  toy *t = calloc(1, sizeof *t);
  if (!t) abort();
  t->experiment = (wal_experiment){.id = "toy/table1",
                                   .title = "A toy",
                                   .paper = "Nobody: Nothing. Nowhere",
                                   .version = 7,
                                   .params = toy_params,
                                   .param_count = TOY_PARAMS,
                                   .columns = toy_measures,
                                   .column_count = 4,
                                   .draw = draw ? draw : toy_draw_nothing};
  t->swept[TOY_SOLVER] = t->swept[TOY_SEED] = true;
  t->config = (wal_config){.experiment = &t->experiment,
                           .name = "toy/table1",
                           .title = "A toy beside invented values",
                           .caption = "Reduced size, made up for a test",
                           .profile = "ci",
                           .path = "/somewhere/private/configs/toy/table1.yaml",
                           .yaml = "",
                           .sets = "n=16384",
                           .expect_s = NAN,
                           .point_count = TOY_POINTS,
                           .points = t->points,
                           .swept = t->swept,
                           .published_count = 2,
                           .published = t->published};
  t->result = (wal_result){.config = &t->config, .rows = wal_frame_new(toy_rows, TOY_COLUMNS)};
  toy_publish(t);
  for (int method = 0; method < TOY_METHODS; method++)
    for (int seed = 0; seed < TOY_SEEDS; seed++) toy_row(t, method, seed);
  return t;
}

static void toy_free(toy *t) {
  wal_frame_free(t->result.rows);
  free(t);
}

#endif
