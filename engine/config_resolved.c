/* The resolved config: a config of the same points, with nothing left to defaults, profiles or flags. */
#include <string.h>

#include "engine/config.h"
#include "engine/util.h"

static void add_value(wal_text *out, const wal_value *value) {
  char text[WAL_TEXT_MAX];
  wal_value_format(value, text, sizeof text);
  if (value->type == WAL_TEXT) {
    wal_text_add_quoted(out, text);
  } else {
    wal_text_add(out, "%s", text);
  }
}

/* The value at the first point where the parameter counts, else at the first point. */
static const wal_value *constant_of(const wal_config *config, int param) {
  for (int i = 0; i < config->point_count; i++) {
    if (wal_point_counts(&config->points[i], param)) return &config->points[i].values[param];
  }
  return &config->points[0].values[param];
}

static void add_constants(const wal_config *config, wal_text *out) {
  int written = 0;
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (config->swept[p]) continue;
    wal_text_add(out, "%s  %s: ", written++ ? "" : "params:\n", config->experiment->params[p].name);
    add_value(out, constant_of(config, p));
    wal_text_add(out, "\n");
  }
}

static void add_point(const wal_config *config, const wal_point *point, wal_text *out) {
  int written = 0;
  wal_text_add(out, "    - {");
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (!config->swept[p] || !wal_point_counts(point, p)) continue;
    wal_text_add(out, "%s%s: ", written++ ? ", " : "", config->experiment->params[p].name);
    add_value(out, &point->values[p]);
  }
  wal_text_add(out, "}\n");
}

char *wal_config_resolved(const wal_config *config) {
  wal_text out = {0};
  wal_text_add(&out, "# profile: %s\nexperiment: %s\nname: %s\ntitle: ",
               *config->profile ? config->profile : "none", config->experiment->id, config->name);
  wal_text_add_quoted(&out, config->title);
  wal_text_add(&out, "\ncaption: ");
  wal_text_add_quoted(&out, config->caption);
  wal_text_add(&out, "\n");
  add_constants(config, &out);
  if (config->point_count > 1) wal_text_add(&out, "sweep:\n  list:\n");
  for (int i = 0; config->point_count > 1 && i < config->point_count; i++)
    add_point(config, &config->points[i], &out);
  return wal_text_steal(&out);
}
