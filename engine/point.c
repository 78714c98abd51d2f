/* Points: reading their values, which of them count, and the names they go by. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/config.h"
#include "engine/device.h"
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

/* The text of a value in a key: a file by its content, unless `paths`. */
static void key_value(const wal_param *param, const wal_value *value, bool paths, char out[VALUE_TEXT]) {
  wal_file_id id;
  wal_value_format(value, out, VALUE_TEXT);
  if (paths || !(param->flags & WAL_PARAM_FILE)) return;
  bool read = wal_file_identify(value->text, &id) == WAL_OK;
  snprintf(out, VALUE_TEXT, "xxh128 %s", read ? id.xxh128 : "unreadable");
}

/* A precision that is the default says nothing: results are older than the parameter. */
static bool in_key(const wal_point *point, int param) {
  const wal_param *p = &point->experiment->params[param];
  const bool silent = p->flags & WAL_PARAM_PRECISION && strcmp(point->values[param].text, p->standard) == 0;
  return !silent && wal_point_counts(point, param);
}

static char *key_text(const wal_point *point, const wal_device *device, bool paths) {
  const wal_experiment *experiment = point->experiment;
  const wal_param **sorted = malloc(((size_t)experiment->param_count + 1) * sizeof *sorted);
  if (!sorted) return NULL;
  for (int p = 0; p < experiment->param_count; p++) sorted[p] = &experiment->params[p];
  qsort(sorted, (size_t)experiment->param_count, sizeof *sorted, compare_params);
  wal_text key = {0};
  wal_text_add(&key, "experiment %s\nversion %d\nmodels %d\n", experiment->id, experiment->version,
               WAL_MODELS_VERSION);
  if (experiment->devices && !wal_device_is_cpu(device)) wal_text_add(&key, "device %s\n", device->name);
  for (int i = 0; i < experiment->param_count; i++) {
    int param = (int)(sorted[i] - experiment->params);
    if (!in_key(point, param)) continue;
    char text[VALUE_TEXT];
    key_value(sorted[i], &point->values[param], paths, text);
    wal_text_add(&key, "%s=%s\n", sorted[i]->name, text);
  }
  free(sorted);
  return wal_text_steal(&key);
}

char *wal_point_key(const wal_point *point, const wal_device *device) {
  return key_text(point, device, false);
}

char *wal_point_settings(const wal_point *point) { return key_text(point, &wal_device_cpu, true); }

static void add_file(const char *path, wal_text *out) {
  wal_file_id id = {.bytes = -1, .xxh128 = "unreadable"};
  wal_file_identify(path, &id);
  wal_text_add(out, "  ");
  wal_text_add_quoted(out, path);
  wal_text_add(out, ": {bytes: %" PRId64 ", xxh128: %s}\n", id.bytes, id.xxh128);
}

char *wal_config_files(const wal_config *config) {
  wal_text out = {0};
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (!(config->experiment->params[p].flags & WAL_PARAM_FILE)) continue;
    int count = 0, *first = wal_config_distinct(config, p, &count);
    if (!first) out.failed = true;
    if (count > 0) wal_text_add(&out, "%s:\n", config->experiment->params[p].name);
    for (int i = 0; i < count; i++) add_file(config->points[first[i]].values[p].text, &out);
    free(first);
  }
  return wal_text_steal(&out);
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
