#include "models/mechanism/law_distance.h"

#include <math.h>

/* k log p, 0 for k = 0 also where p = 0. */
static double power_log(int k, double p) { return k == 0 ? 0 : k * log(p); }

wal_status wal_law_distance(const wal_law *a, const wal_law *b, double *distance) {
  const bool a_is_narrow = a->low >= b->low && a->high <= b->high;
  const wal_law *narrow = a_is_narrow ? a : b, *wide = a_is_narrow ? b : a;
  if (a->kind != WAL_LAW_UNIFORM || b->kind != WAL_LAW_UNIFORM || a->n != b->n || a->m != b->m ||
      narrow->low < wide->low || narrow->high > wide->high)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "no closed form for the distance of these laws; expected uniform ones of one shape, the "
                    "interval of one within that of the other ([0.2, 1] and [0.1, 1] work)");
  const int entries = a->n * a->m;
  const double q = (narrow->high - narrow->low) / (wide->high - wide->low), p = wide->demanded,
               other = narrow->demanded;
  double sum = 0;
  for (int k = 0; k <= entries; k++) {
    const double ways = lgamma(entries + 1.0) - lgamma(k + 1.0) - lgamma(entries - k + 1.0);
    const double here = exp(ways + power_log(k, other) + power_log(entries - k, 1 - other));
    const double there =
        exp(ways + power_log(k, p * q) + power_log(entries - k, 1 - p) + power_log(entries, q));
    sum += fmax(here - there, 0);
  }
  *distance = fmin(sum, 1);
  return WAL_OK;
}
