#include "engine/rerun.h"

#include <errno.h>
#include <string.h>

#include "engine/util.h"

static void add_word(wal_text *text, const char *word) {
  bool plain = word[0] && strspn(word,
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_.,:/+^=-") == strlen(word);
  wal_text_add(text, "%s%s", text->length > 0 ? " " : "", plain ? word : "'");
  for (const char *c = word; !plain && *c; c++) wal_text_add(text, *c == '\'' ? "'\\''" : "%c", *c);
  if (!plain) wal_text_add(text, "'");
}

/* Is the parameter of this NAME=VALUE swept? */
static bool sets_swept(const wal_config *config, const char *set) {
  for (int p = 0; p < config->experiment->param_count; p++) {
    const char *name = config->experiment->params[p].name;
    if (strncmp(set, name, strlen(name)) == 0 && set[strlen(name)] == '=') return config->swept[p];
  }
  return false;
}

/* The --set flags of this run; without those of swept parameters when one point is meant. */
static void add_sets(wal_text *text, const wal_config *config, bool one_point) {
  for (const char *set = config->sets; *set; set += *set == '\n') {
    int length = (int)strcspn(set, "\n");
    char word[2 * WAL_TEXT_MAX];
    snprintf(word, sizeof word, "%.*s", length, set);
    if (word[0] && !(one_point && sets_swept(config, word))) {
      wal_text_add(text, " --set");
      add_word(text, word);
    }
    set += length;
  }
}

static void add_point(wal_text *text, const wal_config *config, const wal_point *point) {
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (!config->swept[p] || !wal_point_counts(point, p)) continue;
    char value[WAL_TEXT_MAX], word[2 * WAL_TEXT_MAX];
    wal_value_format(&point->values[p], value, sizeof value);
    snprintf(word, sizeof word, "%s=%s", config->experiment->params[p].name, value);
    wal_text_add(text, " --set");
    add_word(text, word);
  }
}

/* On what, where results go, and of a run that goes on how many points and threads at a time. */
static void add_options(wal_text *text, const wal_run_options *options, bool one_point) {
  if (!one_point && options->jobs > 1) wal_text_add(text, " --jobs %d", options->jobs);
  if (options->threads > 0) wal_text_add(text, " --threads %d", options->threads);
  if (options->device.asked) wal_text_add(text, " --device %s", options->device.device->name);
  if (strcmp(options->results, "results") != 0) {
    wal_text_add(text, " --results");
    add_word(text, options->results);
  }
  if (options->no_plots) {
    wal_text_add(text, " --no-plots");
  } else if (strcmp(options->plots, "plots") != 0) {
    wal_text_add(text, " --plots");
    add_word(text, options->plots);
  }
}

void wal_rerun_print(const wal_config *config, const wal_run_options *options, const wal_point *point,
                     FILE *out) {
  wal_text text = {0};
  add_word(&text, program_invocation_name);
  wal_text_add(&text, " run");
  add_word(&text, config->path);
  if (config->profile[0]) {
    wal_text_add(&text, " --profile");
    add_word(&text, config->profile);
  }
  add_sets(&text, config, point != NULL);
  if (point) add_point(&text, config, point);
  add_options(&text, options, point != NULL);
  if (text.data && !text.failed) fprintf(out, "    %s\n", text.data);
  wal_text_free(&text);
}
