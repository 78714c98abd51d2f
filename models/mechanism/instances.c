#include "models/mechanism/instances.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/pf_open.h"

wal_instances wal_instances_part(const wal_instances *in, int64_t first, int64_t count) {
  const int64_t nm = (int64_t)in->n * in->m;
  wal_instances part = *in;
  part.count = count;
  part.v += first * nm;
  part.x += first * nm;
  part.b += first * in->m;
  if (part.w) part.w += first * in->n;
  return part;
}

/* "[3,0,1]": entry e of [K, n, m] (one of n, m 0: [K, the other]), instances counted from `first`. */
static wal_status bad_entry(const char *array, int64_t e, int64_t first, int n, int m, double value) {
  const int64_t row = (int64_t)(n ? n : 1) * (m ? m : 1), rest = e % row;
  char instance[32] = "", at[64];
  if (first >= 0) snprintf(instance, sizeof instance, "%lld,", (long long)(first + e / row));
  if (n && m)
    snprintf(at, sizeof at, "%lld,%lld", (long long)(rest / m), (long long)(rest % m));
  else
    snprintf(at, sizeof at, "%lld", (long long)rest);
  return wal_fail(WAL_E_INPUT, "%s[%s%s] is %g; expected a finite number, 0 or more (0.5 works)", array,
                  instance, at, value);
}

static wal_status check_array(const char *array, const double *entries, int64_t count, int64_t first, int n,
                              int m) {
  const int64_t total = count * (n ? n : 1) * (m ? m : 1);
  for (int64_t e = 0; e < total; e++)
    if (!(entries[e] >= 0 && entries[e] < INFINITY)) return bad_entry(array, e, first, n, m, entries[e]);
  return WAL_OK;
}

wal_status wal_instances_check_part(const wal_instances *in, int64_t first) {
  wal_status status = check_array("values", in->v, in->count, first, in->n, in->m);
  if (status == WAL_OK) status = check_array("demands", in->x, in->count, first, in->n, in->m);
  if (status == WAL_OK) status = check_array("budgets", in->b, in->count, first, 0, in->m);
  if (status == WAL_OK && in->w) status = check_array("weights", in->w, in->count, first, in->n, 0);
  return status;
}

wal_status wal_instances_check(const wal_instances *in) { return wal_instances_check_part(in, 0); }

bool wal_instance_takes_part(const wal_instances *in, int64_t k, int i) {
  return wal_pf_takes_part(in, k, i);
}

double wal_utility(int m, const double *v, const double *x, const double *a) {
  return wal_utility_of(m, v, x, a);
}

void wal_utilities(const wal_instances *in, const double *a, double *u) {
  for (int64_t r = 0; r < in->count * in->n; r++)
    u[r] = wal_utility(in->m, in->v + r * in->m, in->x + r * in->m, a + r * in->m);
}

void wal_nash_welfare(const wal_instances *in, const double *u, bool active, double *nsw) {
  for (int64_t k = 0; k < in->count; k++) {
    double product = 1;
    for (int i = 0; i < in->n; i++) {
      const double weight = wal_pf_weight(in, k, i), utility = u[k * in->n + i];
      if (weight > 0 && (!active || wal_pf_takes_part(in, k, i)))
        product *= in->w ? pow(utility, weight) : utility;
    }
    nsw[k] = product;
  }
}

void wal_efficiency(const wal_instances *in, const double *a, double *efficiency) {
  const int64_t nm = (int64_t)in->n * in->m;
  for (int64_t k = 0; k < in->count; k++) {
    double given = 0, budget = 0;
    for (int64_t e = 0; e < nm; e++) given += a[k * nm + e];
    for (int m = 0; m < in->m; m++) budget += in->b[k * in->m + m];
    efficiency[k] = budget > 0 ? given / budget : 0;
  }
}

wal_status wal_instances_create(int64_t count, int n, int m, bool weights, wal_owned_instances *out) {
  const size_t k = (size_t)(count > 0 ? count : 1), nm = (size_t)n * (size_t)m;
  *out = (wal_owned_instances){.v = calloc(k * nm, sizeof(double)),
                               .x = calloc(k * nm, sizeof(double)),
                               .b = calloc(k * (size_t)m, sizeof(double)),
                               .w = weights ? calloc(k * (size_t)n, sizeof(double)) : NULL};
  if (!out->v || !out->x || !out->b || (weights && !out->w)) {
    wal_instances_destroy(out);
    return wal_fail(WAL_E_MEMORY, "no memory for %lld instances of %d agents and %d resources",
                    (long long)count, n, m);
  }
  out->in =
      (wal_instances){.count = count, .n = n, .m = m, .v = out->v, .x = out->x, .b = out->b, .w = out->w};
  return WAL_OK;
}

void wal_instances_destroy(wal_owned_instances *in) {
  free(in->v);
  free(in->x);
  free(in->b);
  free(in->w);
  *in = (wal_owned_instances){0};
}
