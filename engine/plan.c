#include "engine/plan.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/checksum.h"
#include "engine/index.h"
#include "engine/store.h"
#include "engine/util.h"

const char *wal_point_state_name(wal_point_state state) {
  static const char *const names[] = {"cached", "new", "stale", "failed", "damaged", "forced"};
  return names[state];
}

/* ---- Differences of keys ---- */

/* One line of a key text: "NAME=VALUE", or "NAME VALUE" in its head. */
typedef struct {
  const char *name, *value;
  int name_length, value_length;
} key_line;

static key_line read_line(const char *text) {
  size_t length = strcspn(text, "\n"), name = strcspn(text, "= \n");
  size_t value = name < length ? name + 1 : length;
  return (key_line){text, text + value, (int)name, (int)(length - value)};
}

static const char *next_line(const char *text) {
  text += strcspn(text, "\n");
  return *text ? text + 1 : text;
}

static bool same_text(const char *a, int a_length, const char *b, int b_length) {
  return a_length == b_length && memcmp(a, b, (size_t)a_length) == 0;
}

/* The line of `key` named as `wanted`; an absent one has value_length -1, but a key without a device is the
 * CPU's. */
static key_line find_line(const char *key, key_line wanted) {
  for (const char *at = key; *at; at = next_line(at)) {
    key_line line = read_line(at);
    if (same_text(line.name, line.name_length, wanted.name, wanted.name_length)) return line;
  }
  if (same_text("device", 6, wanted.name, wanted.name_length)) return (key_line){wanted.name, "cpu", 6, 3};
  return (key_line){wanted.name, "", wanted.name_length, -1};
}

static bool has_line(const char *key, key_line wanted) {
  const key_line found = find_line(key, wanted);
  return found.name != wanted.name;
}

/* The parameter that a line is of; -1: it belongs to the head. */
static int param_of(const wal_config *config, key_line line) {
  for (int p = 0; p < config->experiment->param_count; p++) {
    const char *name = config->experiment->params[p].name;
    if (same_text(name, (int)strlen(name), line.name, line.name_length)) return p;
  }
  return -1;
}

static bool is_swept(const wal_config *config, key_line line) {
  int param = param_of(config, line);
  return param >= 0 && config->swept[param];
}

/* Does a swept parameter decide whether this line counts (fc.width with solver=fc)? Its coming and going is
   then no change of a constant. */
static bool comes_and_goes(const wal_config *config, key_line line) {
  int param = param_of(config, line);
  const char *when = param >= 0 ? config->experiment->params[param].when : NULL;
  return when && is_swept(config, read_line(when));
}

static void add_change(wal_text *text, const wal_config *config, key_line from, key_line to) {
  int param = param_of(config, to);
  bool file = param >= 0 && config->experiment->params[param].flags & WAL_PARAM_FILE;
  wal_text_add(text, "%s%.*s", text->length ? ", " : "", to.name_length, to.name);
  if (file)
    wal_text_add(text, " (file changed)");
  else if (from.value_length < 0)
    wal_text_add(text, " added as %.*s", to.value_length, to.value);
  else if (to.value_length < 0)
    wal_text_add(text, " %.*s removed", from.value_length, from.value);
  else
    wal_text_add(text, " %.*s -> %.*s", from.value_length, from.value, to.value_length, to.value);
}

/* Adds the difference of one line, if any; returns 1 or 0. */
static int compare_line(key_line from, key_line to, const wal_config *config, bool *constant,
                        wal_text *text) {
  if (from.value_length == to.value_length && memcmp(from.value, to.value, (size_t)to.value_length) == 0)
    return 0;
  bool conditional = (from.value_length < 0 || to.value_length < 0) && comes_and_goes(config, to);
  if (conditional) return 1;
  if (!is_swept(config, to)) *constant = true;
  add_change(text, config, from, to);
  return 1;
}

int wal_key_difference(const char *from, const char *to, const wal_config *config, bool *constant, char *out,
                       size_t size) {
  int count = 0;
  wal_text text = {0};
  *constant = false;
  for (const char *at = to; *at; at = next_line(at)) {
    key_line line = read_line(at);
    count += compare_line(find_line(from, line), line, config, constant, &text);
  }
  for (const char *at = from; *at; at = next_line(at)) {
    key_line line = read_line(at);
    if (!has_line(to, line)) count += compare_line(line, find_line(to, line), config, constant, &text);
  }
  snprintf(out, size, "%s", text.data && !text.failed ? text.data : "");
  wal_text_free(&text);
  return count;
}

/* ---- The cache folder ---- */

static wal_status no_memory(void) { return wal_fail(WAL_E_MEMORY, "no memory for the plan"); }

/* Keys of every readable entry in the folder, and which of them have the same values of what is swept. */
typedef struct {
  int count;
  char **keys;      /* [count] owned */
  wal_index sweeps; /* the swept part of each key */
  int *latest;      /* [sweeps.count] the last key with this swept part */
  int *earlier;     /* [count] the key before it with the same; -1: none */
} key_list;

static void free_keys(key_list *list) {
  for (int k = 0; k < list->count; k++) free(list->keys[k]);
  free(list->keys);
  free(list->latest);
  free(list->earlier);
  wal_index_free(&list->sweeps);
  *list = (key_list){0};
}

/* The lines of a key that belong to swept parameters, malloc'd; NULL: no memory. */
static char *swept_part(const wal_config *config, const char *key) {
  wal_text text = {0};
  for (const char *at = key; *at; at = next_line(at))
    if (is_swept(config, read_line(at))) wal_text_add_bytes(&text, at, strcspn(at, "\n") + 1);
  return wal_text_steal(&text);
}

static wal_status chain_keys(const wal_config *config, key_list *list) {
  list->latest = malloc(((size_t)list->count + 1) * sizeof *list->latest);
  list->earlier = malloc(((size_t)list->count + 1) * sizeof *list->earlier);
  bool complete = list->latest && list->earlier;
  for (int k = 0; k < list->count && complete; k++) {
    char *part = swept_part(config, list->keys[k]);
    int before = list->sweeps.count, number = part ? wal_index_add(&list->sweeps, part) : -1;
    free(part);
    complete = number >= 0;
    if (!complete) break;
    list->earlier[k] = number < before ? list->latest[number] : -1;
    list->latest[number] = k;
  }
  return complete ? WAL_OK : no_memory();
}

static int is_entry(const struct dirent *entry) {
  size_t length = strlen(entry->d_name);
  return entry->d_name[0] != '.' && length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0;
}

/* Unreadable entries are skipped: this list only serves to explain. */
static wal_status read_keys(const char *folder, key_list *out) {
  struct dirent **entries = NULL;
  int found = scandir(folder, &entries, is_entry, alphasort);
  wal_status status = WAL_OK;
  if (found > 0) out->keys = calloc((size_t)found, sizeof *out->keys);
  if (found > 0 && !out->keys) status = wal_fail(WAL_E_MEMORY, "no memory for %d cache entries", found);
  for (int e = 0; e < found; e++) {
    char *path = status ? NULL : wal_path_join(folder, entries[e]->d_name, "");
    if (path && wal_store_read_key(path, &out->keys[out->count]) == WAL_OK) out->count++;
    free(path);
    free(entries[e]);
  }
  free(entries);
  return status;
}

/* ---- Planning ---- */

void wal_plan_free(wal_plan *plan) {
  if (!plan) return;
  for (int i = 0; plan->points && i < plan->count; i++) {
    free(plan->points[i].key);
    free(plan->points[i].entry);
    free(plan->points[i].log);
    free(plan->points[i].why);
  }
  for (int i = 0; plan->outcomes && i < plan->count; i++) wal_outcome_free(&plan->outcomes[i]);
  free(plan->points);
  free(plan->outcomes);
  free(plan);
}

static wal_plan *plan_new(int count) {
  wal_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return NULL;
  plan->count = count;
  plan->points = calloc((size_t)count + 1, sizeof *plan->points);
  plan->outcomes = calloc((size_t)count + 1, sizeof *plan->outcomes);
  if (plan->points && plan->outcomes) return plan;
  wal_plan_free(plan);
  return NULL;
}

/* Fills key and paths of a point. */
static wal_status locate(const wal_config *config, const wal_device *device, const char *results, int point,
                         wal_planned *planned) {
  char hash[33];
  planned->key = wal_point_key(&config->points[point], device);
  if (!planned->key) return no_memory();
  wal_text_hash(planned->key, hash);
  int entry = asprintf(&planned->entry, "%s/cache/%s/%s.h5", results, config->name, hash);
  if (entry < 0) planned->entry = NULL;
  int log = asprintf(&planned->log, "%s/logs/%s/%s.log", results, config->name, hash);
  if (log < 0) planned->log = NULL;
  return planned->entry && planned->log ? WAL_OK : no_memory();
}

/* Looks the point up in the cache. */
static wal_status look_up(wal_planned *planned, wal_outcome *outcome, bool force) {
  const char *why = "";
  planned->state = WAL_POINT_NEW;
  if (access(planned->entry, F_OK) == 0) {
    wal_status status = wal_store_read_outcome(planned->entry, planned->key, outcome);
    if (status == WAL_E_MEMORY) return status;
    planned->state = status            ? WAL_POINT_DAMAGED
                     : outcome->status ? WAL_POINT_FAILED
                     : force           ? WAL_POINT_FORCED
                                       : WAL_POINT_CACHED;
    why = status ? wal_error() : outcome->status ? outcome->error : "";
  }
  planned->why = strdup(why);
  if (planned->state != WAL_POINT_CACHED) wal_outcome_free(outcome);
  if (planned->state != WAL_POINT_CACHED) *outcome = (wal_outcome){0};
  return planned->why ? WAL_OK : no_memory();
}

/* The nearest cached key so far. */
typedef struct {
  int least; /* differences; -1: none yet */
  char why[512];
} nearest;

static void consider(const wal_config *config, const char *key, wal_planned *planned, nearest *best) {
  char difference[480];
  bool constant = false;
  int count = wal_key_difference(key, planned->key, config, &constant, difference, sizeof difference);
  bool tie = count == best->least && constant && planned->state == WAL_POINT_NEW;
  if (count == 0 || !(best->least < 0 || count < best->least || tie)) return;
  best->least = count;
  planned->state = constant ? WAL_POINT_STALE : WAL_POINT_NEW;
  snprintf(best->why, sizeof best->why, constant ? "changed: %s" : "nearest cached: %s", difference);
}

/* Says of a point without an entry what sets it apart from the nearest one that is cached: among those with
   the same swept values, and among `most` of all. */
static wal_status explain(const wal_config *config, const key_list *cached, int most, wal_planned *planned) {
  nearest best = {-1, "nothing cached yet"};
  char *part = swept_part(config, planned->key);
  if (!part) return no_memory();
  int number = wal_index_find(&cached->sweeps, part);
  free(part);
  for (int k = number >= 0 ? cached->latest[number] : -1; k >= 0; k = cached->earlier[k])
    consider(config, cached->keys[k], planned, &best);
  for (int k = 0; k < cached->count && k < most; k++) consider(config, cached->keys[k], planned, &best);
  free(planned->why);
  planned->why = strdup(best.why);
  return planned->why ? WAL_OK : no_memory();
}

static wal_status explain_all(const wal_config *config, const char *results, int unknown, wal_plan *plan) {
  enum { PAIRS_MAX = 10000 }; /* of a point and a cached key: a second or two */
  char *cache = wal_path_join(results, "cache", "");
  char *folder = cache ? wal_path_join(cache, config->name, "") : NULL;
  key_list cached = {0};
  wal_status status = folder ? read_keys(folder, &cached) : no_memory();
  if (!status) status = chain_keys(config, &cached);
  for (int i = 0; i < plan->count && !status; i++)
    if (plan->points[i].state == WAL_POINT_NEW)
      status = explain(config, &cached, PAIRS_MAX / unknown, &plan->points[i]);
  free_keys(&cached);
  free(folder);
  free(cache);
  return status;
}

wal_status wal_plan_make(const wal_config *config, const wal_device *device, const char *results, bool force,
                         wal_plan **out) {
  *out = NULL;
  wal_plan *plan = plan_new(config->point_count);
  wal_status status = plan ? WAL_OK : no_memory();
  int unknown = 0;
  for (int i = 0; !status && i < plan->count; i++) {
    status = locate(config, device, results, i, &plan->points[i]);
    if (!status) status = look_up(&plan->points[i], &plan->outcomes[i], force);
    if (status) break;
    if (plan->points[i].state != WAL_POINT_CACHED) plan->todo++;
    unknown += plan->points[i].state == WAL_POINT_NEW;
  }
  if (!status && unknown > 0) status = explain_all(config, results, unknown, plan);
  if (status) {
    wal_plan_free(plan);
    return status;
  }
  *out = plan;
  return WAL_OK;
}

/* ---- Printing ---- */

void wal_plan_summary(const wal_plan *plan, char *out, size_t size) {
  int counts[WAL_POINT_FORCED + 1] = {0};
  for (int i = 0; i < plan->count; i++) counts[plan->points[i].state]++;
  static const char *const words[] = {"cached", "new", "stale", "failed last time", "damaged", "forced"};
  int used = snprintf(out, size, "%d point%s: ", plan->count, plan->count == 1 ? "" : "s");
  const char *comma = "";
  for (int s = 0; s <= WAL_POINT_FORCED; s++) {
    if (!counts[s] || used < 0 || (size_t)used >= size) continue;
    used += snprintf(out + used, size - (size_t)used, "%s%d %s", comma, counts[s], words[s]);
    comma = ", ";
  }
}

void wal_plan_print(const wal_plan *plan, const wal_config *config, FILE *out) {
  for (int i = 0; i < plan->count; i++) {
    const wal_planned *planned = &plan->points[i];
    char label[256];
    wal_point_label(config, &config->points[i], label, sizeof label);
    fprintf(out, "  %-8s %s", wal_point_state_name(planned->state), label[0] ? label : "(the only point)");
    if (planned->why[0]) fprintf(out, "   %.*s", (int)strcspn(planned->why, "\n"), planned->why);
    fputc('\n', out);
  }
}
