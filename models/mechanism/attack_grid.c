/* The exhaustive reference at 2 x 2: every ratio of values of a fine grid and those just beside the other
   agent's, at three heights in the box, with every pair of demands of a grid. It shares no report with
   "candidates" on purpose. */
#include <math.h>

#include "models/common/vmath.h"
#include "models/mechanism/attack_search.h"

enum { BESIDE = 12, HEIGHTS = 3 };
static const double beside[BESIDE] = {1e-7, -1e-7, 1e-6, -1e-6, 1e-5, -1e-5,
                                      1e-3, -1e-3, 1e-2, -1e-2, 0.05, -0.05};

/* Points of the ratios and of each demand: where both are lied about, the product is kept to a size. */
static int ratios(const wal_attack_options *options) {
  return options->lie == WAL_LIE_DEMANDS ? 1
         : options->lie == WAL_LIE_BOTH  ? options->grid + 1 + BESIDE
                                         : 16 * options->grid + 1 + BESIDE;
}

static int demands(const wal_attack_options *options) {
  return options->lie == WAL_LIE_VALUES ? 1
         : options->lie == WAL_LIE_BOTH ? 3 + options->grid / 8
                                        : 3 + options->grid;
}

static int heights(const wal_attack_options *options) {
  return options->lie == WAL_LIE_DEMANDS ? 1 : HEIGHTS;
}

int64_t wal_attack_grid_count(const wal_attack_options *options) {
  return (int64_t)ratios(options) * heights(options) * demands(options) * demands(options);
}

/* Demand number d: the truth, nothing, then [low, high] evenly, both ends included. */
static double demand(const wal_attack_options *options, int d, double truth) {
  const double share = (double)(d - 2) / (demands(options) - 3);
  return d == 0 ? truth : d == 1 ? 0 : options->low + (options->high - options->low) * share;
}

/* Values number r at a height: their log ratio on the grid, then beside the other agent's. */
static void values(const wal_attack_options *options, int r, int height, const double *other, double v[2]) {
  const double width = wal_log(options->high / options->low);
  const int even = ratios(options) - BESIDE;
  double t = width * (2.0 * r / (even - 1) - 1);
  if (r >= even)
    t = wal_log(wal_attack_value(options, other[0]) / wal_attack_value(options, other[1])) +
        wal_log1p(beside[r - even]);
  const double top = -fmax(width - fabs(t), 0) * height / (HEIGHTS - 1);
  v[0] = wal_attack_value(options, options->high * wal_exp(top + fmin(t, 0)));
  v[1] = wal_attack_value(options, options->high * wal_exp(top - fmax(t, 0)));
}

void wal_attack_grid(const wal_instances *in, int64_t k, int i, const wal_attack_options *options, double *v,
                     double *x) {
  const double *truth_v = in->v + (k * 2 + i) * 2, *truth_x = in->x + (k * 2 + i) * 2;
  const double *other = in->v + (k * 2 + 1 - i) * 2;
  const int d = demands(options), r = ratios(options), h = heights(options);
  for (int first = 0; first < d; first++)
    for (int second = 0; second < d; second++)
      for (int e = 0; e < r * h; e++, v += 2, x += 2) {
        if (options->lie == WAL_LIE_DEMANDS)
          v[0] = truth_v[0], v[1] = truth_v[1];
        else
          values(options, e / h, e % h, other, v);
        x[0] = demand(options, first, truth_x[0]);
        x[1] = demand(options, second, truth_x[1]);
      }
}
