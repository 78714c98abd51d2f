/* The random study: markets of a family, solved once for all of its experiments (maximum Nash welfare, and
   thrifty equilibria where they can be searched), and measured one by one. */
#ifndef WAL_EXPERIMENTS_NASHWELFARE_STUDY_H
#define WAL_EXPERIMENTS_NASHWELFARE_STUDY_H

#include "engine/drawing.h"
#include "experiments/nashwelfare/nashwelfare.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/gale_below.h"

/* ---- parameters: the same for all, so that the solved markets are shared ---- */

#define WAL_STUDY_NETWORKS "linear|bounded_linear|splc|leontief_free|network"
#define WAL_STUDY_PARAMS(FAMILIES)                                                                            \
  {"family", WAL_TEXT, "splc", 0, 0, FAMILIES, "1", "law of the markets", NULL, WAL_PARAM_KEY},               \
      {"n", WAL_INT, "2", 1, 64, NULL, "agents", "number of agents", NULL, WAL_PARAM_KEY},                    \
      {"m", WAL_INT, "2", 1, 64, NULL, "goods", "number of goods", NULL, WAL_PARAM_KEY},                      \
      {"instances", WAL_INT, "250", 1, 1e5, NULL, "1", "number of markets; budgets of every other are equal", \
       NULL,        0},                                                                                       \
      {"most", WAL_INT, "8", 1, 64, NULL, "1", "stop at this many equilibria of a market", NULL, 0},          \
      {"attempts", WAL_INT, "16", 1, 1e6, NULL, "1", "searches for an equilibrium of a market", NULL, 0}, {   \
    "seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL,  \
        WAL_PARAM_KEY                                                                                         \
  }
enum { WAL_STUDY_PARAM_COUNT = 7 };

/* ---- one market ---- */

typedef struct {
  int64_t k;
  const wal_nw_market *market;
  double log_welfare, gap;
  const double *u, *q, *y; /* maximum Nash welfare: [n], [m], [n, m] */
  int equilibria;
  const double *price, *utility, *bundle; /* [equilibria, m], [equilibria, n], [equilibria, n, m] */
} wal_study_market;

/* What an experiment finds of one market: `count` lines of the task's values, lines[most, values]. */
typedef struct {
  const char *const *names; /* [values], the first "instance", which is filled in */
  int values, most;         /* numbers in a line, lines per market */
  wal_status (*measure)(const wal_study_market *in, double *lines, int *count);
  const char *partial; /* the value that some markets lack (NAN); NULL: none does */
} wal_study_task;

/* ---- a point ---- */

typedef struct {
  const wal_study_task *task;
  int64_t markets, found, several; /* with an equilibrium found, with more than one */
  int64_t count;                   /* lines */
  double *values;                  /* [count, task->values] owned */
} wal_study_lines;
void wal_study_lines_free(wal_study_lines *lines); /* accepts a zeroed struct */

/* Solves the point's markets, or finds them solved, and measures each: the lines, also as trace "markets". */
wal_status wal_study_run(const wal_point *point, wal_sink *sink, const wal_study_task *task,
                         wal_study_lines *out);
/* Fails at the first line whose value is not in [low, high] (nor NAN, but for the partial one), naming the
   market: `claim` is what says so. */
wal_status wal_study_demand(const wal_point *point, const wal_study_lines *lines, const char *name,
                            double low, double high, const char *claim);

/* Of a line's value over all lines where it is not NaN. */
typedef struct {
  int64_t count;
  double min, low, mean, high, max; /* low, high: 1 % and 99 %; NaN: no lines */
} wal_study_summary;
wal_status wal_study_summarise(const wal_study_lines *lines, const char *name, wal_study_summary *out);

/* ---- pictures ---- */

/* Trace "markets" of the finished point that this row is of, where it is of the family; NULL: it is not. */
const wal_frame *wal_study_trace(const wal_result *result, int64_t row, const char *family);

/* The values of this trace over every finished point of a family. */
typedef struct {
  int64_t count;
  double *values; /* [count] owned, ascending */
} wal_study_sample;
wal_status wal_study_sample_of(const wal_result *result, const char *family, const char *name,
                               wal_study_sample *out);

/* One kind of histogram over the families of a result. */
typedef struct {
  const char *value, *second;       /* of the trace; second: another one, drawn as a line (NULL: none) */
  int bins;                         /* at most 64 */
  const char *unit;                 /* of a value: "equilibria" */
  const char *label, *second_label; /* in the legend; "": none */
  const char *xlabel;
  double low, high, bound; /* ends of the axis; the theorem's bound */
  const char *bound_label;
  const char *families; /* "linear|splc": as in the parameter */
} wal_study_histogram;
/* A panel per family of logarithmic histograms with the bound, and one of all distribution functions (from
   the bound's side). */
wal_status wal_study_draw_histograms(const wal_result *result, wal_drawing *drawing,
                                     const wal_study_histogram *what);

/* The last panel alone. */
wal_status wal_study_draw_distributions(const wal_result *result, wal_figure *figure,
                                        const wal_study_histogram *what);
bool wal_study_names(const char *families, int family); /* is the family one of "linear|splc"? */

/* A row per family: the sums of the rows' columns `counts`, then the ends, mean and percentiles of a value of
   the trace. */
typedef struct {
  int count_columns;
  const char *const *counts, *const *headers; /* [count_columns] */
  const char *value, *label, *format;
  double bound;
  const char *note;
} wal_study_table;
wal_status wal_study_draw_table(const wal_result *result, wal_drawing *drawing, const wal_study_table *what);

#endif
