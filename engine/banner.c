#include "engine/banner.h"

#include <stdlib.h>
#include <string.h>

#include "engine/progress.h"
#include "engine/util.h"

enum { WIDTH = 100, NAME_WIDTH = 11, MOST_VALUES = 12 };

/* ---- The box ---- */

static void rule(FILE *out) {
  fputc('+', out);
  for (int i = 0; i < WIDTH + 2; i++) fputc('-', out);
  fputs("+\n", out);
}

/* Columns of UTF-8 text: bytes that do not continue a character. */
static int columns_of(const char *text, int bytes) {
  int columns = 0;
  for (int i = 0; i < bytes; i++) columns += (text[i] & 0xC0) != 0x80;
  return columns;
}

/* Bytes of `text` that fit in `room` columns, ending at a space where there is one. */
static int fitting(const char *text, int room) {
  int bytes = (int)strlen(text);
  if (columns_of(text, bytes) <= room) return bytes;
  int space = 0, cut = 0;
  for (int i = 0; i < bytes && columns_of(text, i) <= room; i++) {
    if (text[i] == ' ') space = i;
    if ((text[i] & 0xC0) != 0x80) cut = i;
  }
  return space > 0 ? space : cut;
}

/* "| NAME       TEXT |", wrapped. */
static void box_line(FILE *out, const char *name, const char *text) {
  const int room = WIDTH - NAME_WIDTH - 1;
  do {
    int bytes = fitting(text, room);
    fprintf(out, "| %-*s %.*s%*s |\n", NAME_WIDTH, name, bytes, text, room - columns_of(text, bytes), "");
    text += bytes;
    text += strspn(text, " ");
    name = "";
  } while (*text);
}

/* ---- Parameters ---- */

static void add_constant(wal_text *text, const wal_config *config, int param, int point) {
  const wal_param *declared = &config->experiment->params[param];
  char value[WAL_TEXT_MAX];
  wal_value_format(&config->points[point].values[param], value, sizeof value);
  bool has_unit = declared->unit && declared->unit[0] && strcmp(declared->unit, "1") != 0;
  wal_text_add(text, "%s%s=%s%s%s", text->length ? "  " : "", declared->name, value, has_unit ? " " : "",
               has_unit ? declared->unit : "");
}

/* Distinct values in order of appearance. */
static void add_values(wal_text *text, const wal_config *config, int param) {
  int count = 0;
  int *first = wal_config_distinct(config, param, &count);
  for (int i = 0; i < count && i < MOST_VALUES; i++) {
    char value[WAL_TEXT_MAX];
    wal_value_format(&config->points[first[i]].values[param], value, sizeof value);
    wal_text_add(text, "%s%s", i ? ", " : "", value);
  }
  if (count > MOST_VALUES) wal_text_add(text, ", ... (%d values)", count);
  free(first);
}

static void box_text(FILE *out, const char *name, wal_text *text) {
  if (text->data && text->length && !text->failed) box_line(out, name, text->data);
  wal_text_free(text);
}

/* The first point where the parameter counts; -1: none. */
static int first_counting(const wal_config *config, int param) {
  for (int i = 0; i < config->point_count; i++)
    if (wal_point_counts(&config->points[i], param)) return i;
  return -1;
}

static void print_parameters(const wal_config *config, FILE *out) {
  wal_text constants = {0};
  for (int p = 0; p < config->experiment->param_count; p++) {
    int point = first_counting(config, p);
    if (point >= 0 && !config->swept[p]) add_constant(&constants, config, p, point);
  }
  box_text(out, "constants", &constants);
  const char *name = "sweeps";
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (!config->swept[p]) continue;
    wal_text sweep = {0};
    wal_text_add(&sweep, "%s: ", config->experiment->params[p].name);
    add_values(&sweep, config, p);
    box_text(out, name, &sweep);
    name = "";
  }
}

/* ---- The head ---- */

static const char *known(const wal_provenance *machine, const char *name) {
  const char *value = wal_provenance_get(machine, name);
  return value ? value : "unknown";
}

static void print_head(const wal_config *config, const wal_plan *plan, FILE *out) {
  char text[512], plan_text[192], took[32];
  snprintf(text, sizeof text, "%s: %s", config->experiment->id, config->title);
  box_line(out, "experiment", text);
  snprintf(text, sizeof text, "%s, profile %s", config->path,
           config->profile[0] ? config->profile : "(none)");
  box_line(out, "config", text);
  wal_plan_summary(plan, plan_text, sizeof plan_text);
  wal_format_seconds(config->expect_s * plan->todo / (plan->count ? plan->count : 1), took, sizeof took);
  bool expected = config->expect_s >= 0 && plan->todo > 0;
  snprintf(text, sizeof text, "%s%s%s%s", plan_text, expected ? " (expected: about " : "",
           expected ? took : "", expected ? " on 2 cores)" : "");
  box_line(out, "points", text);
}

static void print_seeds(const wal_config *config, FILE *out) {
  int seed = wal_param_find(config->experiment, "seed");
  if (seed < 0) return;
  wal_text seeds = {0};
  add_values(&seeds, config, seed);
  box_text(out, "seeds", &seeds);
}

void wal_banner_print(const wal_config *config, const wal_plan *plan, const wal_provenance *machine, int jobs,
                      int threads, FILE *out) {
  rule(out);
  print_head(config, plan, out);
  print_seeds(config, out);
  char text[512];
  snprintf(text, sizeof text, "%s, %s cores; %d job%s of %d thread%s", known(machine, "cpu"),
           known(machine, "cores"), jobs, jobs == 1 ? "" : "s", threads, threads == 1 ? "" : "s");
  box_line(out, "machine", text);
  snprintf(text, sizeof text, "%s; %s", known(machine, "device_line"), known(machine, "precision"));
  box_line(out, "device", text);
  rule(out);
  print_parameters(config, out);
  rule(out);
}
