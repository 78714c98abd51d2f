/* Separable utilities: linear, bounded linear and SPLC are one list of segments per good. */
#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/utility_kind.h"

/* Only segments that count: slope > 0, length > 0. */
typedef struct {
  wal_utility base;
  int *start;           /* [m + 1] */
  wal_segment *segment; /* [start[m]], of good j: [start[j], start[j + 1]), slopes falling */
} separable;

static double value(const wal_utility *u, const double *x) {
  const separable *s = (const separable *)u;
  double sum = 0;
  for (int j = 0; j < u->m; j++) {
    double left = x[j];
    for (int k = s->start[j]; left > 0 && k < s->start[j + 1]; k++) {
      sum += s->segment[k].slope * fmin(left, s->segment[k].length);
      left -= s->segment[k].length;
    }
  }
  return sum;
}

/* The slope of the next bit of every good. */
static wal_status supergradient(const wal_utility *u, const double *x, double *g) {
  const separable *s = (const separable *)u;
  for (int j = 0; j < u->m; j++) {
    double left = x[j];
    int k = s->start[j];
    while (k < s->start[j + 1] && left >= s->segment[k].length) left -= s->segment[k++].length;
    g[j] = k < s->start[j + 1] ? s->segment[k].slope : 0;
  }
  return WAL_OK;
}

/* z: how much of each segment is used; one row per good of use. */
static wal_status lp(const wal_utility *u, wal_utility_lp *out) {
  const separable *s = (const separable *)u;
  int rows = 0;
  for (int j = 0; j < u->m; j++) rows += s->start[j + 1] > s->start[j];
  const int columns = s->start[u->m];
  const wal_status status = wal_utility_lp_create(rows, columns, u->m, columns, rows, out);
  if (status != WAL_OK) return status;
  for (int j = 0, row = 0; j < u->m; j++) {
    for (int k = s->start[j]; k < s->start[j + 1]; k++) {
      wal_sparse_put(&out->a, row, 1);
      wal_sparse_end(&out->a, k);
      out->h[k] = s->segment[k].length;
      out->c[k] = s->segment[k].slope;
    }
    if (s->start[j + 1] > s->start[j]) wal_sparse_put(&out->b, row++, 1);
    wal_sparse_end(&out->b, j);
  }
  return WAL_OK;
}

/* Section 2.1: an arc from the good to the sink per segment. */
static wal_status network(const wal_utility *u, wal_network *out) {
  const separable *s = (const separable *)u;
  const wal_status status = wal_network_create(u->m, u->m + 1, u->m, s->start[u->m], out);
  for (int j = 0; status == WAL_OK && j < u->m; j++)
    for (int k = s->start[j]; k < s->start[j + 1]; k++)
      wal_network_arc(out, k, j, u->m, s->segment[k].slope, s->segment[k].length);
  return status;
}

static void destroy(wal_utility *u) {
  separable *s = (separable *)u;
  free(s->start);
  free(s->segment);
  free(s);
}

static const wal_utility_ops linear = {.name = "linear",
                                       .value = value,
                                       .supergradient = supergradient,
                                       .lp = lp,
                                       .network = network,
                                       .destroy = destroy};
static const wal_utility_ops bounded_linear = {.name = "bounded_linear",
                                               .value = value,
                                               .supergradient = supergradient,
                                               .lp = lp,
                                               .network = network,
                                               .destroy = destroy};
static const wal_utility_ops splc = {.name = "splc",
                                     .value = value,
                                     .supergradient = supergradient,
                                     .lp = lp,
                                     .network = network,
                                     .destroy = destroy};

/* ---- creation ---- */

static separable *create(const wal_utility_ops *ops, int m, int segments) {
  separable *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->base = (wal_utility){.ops = ops, .m = m};
  s->start = calloc((size_t)m + 1, sizeof *s->start);
  s->segment = malloc(((size_t)segments + 1) * sizeof *s->segment);
  if (s->start && s->segment) return s;
  destroy(&s->base);
  return NULL;
}

/* The next segment of good j; one that changes nothing is left out. */
static void append(separable *s, int j, wal_segment segment) {
  if (segment.slope == 0 || segment.length == 0) return;
  s->segment[s->start[j + 1]++] = segment;
  s->base.satiation += segment.slope * segment.length;
}

static wal_status finish(separable *s, const char *works, wal_utility **out) {
  if (s->start[s->base.m] > 0) return wal_utility_finish(&s->base, out);
  wal_utility_destroy(&s->base);
  return wal_utility_useless(works);
}

/* One segment per good: v_j up to the bound l_j (l NULL: none). */
static wal_status one_segment(const wal_utility_ops *ops, int m, const double *v, const double *l,
                              wal_utility **out) {
  *out = NULL;
  wal_status status = wal_utility_goods_check(m);
  if (status == WAL_OK) status = wal_utility_amounts_check(m, v, "the value", false);
  if (status == WAL_OK && l) status = wal_utility_amounts_check(m, l, "the bound", true);
  if (status != WAL_OK) return status;
  separable *s = create(ops, m, m);
  if (!s) return wal_utility_no_memory(m);
  for (int j = 0; j < m; j++) {
    s->start[j + 1] = s->start[j];
    append(s, j, (wal_segment){v[j], !l ? INFINITY : v[j] > 0 ? l[j] / v[j] : 0});
  }
  return finish(s, l ? "a value and a bound of 1 for one good work" : "a value of 1 for one good works", out);
}

wal_status wal_utility_linear(int m, const double *v, wal_utility **out) {
  return one_segment(&linear, m, v, NULL, out);
}

wal_status wal_utility_bounded_linear(int m, const double *v, const double *l, wal_utility **out) {
  return one_segment(&bounded_linear, m, v, l, out);
}

/* Segment k of good j, which follows `before` (NULL: the first). */
static wal_status check_segment(int j, int k, const wal_segment *segment, const wal_segment *before) {
  if (!(segment->slope >= 0) || !isfinite(segment->slope))
    return wal_fail(WAL_E_INPUT,
                    "good %d, segment %d: the slope is %g; expected at least 0 and finite (1 works)", j, k,
                    segment->slope);
  if (!(segment->length >= 0))
    return wal_fail(WAL_E_INPUT, "good %d, segment %d: the length is %g; expected at least 0 (1 works)", j, k,
                    segment->length);
  if (before && segment->slope > before->slope)
    return wal_fail(WAL_E_INPUT,
                    "good %d, segment %d: the slope rises from %g to %g, so that the utility is not concave; "
                    "expected at most %g (%g works)",
                    j, k, before->slope, segment->slope, before->slope, before->slope);
  if (before && before->length == INFINITY)
    return wal_fail(WAL_E_INPUT,
                    "good %d, segment %d: comes after a segment without an end; expected an end for segment "
                    "%d (a length of 1 works)",
                    j, k, k - 1);
  return WAL_OK;
}

static wal_status check_segments(int m, const int *start, const wal_segment *segments) {
  wal_status status = wal_utility_goods_check(m);
  for (int j = 0; status == WAL_OK && j < m; j++) {
    if (start[j] < 0 || start[j + 1] < start[j])
      return wal_fail(WAL_E_INPUT, "good %d: its segments are [%d, %d); expected a range that does not fall",
                      j, start[j], start[j + 1]);
    for (int k = start[j]; status == WAL_OK && k < start[j + 1]; k++)
      status = check_segment(j, k - start[j], &segments[k], k > start[j] ? &segments[k - 1] : NULL);
  }
  return status;
}

wal_status wal_utility_splc(int m, const int *start, const wal_segment *segments, wal_utility **out) {
  *out = NULL;
  const wal_status status = check_segments(m, start, segments);
  if (status != WAL_OK) return status;
  separable *s = create(&splc, m, start[m]);
  if (!s) return wal_utility_no_memory(m);
  for (int j = 0; j < m; j++) {
    s->start[j + 1] = s->start[j];
    for (int k = start[j]; k < start[j + 1]; k++) append(s, j, segments[k]);
  }
  return finish(s, "a segment of slope 1 and length 1 for one good works", out);
}
