/* Points: reading their values, which of them count, and the names they go by. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "engine/config.h"
#include "engine/index.h"
#include "engine/util.h"
#include "models/common/version.h"

enum { VALUE_TEXT = WAL_TEXT_MAX };

/* The value of a declared parameter; asking for another is our own mistake. */
static wal_value value_of(const wal_point *point, const char *name, wal_type type) {
  int param = wal_param_find(point->experiment, name);
  assert(param >= 0 && point->experiment->params[param].type == type);
  if (param < 0 || point->values[param].type != type) {
    return (wal_value){.type = WAL_REAL,
                       .r = NAN}; /* release builds: a missing number rather than a wild read */
  }
  return point->values[param];
}

int64_t wal_point_int(const wal_point *point, const char *name) { return value_of(point, name, WAL_INT).i; }

double wal_point_real(const wal_point *point, const char *name) { return value_of(point, name, WAL_REAL).r; }

bool wal_point_bool(const wal_point *point, const char *name) { return value_of(point, name, WAL_BOOL).b; }

const char *wal_point_text(const wal_point *point, const char *name) {
  int param = wal_param_find(point->experiment, name);
  assert(param >= 0 && point->experiment->params[param].type == WAL_TEXT);
  return param >= 0 && point->values[param].type == WAL_TEXT ? point->values[param].text : "";
}

/* `when` is "NAME=A|B": does the named parameter hold A or B here? */
bool wal_point_counts(const wal_point *point, int param) {
  const char *when = point->experiment->params[param].when;
  if (!when) return true;
  const char *equals = strchr(when, '=');
  assert(equals);
  char name[VALUE_TEXT], found[VALUE_TEXT];
  snprintf(name, sizeof name, "%.*s", (int)(equals - when), when);
  int on = wal_param_find(point->experiment, name);
  assert(on >= 0);
  if (on < 0) return true;
  wal_value_format(&point->values[on], found, sizeof found);
  size_t length = strlen(found);
  for (const char *choice = equals + 1;; choice++) {
    size_t next = strcspn(choice, "|");
    if (next == length && memcmp(choice, found, length) == 0) return true;
    choice += next;
    if (*choice == '\0') return false;
  }
}

int *wal_config_distinct(const wal_config *config, int param, int *count) {
  *count = 0;
  int *first = malloc(((size_t)config->point_count + 1) * sizeof *first);
  wal_index values = {0};
  for (int i = 0; first && i < config->point_count; i++) {
    if (!wal_point_counts(&config->points[i], param)) continue;
    char text[VALUE_TEXT];
    wal_value_format(&config->points[i].values[param], text, sizeof text);
    int number = wal_index_add(&values, text);
    if (number < 0) {
      free(first);
      first = NULL;
    } else if (number == *count) {
      first[(*count)++] = i;
    }
  }
  wal_index_free(&values);
  if (!first) *count = 0;
  return first;
}

bool wal_assignment_holds(const wal_assignment *where, const wal_point *point) {
  for (int i = 0; i < where->count; i++) {
    int param = where->param[i];
    if (!wal_point_counts(point, param)) return false;
    if (!wal_value_equal(&where->value[i], &point->values[param])) return false;
  }
  return true;
}

static int compare_params(const void *a, const void *b) {
  return strcmp((*(const wal_param *const *)a)->name, (*(const wal_param *const *)b)->name);
}

char *wal_point_key(const wal_point *point) {
  const wal_experiment *experiment = point->experiment;
  const wal_param **sorted = malloc(((size_t)experiment->param_count + 1) * sizeof *sorted);
  if (!sorted) return NULL;
  for (int p = 0; p < experiment->param_count; p++) sorted[p] = &experiment->params[p];
  qsort(sorted, (size_t)experiment->param_count, sizeof *sorted, compare_params);
  wal_text key = {0};
  wal_text_add(&key, "experiment %s\nversion %d\nmodels %d\n", experiment->id, experiment->version,
               WAL_MODELS_VERSION);
  for (int i = 0; i < experiment->param_count; i++) {
    int param = (int)(sorted[i] - experiment->params);
    if (!wal_point_counts(point, param)) continue;
    char text[VALUE_TEXT];
    wal_value_format(&point->values[param], text, sizeof text);
    wal_text_add(&key, "%s=%s\n", sorted[i]->name, text);
  }
  free(sorted);
  return wal_text_steal(&key);
}

void wal_point_hash(const wal_point *point, char out[33]) {
  out[0] = '\0';
  char *key = wal_point_key(point);
  if (!key) return;
  XXH128_hash_t hash = XXH3_128bits(key, strlen(key));
  snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64, (uint64_t)hash.low64);
  free(key);
}

void wal_point_label(const wal_config *config, const wal_point *point, char *out, size_t size) {
  wal_text label = {0};
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (!config->swept[p] || !wal_point_counts(point, p)) continue;
    char text[VALUE_TEXT];
    wal_value_format(&point->values[p], text, sizeof text);
    wal_text_add(&label, "%s%s=%s", label.length ? " " : "", config->experiment->params[p].name, text);
  }
  snprintf(out, size, "%s", label.data ? label.data : "");
  wal_text_free(&label);
}
