#include "models/nn/schedule.h"

#include <math.h>

double wal_schedule_rate(const wal_schedule *schedule, int64_t t) {
  if (t < schedule->warmup) return schedule->peak * (double)(t + 1) / (double)schedule->warmup;
  if (!schedule->cosine || t >= schedule->steps) return schedule->cosine ? 0 : schedule->peak;
  const double fraction = (double)(t - schedule->warmup) / (double)(schedule->steps - schedule->warmup);
  return schedule->peak * 0.5 * (1 + cos(3.14159265358979323846 * fraction));
}
