#include "engine/config_read.h"

#include <stdlib.h>
#include <string.h>

#include "engine/params.h"
#include "engine/util.h"

wal_status wal_fail_at(const wal_reader *reader, const wal_node *node, wal_status status) {
  if (status != WAL_E_INPUT) return status;
  return wal_node_fail(reader->yaml, node, "%s", wal_error());
}

static const char *kind_name(wal_node_kind kind) {
  switch (kind) {
    case WAL_NODE_SCALAR:
      return "a single value";
    case WAL_NODE_LIST:
      return "a list";
    case WAL_NODE_MAP:
      return "a mapping";
  }
  return "something else";
}

wal_status wal_expect(const wal_reader *reader, const wal_node *node, wal_node_kind kind, const char *what,
                      const char *example) {
  if (node->kind == kind) return WAL_OK;
  bool empty = node->kind == WAL_NODE_SCALAR && *node->text == '\0' && !node->quoted;
  return wal_node_fail(reader->yaml, node, "%s is %s; expected %s (%s for example)%s", what,
                       empty ? "empty" : kind_name(node->kind), kind_name(kind), example,
                       empty ? " or no such line" : "");
}

/* A parameter is most often merely one level too high. */
static wal_status fail_unknown_key(const wal_reader *reader, const wal_node *key, const char *what,
                                   const char *const keys[], int count) {
  const wal_experiment *experiment = reader->experiment;
  if (wal_param_find(experiment, key->text) < 0 && !wal_param_group(experiment, key->text)) {
    return wal_fail_at(reader, key, wal_fail_unknown("key", key->text, what, keys, count));
  }
  return wal_node_fail(
      reader->yaml, key,
      "\"%s\" is a parameter, no key of %s; parameters go inside params, grid, zip, list or draw", key->text,
      what);
}

wal_status wal_expect_keys(const wal_reader *reader, const wal_node *map, const char *what,
                           const char *example, const char *const keys[], int count) {
  wal_status status = wal_expect(reader, map, WAL_NODE_MAP, what, example);
  if (status != WAL_OK) return status;
  for (int i = 0; i < map->count; i++) {
    bool known = false;
    for (int k = 0; k < count; k++) known = known || strcmp(map->keys[i]->text, keys[k]) == 0;
    if (!known) return fail_unknown_key(reader, map->keys[i], what, keys, count);
  }
  return WAL_OK;
}

wal_status wal_locate_file(const wal_param *param, const char *folder, wal_value *value) {
  if (!(param->flags & WAL_PARAM_FILE) || !*value->text) return WAL_OK;
  char *path = wal_path_resolve(folder, value->text);
  if (!path) return wal_fail(WAL_E_MEMORY, "no memory for the path of %s", param->name);
  wal_status status = wal_value_parse(WAL_TEXT, path, value);
  free(path);
  return status ? wal_fail_in(status, "%s: ", param->name) : status;
}

wal_status wal_read_value(const wal_reader *reader, int param, const wal_node *node, wal_value *out) {
  const wal_param *as = &reader->experiment->params[param];
  char expected[512];
  wal_param_expected(as, expected, sizeof expected);
  if (node->kind != WAL_NODE_SCALAR) {
    return wal_node_fail(reader->yaml, node, "%s is %s; expected %s (%s works)%s", as->name,
                         kind_name(node->kind), expected, *as->standard ? as->standard : "data.h5",
                         node->kind == WAL_NODE_LIST ? "; several values go under sweep: grid:" : "");
  }
  if (node->quoted && as->type != WAL_TEXT) {
    return wal_node_fail(reader->yaml, node,
                         "%s is the quoted text \"%.60s\"; expected %s without quotes (%s works)", as->name,
                         node->text, expected, as->standard);
  }
  wal_status status = wal_param_read(as, node->text, out);
  if (status == WAL_OK) status = wal_locate_file(as, reader->folder, out);
  return wal_fail_at(reader, node, status);
}

/* Reads a number that is no parameter of the experiment by the same rules, as if declared here. */
static wal_status read_number(const wal_reader *reader, const wal_node *node, const wal_param *as,
                              wal_value *out) {
  wal_experiment one = {.id = as->name, .params = as, .param_count = 1};
  wal_reader alone = {.yaml = reader->yaml, .experiment = &one};
  return wal_read_value(&alone, 0, node, out);
}

wal_status wal_read_real(const wal_reader *reader, const wal_node *node, const char *what, double min,
                         double max, double *out) {
  wal_param as = {.name = what, .type = WAL_REAL, .standard = "1", .min = min, .max = max};
  wal_value value;
  wal_status status = read_number(reader, node, &as, &value);
  if (status == WAL_OK) *out = value.r;
  return status;
}

wal_status wal_read_int(const wal_reader *reader, const wal_node *node, const char *what, int64_t min,
                        int64_t max, int64_t *out) {
  wal_param as = {.name = what, .type = WAL_INT, .standard = "10", .min = (double)min, .max = (double)max};
  wal_value value;
  wal_status status = read_number(reader, node, &as, &value);
  if (status == WAL_OK) *out = value.i;
  return status;
}

wal_status wal_read_text(const wal_reader *reader, const wal_node *node, const char *what,
                         const char *example, char **out) {
  wal_status status = wal_expect(reader, node, WAL_NODE_SCALAR, what, example);
  if (status != WAL_OK) return status;
  char *copy = strdup(node->text);
  if (!copy) return wal_fail(WAL_E_MEMORY, "no memory for %s", what);
  free(*out);
  *out = copy;
  return WAL_OK;
}

/* ---- Mappings of parameters ---- */

typedef struct {
  const wal_reader *reader;
  const char *what;
  wal_param_visit visit;
  void *context;
  const wal_node **seen; /* [param_count] where a parameter was met */
} walk;

static wal_status walk_map(const walk *w, const wal_node *map, const char *group);

/* One entry: a parameter, or a group of them. */
static wal_status walk_entry(const walk *w, const wal_node *key, const wal_node *value, const char *group) {
  char name[WAL_TEXT_MAX];
  int length = snprintf(name, sizeof name, "%s%s%s", group, *group ? "." : "", key->text);
  bool fits = length < (int)sizeof name;
  int param = fits ? wal_param_named(w->reader->experiment, name) : -1;
  bool inside = value->kind == WAL_NODE_MAP || param < 0;
  if (inside && fits && wal_param_group(w->reader->experiment, name)) return walk_map(w, value, name);
  if (param < 0) {
    return wal_fail_at(w->reader, key, wal_fail_unknown_param(w->reader->experiment, group, key->text));
  }
  if (w->seen[param]) {
    return wal_node_fail(w->reader->yaml, key, "%s is given twice, first at %d:%d; keep one",
                         w->reader->experiment->params[param].name, w->seen[param]->line,
                         w->seen[param]->column);
  }
  w->seen[param] = key;
  return w->visit(w->context, param, value);
}

/* "{width: 64}": the first parameter below a group, with its default. */
static void example_of(const wal_experiment *experiment, const char *group, char *out, size_t size) {
  const char *at = "name", *standard = "value";
  for (int p = 0; p < experiment->param_count; p++) {
    if (wal_param_component(experiment->params[p].name, group, &at) == 0) continue;
    standard = experiment->params[p].standard;
    break;
  }
  snprintf(out, size, "{%.24s: %.24s}", at, standard);
}

static wal_status walk_map(const walk *w, const wal_node *map, const char *group) {
  char example[64];
  example_of(w->reader->experiment, group, example, sizeof example);
  wal_status status = wal_expect(w->reader, map, WAL_NODE_MAP, *group ? group : w->what, example);
  for (int i = 0; status == WAL_OK && i < map->count; i++) {
    status = walk_entry(w, map->keys[i], map->items[i], group);
  }
  return status;
}

wal_status wal_read_params(const wal_reader *reader, const wal_node *map, const char *what,
                           wal_param_visit visit, void *context) {
  walk w = {.reader = reader, .what = what, .visit = visit, .context = context};
  w.seen = calloc((size_t)reader->experiment->param_count + 1, sizeof *w.seen);
  if (!w.seen) return wal_fail(WAL_E_MEMORY, "no memory to read the parameters");
  wal_status status = walk_map(&w, map, "");
  free(w.seen);
  return status;
}

/* ---- Assignments ---- */

bool wal_assignment_add(wal_assignment *assignment, int param, const wal_value *value) {
  size_t count = (size_t)assignment->count + 1;
  int *params = realloc(assignment->param, count * sizeof *params);
  if (params) assignment->param = params;
  wal_value *values = realloc(assignment->value, count * sizeof *values);
  if (values) assignment->value = values;
  if (!params || !values) return false;
  assignment->param[assignment->count] = param;
  assignment->value[assignment->count++] = *value;
  return true;
}

void wal_assignment_drop(wal_assignment *assignment, int param) {
  int kept = 0;
  for (int i = 0; i < assignment->count; i++) {
    if (assignment->param[i] == param) continue;
    assignment->param[kept] = assignment->param[i];
    assignment->value[kept++] = assignment->value[i];
  }
  assignment->count = kept;
}

void wal_assignment_free(wal_assignment *assignment) {
  free(assignment->param);
  free(assignment->value);
  *assignment = (wal_assignment){0};
}

typedef struct {
  const wal_reader *reader;
  wal_assignment *out;
} assigning;

static wal_status assign(void *context, int param, const wal_node *node) {
  const assigning *a = context;
  wal_value value;
  wal_status status = wal_read_value(a->reader, param, node, &value);
  if (status != WAL_OK) return status;
  return wal_assignment_add(a->out, param, &value) ? WAL_OK
                                                   : wal_fail(WAL_E_MEMORY, "no memory for a parameter");
}

wal_status wal_read_assignment(const wal_reader *reader, const wal_node *map, const char *what,
                               wal_assignment *out) {
  *out = (wal_assignment){0};
  assigning a = {.reader = reader, .out = out};
  wal_status status = wal_read_params(reader, map, what, assign, &a);
  if (status != WAL_OK) wal_assignment_free(out);
  return status;
}
