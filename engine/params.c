#include "engine/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/util.h"

const wal_experiment *wal_experiment_find(wal_registry registry, const char *id) {
  for (; *registry; registry++) {
    if (strcmp((*registry)->id, id) == 0) return *registry;
  }
  return NULL;
}

int wal_param_find(const wal_experiment *experiment, const char *name) {
  for (int p = 0; p < experiment->param_count; p++) {
    if (strcmp(experiment->params[p].name, name) == 0) return p;
  }
  return -1;
}

wal_column wal_param_column(const wal_param *param) {
  return (wal_column){param->name, param->type, param->unit, param->doc, WAL_COLUMN_KEY, 0, 0};
}

int wal_param_named(const wal_experiment *experiment, const char *name) {
  int param = wal_param_find(experiment, name);
  const char *dot = strrchr(name, '.');
  char group[WAL_TEXT_MAX];
  if (param >= 0 || !dot || strcmp(dot, ".source") != 0 || dot - name >= WAL_TEXT_MAX) return param;
  snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
  return wal_param_group(experiment, group) ? wal_param_find(experiment, group) : -1;
}

/* ---- Describing ---- */

/* "normal|uniform|beta" as "normal, uniform or beta". */
static void describe_choices(const char *choices, wal_text *out) {
  for (const char *s = choices; *s;) {
    size_t length = strcspn(s, "|");
    bool first = s == choices, last = s[length] == '\0';
    wal_text_add(out, "%s%.*s", first ? "" : last ? " or " : ", ", (int)length, s);
    s += length + !last;
  }
}

static void describe_range(const wal_param *param, wal_text *out) {
  char low[32], high[32];
  wal_value_format(&(wal_value){.type = WAL_REAL, .r = param->min}, low, sizeof low);
  wal_value_format(&(wal_value){.type = WAL_REAL, .r = param->max}, high, sizeof high);
  wal_text_add(out, param->type == WAL_INT ? "an integer" : "a number");
  bool bounded = isfinite(param->min) || isfinite(param->max);
  if (isfinite(param->min) && isfinite(param->max)) {
    wal_text_add(out, " from %s to %s", low, high);
  } else if (bounded) {
    wal_text_add(out, " of at %s %s", isfinite(param->min) ? "least" : "most",
                 isfinite(param->min) ? low : high);
  }
  if (param->unit && strcmp(param->unit, "1") != 0)
    wal_text_add(out, "%s %s", bounded ? "" : " in", param->unit);
}

void wal_param_expected(const wal_param *param, char *out, size_t size) {
  wal_text text = {0};
  if (param->type == WAL_TEXT && param->choices) {
    describe_choices(param->choices, &text);
  } else if (param->flags & WAL_PARAM_FILE) {
    wal_text_add(&text, "the path of a file");
  } else if (param->type == WAL_TEXT) {
    wal_text_add(&text, "a text");
  } else if (param->type == WAL_BOOL) {
    wal_text_add(&text, "true or false");
  } else {
    describe_range(param, &text);
  }
  snprintf(out, size, "%s", text.failed || !text.data ? wal_type_name(param->type) : text.data);
  wal_text_free(&text);
}

/* ---- Reading ---- */

static bool in_range(const wal_param *param, const wal_value *value) {
  if (param->type != WAL_INT && param->type != WAL_REAL) return true;
  double number = param->type == WAL_INT ? (double)value->i : value->r;
  return number >= param->min && number <= param->max;
}

static bool is_choice(const char *choices, const char *text) {
  size_t length = strlen(text);
  for (const char *s = choices; length > 0; s++) {
    size_t next = strcspn(s, "|");
    if (next == length && memcmp(s, text, length) == 0) return true;
    s += next;
    if (*s == '\0') break;
  }
  return false;
}

/* The choice closest to a text; "" for none. */
static void closest_choice(const char *choices, const char *text, char *out, size_t size) {
  enum { CHOICES_MAX = 64 };
  const char *names[CHOICES_MAX];
  int count = 0;
  out[0] = '\0';
  char *copy = strdup(choices), *rest = NULL;
  if (!copy) return;
  for (char *name = strtok_r(copy, "|", &rest); name && count < CHOICES_MAX;
       name = strtok_r(NULL, "|", &rest)) {
    names[count++] = name;
  }
  const char *best = wal_did_you_mean(text, names, count);
  snprintf(out, size, "%s", best ? best : "");
  free(copy);
}

wal_status wal_param_read(const wal_param *param, const char *text, wal_value *out) {
  char expected[512];
  wal_param_expected(param, expected, sizeof expected);
  wal_status status = wal_value_parse(param->type, text, out);
  if (status != WAL_OK) {
    return wal_fail(status, "%s: %s; expected %s (%s works)", param->name, wal_error(), expected,
                    param->standard);
  }
  if (!in_range(param, out)) {
    char found[64];
    wal_value_format(out, found, sizeof found);
    return wal_fail(WAL_E_INPUT, "%s is %s; expected %s (%s works)", param->name, found, expected,
                    param->standard);
  }
  if (param->type != WAL_TEXT || !param->choices || is_choice(param->choices, out->text)) return WAL_OK;
  char close[64];
  closest_choice(param->choices, out->text, close, sizeof close);
  if (!*close) {
    return wal_fail(WAL_E_INPUT, "%s is \"%.60s\"; expected %s", param->name, out->text, expected);
  }
  return wal_fail(WAL_E_INPUT, "%s is \"%.60s\"; expected %s; did you mean \"%s\"?", param->name, out->text,
                  expected, close);
}

wal_status wal_param_defaults(const wal_experiment *experiment, wal_value *values) {
  for (int p = 0; p < experiment->param_count; p++) {
    const wal_param *param = &experiment->params[p];
    if (wal_param_read(param, param->standard, &values[p]) != WAL_OK) {
      return wal_fail(WAL_E_INTERNAL, "%s: the default breaks its own rule: %s", experiment->id, wal_error());
    }
  }
  return WAL_OK;
}

/* ---- Names ---- */

size_t wal_param_component(const char *name, const char *group, const char **at) {
  size_t length = strlen(group);
  if (length > 0) {
    if (strncmp(name, group, length) != 0 || name[length] != '.') return 0;
    name += length + 1;
  }
  *at = name;
  return strcspn(name, ".");
}

bool wal_param_group(const wal_experiment *experiment, const char *group) {
  const char *at;
  for (int p = 0; p < experiment->param_count; p++) {
    if (wal_param_component(experiment->params[p].name, group, &at) > 0) return true;
  }
  return false;
}

/* `close`: what may have been meant; NULL: nothing known. */
static wal_status fail_unknown(const char *kind, const char *word, const char *owner, const char *close,
                               const char *const names[], int count) {
  enum { LIST_MAX = 400 }; /* bytes */
  wal_text list = {0};
  for (int i = 0; i < count && list.length < LIST_MAX; i++)
    wal_text_add(&list, "%s%s", i ? ", " : "", names[i]);
  if (list.length >= LIST_MAX) wal_text_add(&list, ", ...");
  const char *has = list.data ? list.data : "none";
  wal_status status =
      close ? wal_fail(WAL_E_INPUT, "unknown %s \"%.60s\" of %s; did you mean \"%s\"? It has %s", kind, word,
                       owner, close, has)
            : wal_fail(WAL_E_INPUT, "unknown %s \"%.60s\" of %s; it has %s", kind, word, owner, has);
  wal_text_free(&list);
  return status;
}

wal_status wal_fail_unknown(const char *kind, const char *word, const char *owner, const char *const names[],
                            int count) {
  return fail_unknown(kind, word, owner, wal_did_you_mean(word, names, count), names, count);
}

/* Fills names[] with the distinct components below a group, or with whole names; owned. Returns how many. */
static int candidates(const wal_experiment *experiment, const char *group, bool whole, char **names) {
  int count = 0;
  if (*group && wal_param_find(experiment, group) >= 0 && (names[0] = strdup("source"))) count++;
  for (int p = 0; p < experiment->param_count; p++) {
    const char *at;
    size_t length = wal_param_component(experiment->params[p].name, group, &at);
    if (length == 0) continue;
    char *name = whole ? strdup(at) : strndup(at, length);
    if (!name) return count;
    bool known = false;
    for (int i = 0; i < count; i++) known = known || strcmp(names[i], name) == 0;
    if (known) {
      free(name);
    } else {
      names[count++] = name;
    }
  }
  return count;
}

/* "fc.width" for "width": the first parameter whose name ends so. */
static const char *find_by_leaf(const wal_experiment *experiment, const char *leaf) {
  for (int p = 0; p < experiment->param_count; p++) {
    const char *dot = strrchr(experiment->params[p].name, '.');
    if (dot && strcmp(dot + 1, leaf) == 0) return experiment->params[p].name;
  }
  return NULL;
}

/* A group stands where one of its parameters is expected. */
static wal_status fail_group(const wal_experiment *experiment, const char *group) {
  wal_text members = {0};
  const char *at;
  for (int p = 0; p < experiment->param_count; p++)
    if (wal_param_component(experiment->params[p].name, group, &at) > 0)
      wal_text_add(&members, "%s%s", members.length > 0 ? ", " : "", experiment->params[p].name);
  wal_status status = wal_fail(WAL_E_INPUT, "\"%s\" is a group of %s; expected one of its parameters: %s",
                               group, experiment->id, members.data ? members.data : "none");
  wal_text_free(&members);
  return status;
}

wal_status wal_fail_unknown_param(const wal_experiment *experiment, const char *group, const char *word) {
  if (!*group && *word && wal_param_group(experiment, word)) return fail_group(experiment, word);
  char **names = calloc((size_t)experiment->param_count + 1, sizeof *names);
  int count = names ? candidates(experiment, group, strchr(word, '.') != NULL, names) : 0;
  const char *owner = *group ? group : experiment->id;
  const char *close = *group ? NULL : find_by_leaf(experiment, word);
  if (!close) close = wal_did_you_mean(word, (const char *const *)names, count);
  wal_status status = fail_unknown("parameter", word, owner, close, (const char *const *)names, count);
  for (int i = 0; i < count; i++) free(names[i]);
  free(names);
  return status;
}
