/* The random study: markets of a kind, measured one by one, with what a theorem demands of every number. */
#ifndef WAL_EXPERIMENTS_PRICECOMPETITION_STUDY_H
#define WAL_EXPERIMENTS_PRICECOMPETITION_STUDY_H

#include "engine/drawing.h"
#include "experiments/pricecompetition/pricecompetition.h"
#include "models/pricing/kinds.h"

#define WAL_PRICE_STUDY_PARAMS(KINDS, KIND, N)                                                               \
  {"kind", WAL_TEXT, KIND, 0, 0, KINDS, "1", "law of the markets", NULL, WAL_PARAM_KEY},                     \
      {"n", WAL_INT, N, 1, 2000, NULL, "buyers", "number of buyers", NULL, WAL_PARAM_KEY},                   \
      {"m", WAL_INT, N, 1, 2000, NULL, "items", "number of items", NULL, WAL_PARAM_KEY},                     \
      {"instances", WAL_INT, "100", 1, 1e6, NULL, "1", "number of markets", NULL, 0}, {                      \
    "seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL, \
        WAL_PARAM_KEY                                                                                        \
  }
enum { WAL_PRICE_STUDY_PARAM_COUNT = 5 };

/* ---- a point ---- */

typedef struct {
  const char *kind;
  uint64_t seed;
  int64_t k;
  int n, m;
} wal_price_instance;

/* A number of every market, and what a theorem demands of it. */
typedef struct {
  const char *name;  /* in the trace "markets" */
  double low, high;  /* the market fails outside */
  const char *claim; /* who says so; NULL: nobody, and no bounds */
  bool partial;      /* may be NaN: does not apply to some markets */
} wal_price_value;
/* WAL_E_DIVERGED at the first of numbers[count] that is not as demanded. */
wal_status wal_price_demand(const wal_price_value *values, int count, const double *numbers);

/* A column of the row, of one value over all markets; unset where no market has it. */
typedef enum {
  WAL_PRICE_MEAN,
  WAL_PRICE_LEAST,
  WAL_PRICE_MOST,
  WAL_PRICE_SUM,     /* of whole numbers, as the next: columns of type WAL_INT */
  WAL_PRICE_LARGEST, /* the most, at least 0 */
} wal_price_statistic;
typedef struct {
  const char *column, *value;
  wal_price_statistic statistic;
} wal_price_summary;

typedef struct {
  const wal_price_value *values; /* [value_count] */
  int value_count;
  const wal_price_summary *summaries; /* [summary_count] */
  int summary_count;
  wal_status (*measure)(const wal_price_instance *at, double *values); /* values[value_count] */
  bool serial; /* one market after another: times are taken */
} wal_price_study;

/* Measures the point's markets: a line of trace "markets" for each, one row with column "markets" and the
   summaries; then fails at the first number that is not as demanded, and names the market. */
wal_status wal_price_study_run(const wal_point *point, wal_sink *sink, const wal_price_study *study);

/* ---- pictures ---- */

/* Kinds in the order of their colours. */
typedef struct {
  const char *name, *label;
} wal_price_kind;
enum { WAL_PRICE_KINDS = 10 };
extern const wal_price_kind wal_price_kinds[WAL_PRICE_KINDS];

/* A value of the trace over every finished point of a kind, ascending, NaN left out. */
typedef struct {
  int64_t count;
  double *values; /* [count] owned */
} wal_price_sample;
wal_status wal_price_sample_of(const wal_result *result, const char *kind, const char *value,
                               wal_price_sample *out);

typedef struct {
  const char *value, *unit, *xlabel;
  int bins; /* at most 64 */
  double low, high, bound;
  const char *bound_label; /* NULL: no bound */
} wal_price_histogram;
/* A panel of counts, on a logarithmic axis, for every kind of the result; beyond the ends in the last bins.
 */
wal_status wal_price_histograms(const wal_result *result, wal_figure *figure,
                                const wal_price_histogram *what);

/* A line per kind: the mean over a group of a column, both axes logarithmic, against n = m, or against m at
   `buyers` buyers (0: n = m); with the exponent of the larger half of the sizes in the legend, if asked for.
 */
void wal_price_lines(wal_panel *panel, const wal_grouping *by, const char *column, int buyers,
                     bool exponents);

#endif
