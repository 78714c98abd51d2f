/* A toy experiment for the tests of the configuration: every type, groups, `when`. */
#ifndef WAL_TESTS_TOY_H
#define WAL_TESTS_TOY_H

#include <math.h>

#include "engine/config.h"

static const wal_param toy_params[] = {
    {"n", WAL_INT, "1024", 1, 1048576, NULL, "buyers", "number of buyers", NULL, true},
    {"m", WAL_INT, "5", 1, 100, NULL, "1", "number of goods", NULL, true},
    {"alpha", WAL_REAL, "0.5", -INFINITY, 1, NULL, "1", "CES exponent", NULL, true},
    {"solver", WAL_TEXT, "eg", 0, 0, "eg|eg_m|fc", "1", "which solver", NULL, true},
    {"eg.step", WAL_REAL, "100", 0, INFINITY, NULL, "1", "step size", "solver=eg|eg_m", false},
    {"fc.width", WAL_INT, "64", 1, 4096, NULL, "units", "width of a layer", "solver=fc", false},
    {"fc.depth", WAL_INT, "3", 1, 9, NULL, "layers", "layers", "solver=fc", false},
    {"fc.cosine", WAL_BOOL, "true", 0, 1, NULL, "1", "decay the \"rate\"", "solver=fc", false},
    {"seed", WAL_INT, "1", 0, 1e15, NULL, "1", "of every draw", NULL, true},
    {"note", WAL_TEXT, "none", 0, 0, NULL, "1", "a remark", NULL, false},
};
static const wal_column toy_columns[] = {
    {.name = "gap", .type = WAL_REAL, .unit = "nats", .doc = "Nash gap", .rtol = 0.1},
    {.name = "solve_s", .type = WAL_REAL, .unit = "s", .doc = "time", .flags = WAL_COLUMN_TIMING},
    {.name = "remark", .type = WAL_TEXT, .unit = "1", .doc = "words"},
};
static const wal_experiment toy_experiment = {
    .id = "toy/table1",
    .title = "A toy",
    .paper = "None",
    .doc = "None.",
    .version = 3,
    .params = toy_params,
    .param_count = sizeof toy_params / sizeof *toy_params,
    .columns = toy_columns,
    .column_count = sizeof toy_columns / sizeof *toy_columns,
};
static const wal_experiment *const toy_registry[] = {&toy_experiment, NULL};

#endif
