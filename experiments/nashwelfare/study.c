/* Solving and measuring the markets of the random study. */
#include "experiments/nashwelfare/study.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/nashwelfare/equilibria.h"

/* Every market of a point, solved. A record: log welfare, gap, equilibria, u, q, y, then `most` times
   price, utility, bundle. */
typedef struct {
  const wal_family *family;
  int n, m, most, attempts;
  int64_t count, record;
  uint64_t seed;
  double *records; /* [count, record] owned */
  int64_t first;   /* of the round in progress */
  const wal_study_task *task;
  double *lines;    /* [count, task->most, task->values] */
  int *line_counts; /* [count] */
} study;

static study study_of(const wal_point *point) {
  study s = {.family = wal_family_find(wal_point_text(point, "family")),
             .n = (int)wal_point_int(point, "n"),
             .m = (int)wal_point_int(point, "m"),
             .most = (int)wal_point_int(point, "most"),
             .attempts = (int)wal_point_int(point, "attempts"),
             .count = wal_point_int(point, "instances"),
             .seed = (uint64_t)wal_point_int(point, "seed")};
  if (!s.family->network) s.most = 0;
  const int64_t own = s.n + s.m + (int64_t)s.n * s.m;
  s.record = 3 + own * (1 + s.most);
  return s;
}

static wal_status name_market(wal_status status, const study *s, int64_t k) {
  return wal_fail_in(status, "market %" PRId64 " of %s, %d x %d, seed %" PRIu64 ": ", k, s->family->name,
                     s->n, s->m, s->seed);
}

/* ---- solving ---- */

static double *put(double *to, const double *from, int count) {
  memcpy(to, from, (size_t)count * sizeof *to);
  return to + count;
}

static wal_status solve_welfare(const study *s, const wal_nw_market *market, double *record) {
  wal_nw_solution nw = {0};
  const wal_status status = wal_nw_maximise(market, NULL, &nw);
  if (status == WAL_OK) {
    record[0] = nw.log_welfare;
    record[1] = nw.gap;
    put(put(put(record + 3, nw.u, s->n), nw.q, s->m), nw.y, s->n * s->m);
  }
  wal_nw_solution_destroy(&nw);
  return status;
}

static wal_status solve_equilibria(const study *s, const wal_nw_market *market, double *record) {
  wal_equilibria_options options = wal_equilibria_defaults();
  options.most = s->most;
  options.attempts = s->attempts;
  options.seed = s->seed;
  wal_equilibria found = {0};
  const wal_status status = wal_equilibria_find(market, &options, &found);
  double *at = record + 3 + s->n + s->m + s->n * s->m;
  for (int e = 0; status == WAL_OK && e < found.count; e++) at = put(at, found.list[e].p, s->m);
  for (int e = 0; status == WAL_OK && e < found.count; e++) at = put(at, found.list[e].u, s->n);
  for (int e = 0; status == WAL_OK && e < found.count; e++) at = put(at, found.list[e].x, s->n * s->m);
  if (status == WAL_OK) record[2] = found.count;
  wal_equilibria_destroy(&found);
  return status;
}

static wal_status solve_market(void *context, int64_t k) {
  const study *s = context;
  double *record = s->records + (s->first + k) * s->record;
  wal_nw_market market = {0};
  memset(record, 0, (size_t)s->record * sizeof *record);
  wal_status status = s->family->draw(s->seed, s->first + k, s->n, s->m, &market);
  if (status == WAL_OK) status = solve_welfare(s, &market, record);
  if (status == WAL_OK && s->most > 0) status = solve_equilibria(s, &market, record);
  wal_nw_market_destroy(&market);
  return status == WAL_OK ? WAL_OK : name_market(status, s, s->first + k);
}

static wal_status solve_all(study *s, wal_sink *sink) {
  const int64_t step = (s->count + 19) / 20;
  wal_status status = WAL_OK;
  for (s->first = 0; status == WAL_OK && s->first < s->count; s->first += step) {
    wal_sink_progress(sink, (double)s->first / (double)s->count, "solving");
    status = wal_for_tasks(step < s->count - s->first ? step : s->count - s->first, solve_market, s);
  }
  return status;
}

/* From an experiment that solved them before, or anew. */
static wal_status find_records(study *s, wal_sink *sink) {
  char key[256];
  snprintf(key, sizeof key,
           "nashwelfare study, version 1\nfamily %s\nn %d\nm %d\nmarkets %" PRId64
           "\nmost %d\nattempts %d\n"
           "seed %" PRIu64 "\n",
           s->family->name, s->n, s->m, s->count, s->most, s->attempts, s->seed);
  const int64_t bytes = s->count * s->record * (int64_t)sizeof *s->records;
  void *kept = NULL;
  int64_t size = 0;
  if (wal_sink_load(sink, key, &kept, &size) == WAL_OK && kept && size == bytes) {
    s->records = kept;
    return WAL_OK;
  }
  free(kept);
  s->records = malloc((size_t)bytes);
  if (!s->records) return wal_fail(WAL_E_MEMORY, "no memory for %" PRId64 " solved markets", s->count);
  const wal_status status = solve_all(s, sink);
  return status == WAL_OK ? wal_sink_save(sink, key, s->records, bytes) : status;
}

/* ---- measuring ---- */

static wal_study_market read_record(const study *s, int64_t k, const wal_nw_market *market) {
  const double *record = s->records + k * s->record;
  wal_study_market in = {.k = k,
                         .market = market,
                         .log_welfare = record[0],
                         .gap = record[1],
                         .equilibria = (int)record[2],
                         .u = record + 3};
  in.q = in.u + s->n;
  in.y = in.q + s->m;
  in.price = in.y + s->n * s->m;
  in.utility = in.price + in.equilibria * s->m;
  in.bundle = in.utility + in.equilibria * s->n;
  return in;
}

static wal_status measure_market(void *context, int64_t k) {
  const study *s = context;
  const int values = s->task->values;
  double *lines = s->lines + k * s->task->most * values;
  wal_nw_market market = {0};
  wal_status status = s->family->draw(s->seed, k, s->n, s->m, &market);
  if (status == WAL_OK) {
    const wal_study_market in = read_record(s, k, &market);
    status = s->task->measure(&in, lines, &s->line_counts[k]);
  }
  for (int line = 0; status == WAL_OK && line < s->line_counts[k]; line++) lines[line * values] = (double)k;
  wal_nw_market_destroy(&market);
  return status == WAL_OK ? WAL_OK : name_market(status, s, k);
}

void wal_study_lines_free(wal_study_lines *lines) {
  free(lines->values);
  *lines = (wal_study_lines){0};
}

/* The markets' lines one after another. */
static void gather(const study *s, wal_sink *sink, wal_study_lines *out) {
  const size_t values = (size_t)s->task->values;
  out->markets = s->count;
  for (int64_t k = 0; k < s->count; k++) {
    const int equilibria = (int)s->records[k * s->record + 2];
    out->found += equilibria > 0;
    out->several += equilibria > 1;
    for (int line = 0; line < s->line_counts[k]; line++) {
      double *to = out->values + (size_t)out->count++ * values;
      memmove(to, s->lines + ((size_t)k * (size_t)s->task->most + (size_t)line) * values,
              values * sizeof *to);
      wal_sink_trace(sink, "markets", s->task->values, s->task->names, to);
    }
  }
}

wal_status wal_study_run(const wal_point *point, wal_sink *sink, const wal_study_task *task,
                         wal_study_lines *out) {
  study s = study_of(point);
  *out = (wal_study_lines){.task = task};
  wal_status status = find_records(&s, sink);
  s.task = task;
  s.lines = malloc((size_t)s.count * (size_t)(task->most * task->values) * sizeof *s.lines);
  s.line_counts = calloc((size_t)s.count, sizeof *s.line_counts);
  if (status == WAL_OK && !(s.lines && s.line_counts))
    status = wal_fail(WAL_E_MEMORY, "no memory for measures of %" PRId64 " markets", s.count);
  if (status == WAL_OK) wal_sink_progress(sink, 1, "measuring");
  if (status == WAL_OK) status = wal_for_tasks(s.count, measure_market, &s);
  out->values = s.lines;
  if (status == WAL_OK) gather(&s, sink, out);
  free(s.line_counts);
  free(s.records);
  return status;
}

/* ---- over all lines ---- */

static int find_name(const wal_study_task *task, const char *name) {
  int at = 0;
  while (at < task->values && strcmp(task->names[at], name)) at++;
  return at;
}

wal_status wal_study_demand(const wal_point *point, const wal_study_lines *lines, const char *name,
                            double low, double high, const char *claim) {
  const int at = find_name(lines->task, name);
  const bool partial = lines->task->partial && strcmp(lines->task->partial, name) == 0;
  for (int64_t line = 0; line < lines->count; line++) {
    const double *values = lines->values + line * lines->task->values, value = values[at];
    if ((partial && isnan(value)) || (value >= low && value <= high)) continue;
    const study s = study_of(point);
    return name_market(wal_fail(WAL_E_DIVERGED, "%s is %.9g; expected %s %.9g (%s)", name, value,
                                value < low ? "at least" : "at most", value < low ? low : high, claim),
                       &s, (int64_t)values[0]);
  }
  return WAL_OK;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

wal_status wal_study_summarise(const wal_study_lines *lines, const char *name, wal_study_summary *out) {
  const int at = find_name(lines->task, name);
  *out = (wal_study_summary){0, NAN, NAN, NAN, NAN, NAN};
  double *sorted = malloc(((size_t)lines->count + 1) * sizeof *sorted), sum = 0;
  if (!sorted) return wal_fail(WAL_E_MEMORY, "no memory for %" PRId64 " measures", lines->count);
  for (int64_t line = 0; line < lines->count; line++) {
    const double value = lines->values[line * lines->task->values + at];
    if (isnan(value)) continue;
    sorted[out->count++] = value;
    sum += value;
  }
  if (out->count > 0) {
    const int64_t last = out->count - 1;
    qsort(sorted, (size_t)out->count, sizeof *sorted, compare);
    *out = (wal_study_summary){.count = out->count,
                               .min = sorted[0],
                               .low = sorted[last / 100],
                               .mean = sum / (double)out->count,
                               .high = sorted[last - last / 100],
                               .max = sorted[last]};
  }
  free(sorted);
  return WAL_OK;
}
