#include "engine/precision.h"

#include <string.h>

static bool is_precision(const wal_point *point, int param) {
  return point->experiment->params[param].flags & WAL_PARAM_PRECISION && wal_point_counts(point, param);
}

wal_status wal_precision_check(const wal_point *point, const wal_device *device) {
  if (!wal_device_is_cpu(device) || point->experiment->any_precision) return WAL_OK;
  for (int p = 0; p < point->experiment->param_count; p++) {
    const wal_param *param = &point->experiment->params[p];
    if (!is_precision(point, p) || strcmp(point->values[p].text, param->standard) == 0) continue;
    return wal_fail(
        WAL_E_UNSUPPORTED,
        "%s=%s needs a GPU, and the device is cpu; expected %s=%s, or --device cuda where there is one",
        param->name, point->values[p].text, param->name, param->standard);
  }
  return WAL_OK;
}

enum { MOST = 8 }; /* number formats */

/* Adds a word that is not in the list yet. */
static int add_once(const char *words[MOST], int count, const char *word) {
  for (int i = 0; i < count; i++)
    if (strcmp(words[i], word) == 0) return count;
  if (count < MOST) words[count++] = word;
  return count;
}

void wal_precision_text(const wal_point *points, int count, const wal_device *device, char *out,
                        size_t size) {
  const char *words[MOST] = {"float32"};
  int found = 0;
  for (int i = 0; i < count && !wal_device_is_cpu(device); i++)
    for (int p = 0; p < points[i].experiment->param_count; p++)
      if (is_precision(&points[i], p)) found = add_once(words, found, points[i].values[p].text);
  int used = snprintf(out, size, "double precision, networks in %s", words[0]);
  for (int i = 1; i < found && (size_t)used < size; i++)
    used += snprintf(out + used, size - (size_t)used, ", %s", words[i]);
}
