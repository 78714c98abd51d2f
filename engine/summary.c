#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing_data.h"
#include "engine/index.h"

/* ---- groups ---- */

static bool row_failed(const wal_result *result, int64_t row) {
  int status = wal_frame_find(result->rows, "status");
  return status >= 0 && strcmp(wal_frame_text(result->rows, row, status), "failed") == 0;
}

static wal_status require_columns(const wal_result *result, const char *const names[], int count) {
  for (int i = 0; i < count; i++)
    if (wal_frame_find(result->rows, names[i]) < 0)
      return wal_fail(WAL_E_INTERNAL, "%s: the drawing asks for a column %s, which the rows do not have",
                      result->config->experiment->id, names[i]);
  return WAL_OK;
}

/* The cells of a row as one text, each after its length so that no two rows are mistaken. */
static wal_status key_text(const wal_frame *rows, int64_t row, const int *columns, int count, wal_text *out) {
  out->length = 0;
  for (int k = 0; k < count; k++) {
    wal_value value = wal_frame_get(rows, row, columns[k]);
    char text[WAL_TEXT_MAX];
    wal_value_format(&value, text, sizeof text);
    wal_text_add(out, "%zu:%s", strlen(text), text);
  }
  return out->failed ? wal_fail(WAL_E_MEMORY, "no memory for the key of a row") : WAL_OK;
}

/* of_row [rows]: the group of each row; *count: how many. */
static wal_status number_groups(const wal_result *result, const char *const keys[], int key_count,
                                int *of_row, int *count) {
  int *columns = calloc((size_t)key_count + 1, sizeof *columns);
  wal_status status = columns ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for %d key columns", key_count);
  for (int k = 0; columns && k < key_count; k++) columns[k] = wal_frame_find(result->rows, keys[k]);
  wal_index index = {0};
  wal_text text = {0};
  for (int64_t row = 0; row < wal_frame_rows(result->rows) && !status; row++) {
    status = key_text(result->rows, row, columns, key_count, &text);
    of_row[row] = status ? -1 : wal_index_add(&index, text.data ? text.data : "");
    if (of_row[row] < 0)
      status = wal_fail(WAL_E_MEMORY, "no memory for the groups of %lld rows", (long long)row);
  }
  *count = index.count;
  wal_index_free(&index);
  wal_text_free(&text);
  free(columns);
  return status;
}

/* Counts the rows of each group, then hands the finished ones out: a counting sort. */
static void fill_groups(const int *of_row, wal_grouping *out) {
  int64_t rows = wal_frame_rows(out->result->rows);
  for (int g = 0; g < out->count; g++) out->groups[g] = (wal_group){.row = -1};
  for (int64_t row = 0; row < rows; row++) {
    wal_group *group = &out->groups[of_row[row]];
    bool failed = row_failed(out->result, row);
    if (group->row < 0 || (!failed && group->count == 0)) group->row = row;
    group->count += !failed;
    group->failed += failed;
  }
  int64_t *next = out->rows;
  for (int g = 0; g < out->count; g++) {
    out->groups[g].rows = next;
    next += out->groups[g].count;
    out->groups[g].count = 0;
  }
  for (int64_t row = 0; row < rows; row++) {
    wal_group *group = &out->groups[of_row[row]];
    if (!row_failed(out->result, row)) out->rows[group->rows - out->rows + group->count++] = row;
  }
}

void wal_grouping_free(wal_grouping *grouping) {
  free(grouping->groups);
  free(grouping->rows);
  *grouping = (wal_grouping){0};
}

wal_status wal_group_rows(const wal_result *result, const char *const keys[], int key_count,
                          wal_grouping *out) {
  *out = (wal_grouping){.result = result};
  wal_status status = require_columns(result, keys, key_count);
  if (status != WAL_OK) return status;
  size_t rows = (size_t)wal_frame_rows(result->rows);
  int *of_row = calloc(rows + 1, sizeof *of_row);
  out->rows = calloc(rows + 1, sizeof *out->rows);
  status = of_row && out->rows ? number_groups(result, keys, key_count, of_row, &out->count)
                               : wal_fail(WAL_E_MEMORY, "no memory for the groups of %zu rows", rows);
  out->groups = status == WAL_OK ? calloc((size_t)out->count + 1, sizeof *out->groups) : NULL;
  if (status == WAL_OK && !out->groups)
    status = wal_fail(WAL_E_MEMORY, "no memory for %d groups", out->count);
  if (status == WAL_OK)
    fill_groups(of_row, out);
  else
    wal_grouping_free(out);
  free(of_row);
  return status;
}

wal_stat wal_group_stat(const wal_grouping *grouping, int group, const char *column) {
  const wal_frame *rows = grouping->result->rows;
  const wal_group *of = &grouping->groups[group];
  wal_stat stat = {NAN, NAN, NAN, NAN, 0};
  int c = wal_frame_find(rows, column);
  assert(c >= 0);
  double mean = 0, squares = 0; /* Welford: mean and sum of squared distances from it */
  for (int i = 0; i < of->count && c >= 0; i++) {
    if (wal_frame_missing(rows, of->rows[i], c)) continue;
    double value = wal_frame_real(rows, of->rows[i], c), from_old = value - mean;
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
  int seed = wal_param_find(result->config->experiment, "seed"), count = 0;
  if (seed >= 0) free(wal_config_distinct(result->config, seed, &count));
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

static bool any_published(const wal_grouping *grouping, const char *measure) {
  for (int g = 0; g < grouping->count; g++)
    if (!isnan(wal_result_published(grouping->result, grouping->groups[g].row, measure))) return true;
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
  int column = wal_frame_find(result->rows, key);
  wal_value value = wal_frame_get(result->rows, row, column);
  char shown[WAL_TEXT_MAX + 32];
  wal_value_format(&value, shown, sizeof shown);
  wal_table_text(table, wal_frame_missing(result->rows, row, column) ? "" : shown);
}

static void add_measure(wal_table *table, const wal_grouping *grouping, int g, const char *measure,
                        bool published) {
  const wal_result *result = grouping->result;
  const wal_group *group = &grouping->groups[g];
  wal_stat stat = wal_group_stat(grouping, g, measure);
  if (group->count == 0) {
    int error = wal_frame_find(result->rows, "error");
    wal_table_failed(table, error >= 0 ? wal_frame_text(result->rows, group->row, error) : "");
  } else {
    wal_table_real(table, stat.mean, stat.sd, stat.count);
  }
  if (!published) return;
  double paper = wal_result_published(result, group->row, measure);
  wal_table_real(table, paper, NAN, 1);
  wal_table_real(table, paper != 0 ? stat.mean / paper : NAN, NAN, 1); /* NaN when either is missing */
}

static void add_table_note(void *context, const char *note) { wal_table_note(context, "%s", note); }

/* A mean over fewer rows than were asked for is said. */
static void add_partial_notes(wal_table *table, const wal_grouping *grouping, const char *key) {
  const wal_frame *rows = grouping->result->rows;
  for (int g = 0; g < grouping->count; g++) {
    const wal_group *group = &grouping->groups[g];
    if (group->count == 0 || group->failed == 0) continue;
    wal_value value = wal_frame_get(rows, group->row, wal_frame_find(rows, key));
    char shown[WAL_TEXT_MAX + 32];
    wal_value_format(&value, shown, sizeof shown);
    wal_table_note(table, "%s = %s: %d of %d failed and are not in the mean", key, shown, group->failed,
                   group->failed + group->count);
  }
}

static void add_notes(wal_table *table, const wal_result *result, bool published) {
  int seeds = wal_seed_count(result);
  if (seeds > 1) wal_table_note(table, "Mean ± standard deviation over %d seeds", seeds);
  if (published) {
    wal_table_note(table, "ratio = ours / paper; -- where there is none");
    wal_notes_published(result, add_table_note, table);
  }
  wal_notes_failed(result, add_table_note, table);
}

/* The columns and rows of the table. published [measure_count]: set to which measures the paper gives. */
static void fill_table(wal_table *table, const wal_grouping *grouping, const char *const keys[],
                       int key_count, const char *const measures[], int measure_count, bool *published) {
  for (int k = 0; k < key_count; k++) wal_table_column(table, NULL, keys[k], NULL);
  for (int m = 0; m < measure_count; m++) {
    published[m] = any_published(grouping, measures[m]);
    add_columns(table, grouping->result, measures[m], published[m]);
  }
  for (int g = 0; g < grouping->count; g++) {
    wal_table_row(table);
    for (int k = 0; k < key_count; k++) add_key(table, grouping->result, keys[k], grouping->groups[g].row);
    for (int m = 0; m < measure_count; m++) add_measure(table, grouping, g, measures[m], published[m]);
  }
}

wal_status wal_drawing_standard_table(wal_drawing *drawing, const wal_result *result, const char *caption,
                                      const char *const keys[], int key_count, const char *const measures[],
                                      int measure_count) {
  wal_grouping grouping;
  wal_status status = wal_group_rows(result, keys, key_count, &grouping);
  if (status == WAL_OK) status = require_columns(result, measures, measure_count);
  wal_table *table = status == WAL_OK ? wal_drawing_table(drawing, "", caption) : NULL;
  bool *published = calloc((size_t)measure_count + 1, sizeof *published), some_published = false;
  if (!published) drawing->no_memory = true;
  if (table && published) {
    fill_table(table, &grouping, keys, key_count, measures, measure_count, published);
    for (int m = 0; m < measure_count; m++) some_published = some_published || published[m];
    add_notes(table, result, some_published);
    if (key_count > 0) add_partial_notes(table, &grouping, keys[0]);
  }
  free(published);
  wal_grouping_free(&grouping);
  return status;
}

wal_status wal_drawing_groups(const wal_result *result, wal_drawing *drawing, const char *const keys[],
                              int key_count, const char *const measures[], int measure_count,
                              wal_group_figure figure) {
  wal_grouping by = {0};
  wal_status status = wal_drawing_standard_table(drawing, result, result->config->title, keys, key_count,
                                                 measures, measure_count);
  if (status == WAL_OK) status = wal_group_rows(result, keys, key_count, &by);
  if (status == WAL_OK) figure(drawing, &by);
  wal_grouping_free(&by);
  return status;
}
