#include "engine/config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/config_read.h"
#include "engine/params.h"
#include "engine/sweep.h"
#include "engine/util.h"

static wal_status no_memory(void) { return wal_fail(WAL_E_MEMORY, "no memory for the config"); }

/* What is known while a config is read. */
typedef struct {
  wal_reader reader;
  const wal_node *root;
  const wal_node *profile; /* the chosen one; NULL: none */
  wal_value *base;         /* [param_count] defaults, then params, the profile's params and --set */
  wal_sweep sweep;
  const wal_node *sweep_node; /* NULL: no sweep */
  bool check_files;           /* those that parameters name are there: not asked of a stored config */
  wal_config *config;
} builder;

/* ---- Texts ---- */

/* Names become paths below results/ and plots/: components of letters, digits, "_", "-" and ".". */
static bool is_safe_name(const char *name) {
  const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  for (;;) {
    size_t length = strspn(name, allowed);
    if (length == 0 || length > 100 || *name == '.') return false;
    if (name[length] == '\0') return true;
    if (name[length] != '/') return false;
    name += length + 1;
  }
}

/* "x/configs/my/sweep.yaml" gives "my/sweep"; outside a configs folder the file's own name. */
static char *name_of_path(const char *path) {
  const char *start = NULL;
  for (const char *at = path; (at = strstr(at, "configs/")) != NULL; at++) {
    if (at == path || at[-1] == '/') start = at + strlen("configs/");
  }
  const char *slash = strrchr(path, '/');
  if (!start) start = slash ? slash + 1 : path;
  const char *dot = strrchr(start, '.');
  bool suffixed = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
  return suffixed ? strndup(start, (size_t)(dot - start)) : strdup(start);
}

static wal_status read_name(const builder *in) {
  const wal_node *node = wal_node_get(in->root, "name");
  wal_config *config = in->config;
  if (node) {
    wal_status status = wal_read_text(&in->reader, node, "name", "my/sweep", &config->name);
    if (status != WAL_OK) return status;
  } else if (!(config->name = name_of_path(config->path))) {
    return no_memory();
  }
  if (is_safe_name(config->name)) return WAL_OK;
  return wal_node_fail(
      in->reader.yaml, node ? node : in->root,
      "the name \"%.60s\"%s does not do as a path; expected letters, digits, \"_\", \"-\" and \"/\" "
      "(name: my/sweep for example)",
      config->name, node ? "" : ", taken from the file's,");
}

static wal_status read_texts(const builder *in) {
  wal_config *config = in->config;
  const wal_node *title = wal_node_get(in->root, "title"), *caption = wal_node_get(in->root, "caption");
  if (in->profile && wal_node_get(in->profile, "caption")) caption = wal_node_get(in->profile, "caption");
  if (!(config->title = strdup(config->experiment->title)) || !(config->caption = strdup("")))
    return no_memory();
  wal_status status = title ? wal_read_text(&in->reader, title, "title", "My sweep", &config->title) : WAL_OK;
  if (status == WAL_OK && caption)
    status = wal_read_text(&in->reader, caption, "caption", "Reduced size.", &config->caption);
  return status == WAL_OK ? read_name(in) : status;
}

/* ---- Experiment ---- */

static wal_status fail_unknown_experiment(const wal_yaml *yaml, const wal_node *node, wal_registry registry) {
  enum { IDS_MAX = 128 };
  const char *ids[IDS_MAX];
  int count = 0;
  for (; count < IDS_MAX && registry[count]; count++) ids[count] = registry[count]->id;
  const char *close = wal_did_you_mean(node->text, ids, count);
  return wal_node_fail(yaml, node, "unknown experiment \"%.60s\"; %s%s%s\"walras list\" shows all",
                       node->text, close ? "did you mean \"" : "", close ? close : "", close ? "\"? " : "");
}

static wal_status read_experiment(builder *in, wal_registry registry) {
  const wal_yaml *yaml = in->reader.yaml;
  if (in->root->kind != WAL_NODE_MAP) {
    return wal_node_fail(yaml, in->root, "expected a config that begins with \"experiment: PAPER/FIGURE\"");
  }
  const wal_node *node = wal_node_get(in->root, "experiment");
  if (!node) {
    return wal_node_fail(yaml, in->root,
                         "no \"experiment\"; expected \"experiment: %s\" for example (walras list shows all)",
                         registry[0] ? registry[0]->id : "PAPER/FIGURE");
  }
  wal_status status = wal_expect(&in->reader, node, WAL_NODE_SCALAR, "experiment", "marketfcnet/table1");
  if (status != WAL_OK) return status;
  const wal_experiment *experiment = wal_experiment_find(registry, node->text);
  if (!experiment) return fail_unknown_experiment(yaml, node, registry);
  in->reader.experiment = in->config->experiment = experiment;
  in->base = calloc((size_t)experiment->param_count + 1, sizeof *in->base);
  return in->base ? wal_param_defaults(experiment, in->base) : no_memory();
}

/* ---- Parameters and profiles ---- */

static wal_status read_params(const wal_reader *reader, const wal_node *node, wal_value *values) {
  wal_assignment assignment;
  wal_status status = wal_read_assignment(reader, node, "params", &assignment);
  if (status != WAL_OK) return status;
  for (int i = 0; i < assignment.count; i++) values[assignment.param[i]] = assignment.value[i];
  wal_assignment_free(&assignment);
  return WAL_OK;
}

/* Checks one profile, chosen or not. */
static wal_status check_profile(const builder *in, const wal_node *profile) {
  static const char *const keys[] = {"params", "sweep", "caption", "expect_s"};
  const wal_reader *reader = &in->reader;
  wal_status status = wal_expect_keys(reader, profile, "a profile", "{params: {seed: 1}}", keys, 4);
  const wal_node *params = wal_node_get(profile, "params"), *sweep_node = wal_node_get(profile, "sweep");
  const wal_node *caption = wal_node_get(profile, "caption"), *expect_s = wal_node_get(profile, "expect_s");
  if (status == WAL_OK && params) {
    wal_assignment assignment = {0};
    status = wal_read_assignment(reader, params, "params", &assignment);
    wal_assignment_free(&assignment);
  }
  if (status == WAL_OK && sweep_node) {
    wal_sweep sweep;
    status = wal_sweep_read(reader, sweep_node, &sweep);
    if (status == WAL_OK) wal_sweep_free(&sweep);
  }
  if (status == WAL_OK && caption)
    status = wal_expect(reader, caption, WAL_NODE_SCALAR, "caption", "Reduced size.");
  double seconds;
  if (status == WAL_OK && expect_s) status = wal_read_real(reader, expect_s, "expect_s", 0, 1e9, &seconds);
  return status;
}

static wal_status check_profiles(const builder *in, const wal_node *profiles) {
  wal_status status =
      wal_expect(&in->reader, profiles, WAL_NODE_MAP, "profiles", "{ci: {params: {seed: 1}}}");
  for (int i = 0; status == WAL_OK && i < profiles->count; i++)
    status = check_profile(in, profiles->items[i]);
  return status;
}

static wal_status fail_unknown_profile(const builder *in, const wal_node *profiles, const char *name) {
  const char *path = in->config->path;
  if (!profiles || profiles->count == 0) {
    return wal_fail(WAL_E_INPUT, "%s: no profile \"%.60s\": the file has no profiles; run it without one",
                    path, name);
  }
  const char **names = calloc((size_t)profiles->count, sizeof *names);
  if (!names) return no_memory();
  for (int i = 0; i < profiles->count; i++) names[i] = profiles->keys[i]->text;
  wal_status status = wal_fail_unknown("profile", name, path, names, profiles->count);
  free(names);
  return status;
}

/* NULL or "" asks for "ci" where the file has it. */
static wal_status choose_profile(builder *in, const char *name) {
  const wal_node *profiles = wal_node_get(in->root, "profiles");
  wal_status status = profiles ? check_profiles(in, profiles) : WAL_OK;
  if (status != WAL_OK) return status;
  bool asked = name && *name;
  if (!asked) name = "ci";
  in->profile = profiles ? wal_node_get(profiles, name) : NULL;
  if (!in->profile && asked) return fail_unknown_profile(in, profiles, name);
  in->config->profile = strdup(in->profile ? name : "");
  return in->config->profile ? WAL_OK : no_memory();
}

/* The file's params, then the profile's; the profile's sweep instead of the file's. */
static wal_status read_values(builder *in) {
  const wal_node *params = wal_node_get(in->root, "params");
  const wal_node *ours = in->profile ? wal_node_get(in->profile, "params") : NULL;
  const wal_node *expect_s = in->profile ? wal_node_get(in->profile, "expect_s") : NULL;
  wal_status status = params ? read_params(&in->reader, params, in->base) : WAL_OK;
  if (status == WAL_OK && ours) status = read_params(&in->reader, ours, in->base);
  if (status == WAL_OK && expect_s) {
    status = wal_read_real(&in->reader, expect_s, "expect_s", 0, 1e9, &in->config->expect_s);
  }
  in->sweep_node = wal_node_get(in->root, "sweep");
  /* Also checked when a profile replaces it: an error waits for nobody. */
  if (status == WAL_OK) status = wal_sweep_read(&in->reader, in->sweep_node, &in->sweep);
  const wal_node *sweep = in->profile ? wal_node_get(in->profile, "sweep") : NULL;
  if (status != WAL_OK || !sweep) return status;
  wal_sweep_free(&in->sweep);
  in->sweep_node = sweep;
  return wal_sweep_read(&in->reader, sweep, &in->sweep);
}

/* ---- --set NAME=VALUE, NAME=V1,V2 ---- */

/* Reads the comma-separated values, cutting `text` in place. */
static wal_status read_set_values(const wal_param *param, char *text, wal_axis *axis) {
  for (bool more = true; more;) {
    size_t length = strcspn(text, ",");
    more = text[length] == ',';
    text[length] = '\0';
    wal_value value;
    wal_status status = wal_param_read(param, text, &value);
    if (status == WAL_OK) status = wal_locate_file(param, "", &value);
    if (status != WAL_OK) return status;
    if (!wal_axis_add(axis, &value)) return no_memory();
    text += length + 1;
  }
  return WAL_OK;
}

static wal_status apply_axis(builder *in, char *values, wal_axis *axis) {
  wal_status status = read_set_values(&in->reader.experiment->params[axis->param], values, axis);
  if (status == WAL_OK) status = wal_sweep_set(&in->sweep, axis);
  if (status == WAL_OK) in->base[axis->param] = axis->values[0];
  return status;
}

/* `text` is cut in place. */
static wal_status apply_set_text(builder *in, char *text) {
  char *equals = strchr(text, '=');
  if (!equals) return wal_fail(WAL_E_INPUT, "expected NAME=VALUE or NAME=V1,V2 (seed=1,2,3 for example)");
  *equals = '\0';
  wal_axis axis = {.param = wal_param_named(in->reader.experiment, text)};
  if (axis.param < 0) return wal_fail_unknown_param(in->reader.experiment, "", text);
  wal_status status = apply_axis(in, equals + 1, &axis);
  wal_axis_free(&axis);
  return status;
}

static wal_status apply_set(builder *in, const char *set) {
  char *copy = strdup(set);
  if (!copy) return no_memory();
  wal_status status = apply_set_text(in, copy);
  free(copy);
  return status == WAL_OK ? status : wal_fail_in(status, "--set %.80s: ", set);
}

static wal_status apply_sets(builder *in, const char *const sets[], int count) {
  wal_text all = {0};
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < count; i++) {
    status = apply_set(in, sets[i]);
    wal_text_add(&all, "%s%s", i ? "\n" : "", sets[i]);
  }
  if (count > 0) in->config->expect_s = NAN; /* it was measured without them */
  in->config->sets = wal_text_steal(&all);
  return status == WAL_OK && !in->config->sets ? no_memory() : status;
}

/* ---- Points ---- */

/* Only the points where a parameter counts say whether it is swept. */
static bool is_swept(const wal_config *config, int param) {
  const wal_point *first = NULL;
  for (int i = 0; i < config->point_count; i++) {
    const wal_point *point = &config->points[i];
    if (!wal_point_counts(point, param)) continue;
    if (!first) first = point;
    if (!wal_value_equal(&first->values[param], &point->values[param])) return true;
  }
  return false;
}

static wal_status expand(builder *in) {
  wal_config *config = in->config;
  wal_status status =
      wal_sweep_expand(&in->sweep, config->experiment, in->base, &config->points, &config->point_count);
  if (status != WAL_OK) return in->sweep_node ? wal_fail_at(&in->reader, in->sweep_node, status) : status;
  config->swept = calloc((size_t)config->experiment->param_count + 1, sizeof *config->swept);
  if (!config->swept) return no_memory();
  for (int p = 0; p < config->experiment->param_count; p++) config->swept[p] = is_swept(config, p);
  return WAL_OK;
}

/* ---- Files ---- */

/* The first --set flag that sets the parameter; NULL: none. */
static const char *set_of(const builder *in, int param, const char *const sets[], int count) {
  for (int i = 0; i < count; i++) {
    char name[WAL_TEXT_MAX];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(sets[i], "="), sets[i]);
    if (wal_param_named(in->reader.experiment, name) == param) return sets[i];
  }
  return NULL;
}

/* The first scalar below a node that names the file; NULL: none. */
static const wal_node *node_of(const builder *in, const wal_node *node, const char *path) {
  if (node->kind == WAL_NODE_SCALAR) {
    char *found = *node->text ? wal_path_resolve(in->reader.folder, node->text) : NULL;
    bool same = found && strcmp(found, path) == 0;
    free(found);
    return same ? node : NULL;
  }
  const wal_node *found = NULL;
  for (int i = 0; i < node->count && !found; i++) found = node_of(in, node->items[i], path);
  return found;
}

static wal_status check_file(const builder *in, int param, const char *path, const char *set) {
  const wal_param *as = &in->reader.experiment->params[param];
  if (!*path)
    return wal_fail(WAL_E_INPUT, "%s: %s counts when %s, but names no file; --set %s=data.h5 does",
                    in->config->path, as->name, as->when ? as->when : "nothing else is said", as->name);
  wal_status status = wal_file_check(path);
  if (status == WAL_OK) return status;
  if (set)
    return wal_fail(status, "--set %.200s: %s; with --set a path is relative to the working directory", set,
                    wal_error());
  wal_fail(status, "%s: %s; in a config a path is relative to the config's folder", as->name, wal_error());
  const wal_node *node = node_of(in, in->root, path);
  return node ? wal_fail_at(&in->reader, node, status) : status;
}

/* A file that is named and read nowhere: a forgotten `source: file` would mean the default in silence. --set
   may switch it off. */
static wal_status check_unread(const builder *in, int param, const char *const sets[], int set_count) {
  const wal_param *as = &in->reader.experiment->params[param];
  const char *path = in->config->point_count ? in->config->points[0].values[param].text : "";
  char other[WAL_TEXT_MAX];
  snprintf(other, sizeof other, "%.*s", as->when ? (int)strcspn(as->when, "=") : 0, as->when ? as->when : "");
  const int decides = wal_param_named(in->reader.experiment, other);
  if (!*path || decides < 0 || set_of(in, decides, sets, set_count)) return WAL_OK;
  const wal_status status =
      wal_fail(WAL_E_INPUT, "%s names a file that no point reads; it counts when %s", as->name, as->when);
  const wal_node *node = node_of(in, in->root, path);
  return node ? wal_fail_at(&in->reader, node, status) : status;
}

/* Every file that counts at some point can be read. */
static wal_status check_files(const builder *in, const char *const sets[], int set_count) {
  const wal_config *config = in->config;
  wal_status status = WAL_OK;
  for (int p = 0; p < config->experiment->param_count && !status; p++) {
    if (!(config->experiment->params[p].flags & WAL_PARAM_FILE)) continue;
    int count = 0, *first = wal_config_distinct(config, p, &count);
    if (!first) return no_memory();
    const char *set = set_of(in, p, sets, set_count);
    if (count == 0) status = check_unread(in, p, sets, set_count);
    for (int i = 0; i < count && !status; i++)
      status = check_file(in, p, config->points[first[i]].values[p].text, set);
    free(first);
  }
  return status;
}

/* ---- The whole ---- */

static wal_status build(builder *in, const char *profile, const char *const sets[], int set_count,
                        wal_registry registry) {
  wal_config *config = in->config;
  static const char *const keys[] = {"experiment", "name",     "title",     "caption",   "params",
                                     "sweep",      "profiles", "published", "regression"};
  wal_status status = read_experiment(in, registry);
  if (status == WAL_OK) status = wal_expect_keys(&in->reader, in->root, "a config", "", keys, 9);
  if (status == WAL_OK) status = choose_profile(in, profile);
  if (status == WAL_OK) status = read_texts(in);
  if (status == WAL_OK) status = read_values(in);
  if (status == WAL_OK) status = apply_sets(in, sets, set_count);
  if (status == WAL_OK) status = wal_read_published(&in->reader, in->root, config);
  if (status == WAL_OK) status = wal_read_regression(&in->reader, in->root, config);
  if (status == WAL_OK) status = expand(in);
  return status == WAL_OK && in->check_files ? check_files(in, sets, set_count) : status;
}

static wal_status build_config(const wal_yaml *yaml, const char *path, bool check_files, const char *profile,
                               const char *const sets[], int set_count, wal_registry registry,
                               wal_config **out) {
  wal_config *config = calloc(1, sizeof *config);
  if (!config) return no_memory();
  config->expect_s = NAN;
  config->path = strdup(path);
  config->yaml = strdup(wal_yaml_text(yaml));
  const char *slash = strrchr(path, '/');
  char *folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
  builder in = {.reader = {.yaml = yaml, .folder = folder},
                .root = wal_yaml_root(yaml),
                .check_files = check_files,
                .config = config};
  bool complete = config->path && config->yaml && folder;
  wal_status status = complete ? build(&in, profile, sets, set_count, registry) : no_memory();
  free(folder);
  free(in.base);
  wal_sweep_free(&in.sweep);
  if (status == WAL_OK) {
    *out = config;
  } else {
    wal_config_free(config);
  }
  return status;
}

wal_status wal_config_load(const char *path, const char *profile, const char *const sets[], int set_count,
                           wal_registry registry, wal_config **out) {
  *out = NULL;
  wal_yaml *yaml;
  wal_status status = wal_yaml_load(path, &yaml);
  if (status == WAL_E_IO && registry[0])
    return wal_fail(status, "%s; expected a config, such as configs/%s.yaml", wal_error(), registry[0]->id);
  if (status != WAL_OK) return status;
  status = build_config(yaml, path, true, profile, sets, set_count, registry, out);
  wal_yaml_free(yaml);
  return status;
}

wal_status wal_config_parse(const char *text, const char *file, const char *profile, const char *const sets[],
                            int set_count, wal_registry registry, wal_config **out) {
  *out = NULL;
  wal_yaml *yaml;
  wal_status status = wal_yaml_parse(text, strlen(text), file, &yaml);
  if (status != WAL_OK) return status;
  status = build_config(yaml, file, false, profile, sets, set_count, registry, out);
  wal_yaml_free(yaml);
  return status;
}

void wal_config_free(wal_config *config) {
  if (!config) return;
  wal_points_free(config->points, config->point_count);
  wal_published_free(config->published, config->published_count);
  wal_tolerances_free(config->tolerances, config->tolerance_count);
  free(config->swept);
  free(config->name);
  free(config->title);
  free(config->caption);
  free(config->profile);
  free(config->path);
  free(config->yaml);
  free(config->sets);
  free(config);
}
