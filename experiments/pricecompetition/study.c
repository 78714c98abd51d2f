/* Measuring the markets of the random study. */
#include "experiments/pricecompetition/study.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"

enum { MOST_VALUES = 31 };

typedef struct {
  const wal_price_study *study;
  wal_price_instance at; /* but for k */
  int64_t count;
  double *values; /* [count, study->value_count] owned */
} run;

static wal_status name_market(wal_status status, const wal_price_instance *at, int64_t k) {
  return wal_fail_in(status, "market %" PRId64 " of %s, %d x %d, seed %" PRIu64 ": ", k, at->kind, at->n,
                     at->m, at->seed);
}

static wal_status measure_market(void *context, int64_t k) {
  const run *r = context;
  wal_price_instance at = r->at;
  at.k = k;
  const wal_status status = r->study->measure(&at, r->values + k * r->study->value_count);
  return status == WAL_OK ? WAL_OK : name_market(status, &at, k);
}

static wal_status measure_all(run *r) {
  if (!r->study->serial) return wal_for_tasks(r->count, measure_market, r);
  wal_status status = WAL_OK;
  for (int64_t k = 0; k < r->count && status == WAL_OK; k++) status = measure_market(r, k);
  return status;
}

static void send_trace(const run *r, wal_sink *sink) {
  const int values = r->study->value_count;
  const char *names[MOST_VALUES + 1] = {"instance"};
  double line[MOST_VALUES + 1];
  for (int v = 0; v < values; v++) names[v + 1] = r->study->values[v].name;
  for (int64_t k = 0; k < r->count; k++) {
    line[0] = (double)k;
    memcpy(line + 1, r->values + k * values, (size_t)values * sizeof *line);
    wal_sink_trace(sink, "markets", values + 1, names, line);
  }
}

/* NaN: no market has the value. */
static double summarise(const run *r, const wal_price_summary *what) {
  int at = 0, count = 0;
  double sum = 0, least = INFINITY, most = -INFINITY;
  while (strcmp(r->study->values[at].name, what->value)) at++;
  for (int64_t k = 0; k < r->count; k++) {
    const double value = r->values[k * r->study->value_count + at];
    if (isnan(value)) continue;
    count++, sum += value, least = fmin(least, value), most = fmax(most, value);
  }
  if (what->statistic == WAL_PRICE_SUM) return sum;
  if (what->statistic == WAL_PRICE_LARGEST) return fmax(most, 0);
  if (count == 0) return NAN;
  return what->statistic == WAL_PRICE_MEAN ? sum / count : what->statistic == WAL_PRICE_LEAST ? least : most;
}

static void send_summary(const run *r, wal_sink *sink, const wal_price_summary *what) {
  const double value = summarise(r, what);
  if (isnan(value)) return;
  if (what->statistic >= WAL_PRICE_SUM)
    wal_sink_int(sink, what->column, (int64_t)value);
  else
    wal_sink_real(sink, what->column, value);
}

wal_status wal_price_demand(const wal_price_value *values, int count, const double *numbers) {
  for (int v = 0; v < count; v++) {
    const wal_price_value *asked = &values[v];
    const double value = numbers[v];
    if (!asked->claim || (value >= asked->low && value <= asked->high)) continue;
    if (isnan(value) && asked->partial) continue;
    const bool low = value < asked->low;
    return wal_fail(WAL_E_DIVERGED, "%s is %.9g; expected %s %.9g (%s)", asked->name, value,
                    low ? "at least" : "at most", low ? asked->low : asked->high, asked->claim);
  }
  return WAL_OK;
}

static wal_status demand_all(const run *r) {
  const wal_price_study *study = r->study;
  for (int64_t k = 0; k < r->count; k++) {
    const wal_status status =
        wal_price_demand(study->values, study->value_count, r->values + k * study->value_count);
    if (status != WAL_OK) return name_market(status, &r->at, k);
  }
  return WAL_OK;
}

wal_status wal_price_study_run(const wal_point *point, wal_sink *sink, const wal_price_study *study) {
  run r = {.study = study,
           .at = {wal_point_text(point, "kind"), (uint64_t)wal_point_int(point, "seed"), 0,
                  (int)wal_point_int(point, "n"), (int)wal_point_int(point, "m")},
           .count = wal_point_int(point, "instances")};
  r.values = malloc((size_t)r.count * (size_t)study->value_count * sizeof *r.values);
  if (!r.values) return wal_fail(WAL_E_MEMORY, "no memory for measures of %" PRId64 " markets", r.count);
  wal_status status = measure_all(&r);
  if (status == WAL_OK) {
    send_trace(&r, sink);
    wal_sink_row(sink);
    wal_sink_int(sink, "markets", r.count);
    for (int s = 0; s < study->summary_count; s++) send_summary(&r, sink, &study->summaries[s]);
    status = demand_all(&r);
  }
  free(r.values);
  return status;
}
