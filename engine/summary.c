#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing_data.h"

/* ---- groups ---- */

static bool row_failed(const wal_result *result, int64_t row) {
  int status = wal_frame_find(result->rows, "status");
  return status >= 0 && strcmp(wal_frame_text(result->rows, row, status), "failed") == 0;
}

static bool same_keys(const wal_result *result, int64_t a, int64_t b, const char *const keys[],
                      int key_count) {
  for (int k = 0; k < key_count; k++) {
    int column = wal_frame_find(result->rows, keys[k]);
    wal_value left = wal_frame_get(result->rows, a, column), right = wal_frame_get(result->rows, b, column);
    if (!wal_value_equal(&left, &right)) return false;
  }
  return true;
}

static wal_status require_columns(const wal_result *result, const char *const names[], int count) {
  for (int i = 0; i < count; i++)
    if (wal_frame_find(result->rows, names[i]) < 0)
      return wal_fail(WAL_E_INTERNAL, "%s: the drawing asks for a column %s, which the rows do not have",
                      result->config->experiment->id, names[i]);
  return WAL_OK;
}

static void add_row(wal_group *group, int64_t row, bool failed) {
  if (failed) {
    group->failed++;
  } else {
    if (group->count == 0) group->row = row; /* a finished row stands for the group where there is one */
    group->count++;
  }
}

wal_status wal_group_rows(const wal_result *result, const char *const keys[], int key_count,
                          wal_group **groups, int *count) {
  *groups = NULL;
  *count = 0;
  wal_status status = require_columns(result, keys, key_count);
  if (status != WAL_OK) return status;
  int64_t rows = wal_frame_rows(result->rows);
  wal_group *list = malloc((rows > 0 ? (size_t)rows : 1) * sizeof *list);
  if (!list) return wal_fail(WAL_E_MEMORY, "no memory for %lld groups", (long long)rows);
  int found = 0;
  for (int64_t row = 0; row < rows; row++) {
    int g = 0;
    while (g < found && !same_keys(result, list[g].row, row, keys, key_count)) g++;
    if (g == found) list[found++] = (wal_group){.row = row};
    add_row(&list[g], row, row_failed(result, row));
  }
  *groups = list;
  *count = found;
  return WAL_OK;
}

wal_stat wal_group_stat(const wal_result *result, const char *const keys[], int key_count,
                        const wal_group *group, const char *column) {
  wal_stat stat = {NAN, NAN, NAN, NAN, 0};
  int c = wal_frame_find(result->rows, column);
  assert(c >= 0);
  if (c < 0) return stat;
  int64_t rows = wal_frame_rows(result->rows);
  double mean = 0, squares = 0; /* Welford: mean and sum of squared distances from it */
  for (int64_t row = 0; row < rows; row++) {
    if (row_failed(result, row) || wal_frame_missing(result->rows, row, c) ||
        !same_keys(result, group->row, row, keys, key_count))
      continue;
    double value = wal_frame_real(result->rows, row, c), from_old = value - mean;
    mean += from_old / ++stat.count;
    squares += from_old * (value - mean);
    stat.min = fmin(stat.min, value); /* fmin(NaN, v) is v */
    stat.max = fmax(stat.max, value);
  }
  if (stat.count > 0) stat.mean = mean;
  if (stat.count > 1) stat.sd = sqrt(squares / (stat.count - 1));
  return stat;
}

/* ---- notes ---- */

int wal_seed_count(const wal_result *result) {
  const wal_config *config = result->config;
  int seed = wal_param_find(config->experiment, "seed");
  if (seed < 0) return 0;
  int count = 0;
  for (int p = 0; p < config->point_count; p++) {
    bool seen = false;
    for (int q = 0; q < p && !seen; q++)
      seen = wal_value_equal(&config->points[q].values[seed], &config->points[p].values[seed]);
    count += !seen;
  }
  return count;
}

void wal_notes_sets(const wal_result *result, wal_note_sink *add, void *context) {
  const char *sets = result->config->sets; /* one flag a line */
  if (!sets || !*sets) return;
  wal_text text = {0};
  wal_text_add(&text, "Set on the command line: ");
  for (; *sets; sets++)
    if (*sets == '\n')
      wal_text_add(&text, ", ");
    else
      wal_text_add_bytes(&text, sets, 1);
  char *note = wal_text_steal(&text);
  if (note) add(context, note);
  free(note);
}

void wal_notes_failed(const wal_result *result, wal_note_sink *add, void *context) {
  int point = wal_frame_find(result->rows, "point"), failed = 0;
  int64_t last = -1;
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    if (!row_failed(result, row)) continue;
    int64_t number = point >= 0 ? wal_frame_get(result->rows, row, point).i : row;
    if (number != last) failed++; /* the rows of a point stand together */
    last = number;
  }
  char note[96];
  snprintf(note, sizeof note, "%d of %d points failed", failed, result->config->point_count);
  if (failed > 0) add(context, note);
}

static void add_assignment(wal_text *text, const char *name, const wal_value *value) {
  char shown[WAL_TEXT_MAX + 32];
  wal_value_format(value, shown, sizeof shown);
  wal_text_add(text, "%s%s = %s", text->length > 0 ? ", " : "", name, shown);
}

/* Our values of a parameter, at the points of a published entry, that differ from the published one. */
static void add_differing(const wal_config *config, const wal_published *published, int setting,
                          wal_text *ours) {
  enum { MOST = 3 };
  int param = published->setting.param[setting], found = 0;
  const wal_value *shown[MOST];
  for (int p = 0; p < config->point_count; p++) {
    const wal_point *point = &config->points[p];
    const wal_value *value = &point->values[param];
    if (!wal_assignment_holds(&published->where, point) || !wal_point_counts(point, param)) continue;
    if (wal_value_equal(value, &published->setting.value[setting])) continue;
    bool seen = false;
    for (int i = 0; i < found && !seen; i++) seen = wal_value_equal(shown[i], value);
    if (seen) continue;
    if (found == MOST) {
      wal_text_add(ours, ", ...");
      return;
    }
    shown[found++] = value;
    add_assignment(ours, config->experiment->params[param].name, value);
  }
}

/* "published at n = 1048576; here n = 16384", "" when nothing differs. malloc'd; NULL: no memory. */
static char *difference(const wal_config *config, const wal_published *published) {
  wal_text theirs = {0}, ours = {0}, note = {0};
  for (int s = 0; s < published->setting.count; s++) {
    size_t before = ours.length;
    add_differing(config, published, s, &ours);
    if (ours.length > before)
      add_assignment(&theirs, config->experiment->params[published->setting.param[s]].name,
                     &published->setting.value[s]);
  }
  if (ours.length > 0) wal_text_add(&note, "published at %s; here %s", theirs.data, ours.data);
  note.failed = note.failed || theirs.failed || ours.failed;
  wal_text_free(&theirs);
  wal_text_free(&ours);
  return wal_text_steal(&note);
}

/* "eg, alpha = 1": the values that tell a published entry from the others; texts go without their name. */
static void add_where(wal_text *text, const wal_config *config, const wal_published *published) {
  for (int i = 0; i < published->where.count; i++) {
    const wal_value *value = &published->where.value[i];
    char shown[WAL_TEXT_MAX + 32];
    wal_value_format(value, shown, sizeof shown);
    if (i > 0) wal_text_add(text, " ");
    if (value->type != WAL_TEXT)
      wal_text_add(text, "%s = ", config->experiment->params[published->where.param[i]].name);
    wal_text_add(text, "%s", shown);
  }
}

/* One note for all entries with the same difference; their names only where the entries do not all agree. */
static void add_difference_notes(const wal_config *config, char *const notes[], wal_note_sink *add,
                                 void *context) {
  int count = config->published_count;
  bool all_same = true;
  for (int i = 1; i < count; i++) all_same = all_same && strcmp(notes[i], notes[0]) == 0;
  for (int i = 0; i < count; i++) {
    bool told = notes[i][0] == '\0';
    for (int j = 0; j < i && !told; j++) told = strcmp(notes[i], notes[j]) == 0;
    if (told) continue;
    wal_text text = {0};
    for (int j = i; j < count && !all_same; j++) {
      if (strcmp(notes[i], notes[j]) != 0) continue;
      if (text.length > 0) wal_text_add(&text, ", ");
      add_where(&text, config, &config->published[j]);
    }
    wal_text_add(&text, "%s%s", text.length > 0 ? ": " : "", notes[i]);
    if (all_same && text.data) text.data[0] = 'P';
    char *note = wal_text_steal(&text);
    if (note) add(context, note);
    free(note);
  }
}

void wal_notes_published(const wal_result *result, wal_note_sink *add, void *context) {
  const wal_config *config = result->config;
  if (config->published_count == 0) return;
  char **notes = calloc((size_t)config->published_count, sizeof *notes);
  bool complete = notes != NULL;
  for (int i = 0; i < config->published_count && complete; i++) {
    notes[i] = difference(config, &config->published[i]);
    complete = notes[i] != NULL;
  }
  if (complete) add_difference_notes(config, notes, add, context);
  for (int i = 0; notes && i < config->published_count; i++) free(notes[i]);
  free(notes);
}

/* ---- the standard table ---- */

static bool any_published(const wal_result *result, const wal_group *groups, int count, const char *measure) {
  for (int g = 0; g < count; g++)
    if (!isnan(wal_result_published(result, groups[g].row, measure))) return true;
  return false;
}

/* Times and counts read best plain, everything else as 1.23e-03. */
static const char *number_format(const wal_column *column) {
  bool time = strcmp(column->unit, "s") == 0 || (column->flags & WAL_COLUMN_TIMING);
  return column->type == WAL_INT ? "%.6g" : time ? "%.3g" : "%.2e";
}

static void add_columns(wal_table *table, const wal_result *result, const char *measure, bool published) {
  const wal_column *column = wal_frame_column(result->rows, wal_frame_find(result->rows, measure));
  char group[128];
  bool unit = column->unit && strcmp(column->unit, "1") != 0;
  snprintf(group, sizeof group, unit ? "%s [%s]" : "%s", measure, column->unit);
  const char *format = number_format(column);
  if (!published) {
    wal_table_column(table, NULL, group, format);
    return;
  }
  wal_table_column(table, group, "ours", format);
  wal_table_column(table, group, "paper", format);
  wal_table_column(table, group, "ratio", "%.3g");
}

static void add_key(wal_table *table, const wal_result *result, const char *key, int64_t row) {
  wal_value value = wal_frame_get(result->rows, row, wal_frame_find(result->rows, key));
  char shown[WAL_TEXT_MAX + 32];
  wal_value_format(&value, shown, sizeof shown);
  wal_table_text(table, shown);
}

static void add_measure(wal_table *table, const wal_result *result, const wal_group *group, wal_stat stat,
                        const char *measure, bool published) {
  double paper = wal_result_published(result, group->row, measure);
  if (group->count == 0) {
    int error = wal_frame_find(result->rows, "error");
    wal_table_failed(table, error >= 0 ? wal_frame_text(result->rows, group->row, error) : "");
  } else {
    wal_table_real(table, stat.mean, stat.sd, stat.count);
  }
  if (!published) return;
  wal_table_real(table, paper, NAN, 1);
  wal_table_real(table, paper != 0 ? stat.mean / paper : NAN, NAN, 1); /* NaN when either is missing */
}

static void add_table_note(void *context, const char *note) { wal_table_note(context, "%s", note); }

/* A mean over fewer rows than were asked for is said. */
static void add_partial_notes(wal_table *table, const wal_result *result, const wal_group *groups, int count,
                              const char *key) {
  for (int g = 0; g < count; g++) {
    if (groups[g].count == 0 || groups[g].failed == 0) continue;
    wal_value value = wal_frame_get(result->rows, groups[g].row, wal_frame_find(result->rows, key));
    char shown[WAL_TEXT_MAX + 32];
    wal_value_format(&value, shown, sizeof shown);
    wal_table_note(table, "%s = %s: %d of %d failed and are not in the mean", key, shown, groups[g].failed,
                   groups[g].failed + groups[g].count);
  }
}

static void add_notes(wal_table *table, const wal_result *result, bool published) {
  wal_notes_sets(result, add_table_note, table);
  int seeds = wal_seed_count(result);
  if (seeds > 1) wal_table_note(table, "Mean ± standard deviation over n = %d seeds", seeds);
  if (published) {
    wal_table_note(table, "ratio = ours / paper; -- where there is none");
    wal_notes_published(result, add_table_note, table);
  }
  wal_notes_failed(result, add_table_note, table);
}

wal_status wal_drawing_standard_table(wal_drawing *drawing, const wal_result *result, const char *caption,
                                      const char *const keys[], int key_count, const char *const measures[],
                                      int measure_count) {
  wal_group *groups = NULL;
  int count = 0;
  wal_status status = wal_group_rows(result, keys, key_count, &groups, &count);
  if (status == WAL_OK) status = require_columns(result, measures, measure_count);
  wal_table *table = status == WAL_OK ? wal_drawing_table(drawing, "", caption) : NULL;
  bool some_published = false;
  for (int k = 0; k < key_count; k++) wal_table_column(table, NULL, keys[k], NULL);
  for (int m = 0; m < measure_count && table; m++) {
    bool published = any_published(result, groups, count, measures[m]);
    add_columns(table, result, measures[m], published);
    some_published = some_published || published;
  }
  for (int g = 0; g < count && table; g++) {
    wal_table_row(table);
    for (int k = 0; k < key_count; k++) add_key(table, result, keys[k], groups[g].row);
    for (int m = 0; m < measure_count; m++)
      add_measure(table, result, &groups[g], wal_group_stat(result, keys, key_count, &groups[g], measures[m]),
                  measures[m], any_published(result, groups, count, measures[m]));
  }
  if (table) add_notes(table, result, some_published);
  if (table && key_count > 0) add_partial_notes(table, result, groups, count, keys[0]);
  free(groups);
  return status;
}
