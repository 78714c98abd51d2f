/* Result files and cache entries, written and read. docs/results.md describes the layout. */
#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/h5.h"
#include "engine/store_file.h"
#include "engine/util.h"
#include "models/common/version.h"

/* Root attributes that are part of the layout; the others are provenance. */
static const char *const layout_attributes[] = {
    "Conventions", "schema",      "walras_version",     "title",          "caption",
    "name",        "experiment",  "experiment_version", "models_version", "paper",
    "profile",     "sets",        "config_path",        "config",         "config_xxh128",
    "resolved",    "config_hash", "published",          "seeds",          "files",
};

bool wal_stored_is_provenance(const char *attribute) {
  for (size_t i = 0; i < sizeof layout_attributes / sizeof *layout_attributes; i++)
    if (strcmp(layout_attributes[i], attribute) == 0) return false;
  return true;
}

/* --- writing --- */

/* The `published:` block of a YAML text as it stands, malloc'd; "" when there is none. */
static char *published_block(const char *yaml) {
  const char *begin = strncmp(yaml, "published:", 10) == 0 ? yaml : strstr(yaml, "\npublished:");
  if (!begin) return strdup("");
  if (*begin == '\n') begin++;
  const char *end = begin;
  do { /* up to the next line that begins a key or a comment of the top level */
    end += strcspn(end, "\n");
    if (*end) end++;
  } while (*end && strchr(" \t\r\n-", *end));
  return strndup(begin, (size_t)(end - begin));
}

/* "1 2 3": the distinct values of the parameter `seed` over the points, malloc'd. */
static char *list_seeds(const wal_config *config) {
  wal_text text = {0};
  int seed = wal_param_find(config->experiment, "seed"), count = 0;
  int *first = seed >= 0 ? wal_config_distinct(config, seed, &count) : NULL;
  if (seed >= 0 && !first) return NULL;
  for (int i = 0; i < count; i++) {
    char number[WAL_TEXT_MAX];
    wal_value_format(&config->points[first[i]].values[seed], number, sizeof number);
    wal_text_add(&text, "%s%s", i ? " " : "", number);
  }
  free(first);
  return wal_text_steal(&text);
}

static wal_status set_hash(hid_t root, const char *name, const char *text) {
  char hex[33];
  wal_text_hash(text, hex);
  return wal_h5_set_text(root, name, hex);
}

/* A malloc'd text as attribute; frees it. NULL: no memory. */
static wal_status set_stolen(hid_t root, const char *name, char *text) {
  if (!text) return wal_fail(WAL_E_MEMORY, "no memory for attribute %s", name);
  wal_status status = wal_h5_set_text(root, name, text);
  free(text);
  return status;
}

static wal_status set_number(hid_t root, const char *name, int number) {
  char text[16];
  snprintf(text, sizeof text, "%d", number);
  return wal_h5_set_text(root, name, text);
}

static wal_status write_identity(hid_t root, const wal_config *config) {
  const wal_experiment *experiment = config->experiment;
  wal_status status = wal_h5_set_text(root, "Conventions", "CF-1.8");
  if (!status) status = wal_h5_set_text(root, "schema", WAL_RESULT_SCHEMA);
  if (!status) status = wal_h5_set_text(root, "walras_version", WAL_VERSION);
  if (!status) status = wal_h5_set_text(root, "title", config->title ? config->title : experiment->title);
  if (!status) status = wal_h5_set_text(root, "caption", config->caption ? config->caption : "");
  if (!status) status = wal_h5_set_text(root, "name", config->name);
  if (!status) status = wal_h5_set_text(root, "experiment", experiment->id);
  if (!status) status = set_number(root, "experiment_version", experiment->version);
  if (!status) status = set_number(root, "models_version", WAL_MODELS_VERSION);
  if (!status) status = wal_h5_set_text(root, "paper", experiment->paper ? experiment->paper : "");
  return status;
}

static wal_status write_config(hid_t root, const wal_config *config) {
  char *resolved = wal_config_resolved(config);
  wal_status status = resolved ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the resolved config");
  if (!status) status = wal_h5_set_text(root, "profile", config->profile ? config->profile : "");
  if (!status) status = wal_h5_set_text(root, "sets", config->sets ? config->sets : "");
  if (!status) status = set_stolen(root, "seeds", list_seeds(config));
  if (!status) status = wal_h5_set_text(root, "config_path", config->path);
  if (!status) status = wal_h5_set_text(root, "config", config->yaml);
  if (!status) status = set_hash(root, "config_xxh128", config->yaml);
  if (!status) status = wal_h5_set_text(root, "resolved", resolved);
  if (!status) status = set_hash(root, "config_hash", resolved);
  if (!status) status = set_stolen(root, "files", wal_config_files(config));
  if (!status) status = set_stolen(root, "published", published_block(config->yaml));
  free(resolved);
  return status;
}

static wal_status write_provenance(hid_t root, const wal_provenance *provenance) {
  wal_status status = WAL_OK;
  for (int i = 0; i < provenance->count && !status; i++)
    if (wal_stored_is_provenance(provenance->names[i]))
      status = wal_h5_set_text(root, provenance->names[i], provenance->values[i]);
  return status;
}

static wal_status open_or_create(hid_t parent, const char *name, hid_t *group) {
  return H5Lexists(parent, name, H5P_DEFAULT) > 0 ? wal_h5_open_group(parent, name, group)
                                                  : wal_h5_create_group(parent, name, group);
}

static wal_status write_trace(hid_t traces, int point, const char *name, const wal_frame *trace) {
  char folder[32];
  hid_t group = -1;
  snprintf(folder, sizeof folder, "point_%04d", point);
  wal_status status = open_or_create(traces, folder, &group);
  if (!status) status = wal_h5_write_frame(group, name, trace, false);
  wal_h5_close(group);
  return status;
}

static wal_status write_traces(hid_t root, int count, const int *points, char *const *names,
                               wal_frame *const *frames) {
  hid_t traces = -1;
  wal_status status = wal_h5_create_group(root, "traces", &traces);
  for (int t = 0; t < count && !status; t++)
    status = write_trace(traces, points ? points[t] : 0, names[t], frames[t]);
  wal_h5_close(traces);
  return status;
}

wal_status wal_store_write(const wal_result *result, const char *path) {
  hid_t file = -1;
  wal_status status = wal_h5_create(&file);
  if (!status) status = write_identity(file, result->config);
  if (!status) status = write_config(file, result->config);
  if (!status) status = write_provenance(file, &result->provenance);
  if (!status) status = wal_h5_write_frame(file, "rows", result->rows, true);
  if (!status)
    status = write_traces(file, result->trace_count, result->trace_point, result->trace_name, result->traces);
  if (!status) status = wal_h5_save(file, path);
  wal_h5_close(file);
  return status;
}

/* --- reading --- */

void wal_stored_free(wal_stored *stored) {
  for (int t = 0; t < stored->trace_count; t++) {
    free(stored->trace_name[t]);
    wal_frame_free(stored->traces[t]);
  }
  free(stored->trace_point);
  free(stored->trace_name);
  free(stored->traces);
  wal_frame_free(stored->rows);
  wal_provenance_free(&stored->attributes);
  *stored = (wal_stored){0};
}

/* The file being read and where its faults are told. */
typedef struct {
  hid_t file;
  FILE *findings;
  int *finding_count;
} source;

/* A fault inside the file: a finding where these are wanted, else the failure. */
static wal_status tell(const source *from, wal_status status) {
  if (status != WAL_E_INPUT || !from->findings) return status;
  fprintf(from->findings, "%s\n", wal_error());
  ++*from->finding_count;
  return WAL_OK;
}

static wal_status check_schema(hid_t file, const char *schema) {
  char *found = NULL;
  wal_status status = wal_h5_get_text(file, "schema", &found);
  if (status)
    return wal_fail(WAL_E_INPUT, "/: not a walras file (no text attribute 'schema'; expected %s)", schema);
  if (strcmp(found, schema) != 0)
    status = wal_fail(WAL_E_INPUT, "/: attribute 'schema' is '%.64s'; expected %s", found, schema);
  free(found);
  return status;
}

/* Does the text of attribute `name` still have the XXH3-128 that attribute `hash` recorded? */
static wal_status check_hash(const wal_provenance *attributes, const char *name, const char *hash) {
  const char *text = wal_provenance_get(attributes, name), *stored = wal_provenance_get(attributes, hash);
  char hex[33];
  if (!text || !stored) return wal_fail(WAL_E_INPUT, "/: attribute '%s' is missing", text ? hash : name);
  wal_text_hash(text, hex);
  if (strcmp(hex, stored) == 0) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "/: checksum of attribute '%s' differs: %s says %.32s, the text gives %s",
                  name, hash, stored, hex);
}

static wal_status append_trace(const source *from, hid_t group, int point, const char *name,
                               wal_stored *out) {
  wal_frame *frame = NULL;
  wal_status status = wal_h5_read_frame(group, name, false, from->findings, from->finding_count, &frame);
  if (status) return tell(from, status);
  size_t size = (size_t)out->trace_count + 1;
  int *points = realloc(out->trace_point, size * sizeof *points);
  if (points) out->trace_point = points;
  char **names = realloc(out->trace_name, size * sizeof *names);
  if (names) out->trace_name = names;
  wal_frame **traces = realloc(out->traces, size * sizeof *traces);
  if (traces) out->traces = traces;
  char *copy = points && names && traces ? strdup(name) : NULL;
  if (!copy) {
    wal_frame_free(frame);
    return wal_fail(WAL_E_MEMORY, "no memory for trace %s", name);
  }
  points[out->trace_count] = point;
  names[out->trace_count] = copy;
  traces[out->trace_count++] = frame;
  return WAL_OK;
}

static wal_status read_point_traces(const source *from, hid_t traces, const char *folder, wal_stored *out) {
  int point, used = 0, count = 0;
  char **names = NULL;
  hid_t group = -1;
  if (sscanf(folder, "point_%9d%n", &point, &used) != 1 || folder[used] != '\0' || point < 0)
    return wal_fail(WAL_E_INPUT, "/traces/%s: expected a name such as point_0003", folder);
  wal_status status = wal_h5_open_group(traces, folder, &group);
  if (!status) status = wal_h5_links(group, &names, &count);
  for (int i = 0; i < count && !status; i++) status = append_trace(from, group, point, names[i], out);
  wal_h5_free_names(names, count);
  wal_h5_close(group);
  return status;
}

static wal_status read_traces(const source *from, wal_stored *out) {
  hid_t traces = -1;
  char **folders = NULL;
  int count = 0;
  wal_status status = wal_h5_open_group(from->file, "traces", &traces);
  if (!status) status = wal_h5_links(traces, &folders, &count);
  for (int i = 0; i < count && !status; i++)
    status = tell(from, read_point_traces(from, traces, folders[i], out));
  wal_h5_free_names(folders, count);
  wal_h5_close(traces);
  return status;
}

static wal_status read_contents(const source *from, const char *schema, wal_stored *out) {
  bool is_result = strcmp(schema, WAL_RESULT_SCHEMA) == 0;
  wal_status status = check_schema(from->file, schema);
  if (!status) status = tell(from, wal_h5_get_texts(from->file, &out->attributes));
  if (!status)
    status = tell(from, check_hash(&out->attributes, is_result ? "config" : "key",
                                   is_result ? "config_xxh128" : "key_xxh128"));
  if (!status && is_result) status = tell(from, check_hash(&out->attributes, "resolved", "config_hash"));
  if (!status)
    status = tell(
        from, wal_h5_read_frame(from->file, "rows", true, from->findings, from->finding_count, &out->rows));
  if (!status) status = tell(from, read_traces(from, out));
  return status;
}

/* Ends the message of a damaged file with how to get it back. */
static void add_remedy(const char *schema, const wal_provenance *attributes) {
  const char *config = wal_provenance_get(attributes, "config_path");
  if (strcmp(schema, WAL_RESULT_SCHEMA) == 0) {
    if (config)
      wal_fail(WAL_E_INPUT, "%s; `walras run %s` makes the file again", wal_error(), config);
    else
      wal_fail(WAL_E_INPUT, "%s; `walras run CONFIG` writes results", wal_error());
  } else {
    wal_fail(WAL_E_INPUT, "%s; `walras run` computes the point anew", wal_error());
  }
}

wal_status wal_stored_read(const char *path, const char *schema, FILE *findings, int *finding_count,
                           wal_stored *out) {
  *out = (wal_stored){0};
  source from = {.findings = findings, .finding_count = finding_count};
  wal_status status = wal_h5_open(path, &from.file);
  if (!status) {
    status = read_contents(&from, schema, out);
    if (status) wal_fail_in(status, "%s:", path);
  }
  wal_h5_close(from.file);
  if (status == WAL_E_INPUT) add_remedy(schema, &out->attributes);
  if (status) wal_stored_free(out);
  return status;
}

/* The --set flags of a stored config: splits `text` at its newlines, in place. flags: [lines, at least 1]. */
static int split_sets(char *text, const char **flags) {
  int count = 0;
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    flags[count++] = line;
  return count;
}

static const char *attribute(const wal_stored *stored, const char *name) {
  const char *text = wal_provenance_get(&stored->attributes, name);
  return text ? text : "";
}

static wal_status parse_config(const wal_stored *stored, wal_registry registry, wal_config **out) {
  const char *profile = attribute(stored, "profile");
  char *sets = strdup(attribute(stored, "sets"));
  const char **flags = calloc(strlen(attribute(stored, "sets")) + 1, sizeof *flags);
  wal_status status = WAL_E_MEMORY;
  if (sets && flags) {
    int count = split_sets(sets, flags);
    status = wal_config_parse(attribute(stored, "config"), attribute(stored, "config_path"),
                              *profile ? profile : NULL, flags, count, registry, out);
  } else {
    wal_fail(status, "no memory for the stored config");
  }
  free(flags);
  free(sets);
  return status;
}

/* Hands rows, traces and provenance over; `stored` keeps the rest. */
static wal_status move_into(wal_stored *stored, wal_result *result) {
  wal_status status = WAL_OK;
  for (int i = 0; i < stored->attributes.count && !status; i++)
    if (wal_stored_is_provenance(stored->attributes.names[i]))
      status = wal_provenance_add(&result->provenance, stored->attributes.names[i], "%s",
                                  stored->attributes.values[i]);
  result->rows = stored->rows;
  result->trace_count = stored->trace_count;
  result->trace_point = stored->trace_point;
  result->trace_name = stored->trace_name;
  result->traces = stored->traces;
  wal_provenance attributes = stored->attributes;
  *stored = (wal_stored){.attributes = attributes};
  return status;
}

/* Columns that every reader of a result counts on. */
static wal_status check_rows(const wal_result *result) {
  int point = wal_frame_find(result->rows, "point"), status = wal_frame_find(result->rows, "status");
  if (point < 0 || wal_frame_column(result->rows, point)->type != WAL_INT)
    return wal_fail(WAL_E_INPUT, "/rows/point: expected a column of integers");
  if (status < 0 || wal_frame_column(result->rows, status)->type != WAL_TEXT)
    return wal_fail(WAL_E_INPUT, "/rows/status: expected a column of text");
  return WAL_OK;
}

wal_status wal_store_read(const char *path, wal_registry registry, wal_result **out) {
  *out = NULL;
  wal_stored stored;
  wal_status status = wal_stored_read(path, WAL_RESULT_SCHEMA, NULL, NULL, &stored);
  if (status) return status;
  wal_result *result = calloc(1, sizeof *result);
  if (!result) status = wal_fail(WAL_E_MEMORY, "no memory to read %s", path);
  if (!status) status = parse_config(&stored, registry, &result->config);
  if (!status) status = move_into(&stored, result);
  if (!status) status = check_rows(result);
  if (status) {
    wal_fail_in(status, "%s:", path);
    wal_result_free(result);
  } else {
    *out = result;
  }
  wal_stored_free(&stored);
  return status;
}

/* --- cache entries --- */

static wal_status write_outcome(hid_t root, const wal_outcome *outcome, const char *key) {
  char number[64];
  wal_status status = wal_h5_set_text(root, "schema", WAL_OUTCOME_SCHEMA);
  if (!status) status = wal_h5_set_text(root, "key", key);
  if (!status) status = set_hash(root, "key_xxh128", key);
  if (!status) status = set_number(root, "status", outcome->status);
  if (!status) status = wal_h5_set_text(root, "error", outcome->error ? outcome->error : "");
  snprintf(number, sizeof number, "%a", outcome->seconds);
  if (!status) status = wal_h5_set_text(root, "seconds", number);
  snprintf(number, sizeof number, "%a", outcome->peak_mib);
  if (!status) status = wal_h5_set_text(root, "peak_mib", number);
  wal_frame *none = outcome->rows ? NULL : wal_frame_new(NULL, 0); /* failed before it sent anything */
  if (!outcome->rows && !none) status = wal_fail(WAL_E_MEMORY, "no memory for a cache entry");
  if (!status) status = wal_h5_write_frame(root, "rows", none ? none : outcome->rows, true);
  wal_frame_free(none);
  if (!status) status = write_traces(root, outcome->trace_count, NULL, outcome->trace_names, outcome->traces);
  return status;
}

wal_status wal_store_write_outcome(const wal_outcome *outcome, const char *key, const char *path) {
  hid_t file = -1;
  wal_status status = wal_h5_create(&file);
  if (!status) status = write_outcome(file, outcome, key);
  if (!status) status = wal_h5_save(file, path);
  wal_h5_close(file);
  return status;
}

static wal_status fill_outcome(wal_stored *stored, wal_outcome *out) {
  int status = atoi(attribute(stored, "status"));
  if (status < WAL_OK || status > WAL_E_INTERNAL)
    return wal_fail(WAL_E_INPUT, "/: attribute 'status' is %d, which is no status", status);
  out->status = (wal_status)status;
  out->error = strdup(attribute(stored, "error"));
  if (!out->error) return wal_fail(WAL_E_MEMORY, "no memory for a cache entry");
  out->seconds = strtod(attribute(stored, "seconds"), NULL);
  out->peak_mib = strtod(attribute(stored, "peak_mib"), NULL);
  out->rows = stored->rows;
  out->trace_count = stored->trace_count;
  out->trace_names = stored->trace_name;
  out->traces = stored->traces;
  stored->rows = NULL;
  stored->trace_count = 0;
  stored->trace_name = NULL;
  stored->traces = NULL;
  return WAL_OK;
}

wal_status wal_store_read_outcome(const char *path, const char *key, wal_outcome *out) {
  *out = (wal_outcome){0};
  wal_stored stored;
  wal_status status = wal_stored_read(path, WAL_OUTCOME_SCHEMA, NULL, NULL, &stored);
  if (status) return status;
  if (key && strcmp(attribute(&stored, "key"), key) != 0)
    status = wal_fail(WAL_E_INPUT, "%s: belongs to another point; `walras run` computes this one anew", path);
  if (!status) {
    status = fill_outcome(&stored, out);
    if (status) wal_fail_in(status, "%s:", path);
  }
  if (status) wal_outcome_free(out);
  wal_stored_free(&stored);
  return status;
}

wal_status wal_store_read_key(const char *path, char **key) {
  *key = NULL;
  hid_t file = -1;
  wal_status status = wal_h5_open(path, &file);
  if (!status) {
    status = check_schema(file, WAL_OUTCOME_SCHEMA);
    if (!status) status = wal_h5_get_text(file, "key", key);
    if (status) wal_fail_in(status, "%s:", path);
  }
  wal_h5_close(file);
  return status;
}
