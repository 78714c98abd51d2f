#include "engine/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/yaml.h"

/* What was given for one flag. */
typedef struct {
  int count;
  const char **values; /* [count] borrowed words; NULL for a switch */
} given_flag;

struct wal_args {
  const wal_command *command; /* borrowed */
  bool help;
  int count;
  const char **words; /* [count] borrowed */
  given_flag *flags;  /* [command->flag_count] */
};

/* ---- Parsing ---- */

static wal_args *args_new(const wal_command *command, int words) {
  wal_args *args = calloc(1, sizeof *args);
  if (!args) return NULL;
  args->command = command;
  args->words = calloc((size_t)words + 1, sizeof *args->words);
  args->flags = calloc((size_t)command->flag_count + 1, sizeof *args->flags);
  bool whole = args->words && args->flags;
  for (int f = 0; whole && f < command->flag_count; f++) {
    args->flags[f].values = calloc((size_t)words + 1, sizeof *args->flags[f].values);
    whole = args->flags[f].values != NULL;
  }
  if (whole) return args;
  wal_args_free(args);
  return NULL;
}

void wal_args_free(wal_args *args) {
  if (!args) return;
  for (int f = 0; args->flags && f < args->command->flag_count; f++) free(args->flags[f].values);
  free(args->flags);
  free(args->words);
  free(args);
}

/* The flag that `name` (`length` characters) spells, or -1. */
static int find_flag(const wal_command *command, const char *name, size_t length) {
  for (int f = 0; f < command->flag_count; f++) {
    const wal_flag *flag = &command->flags[f];
    if (strlen(flag->name) == length && memcmp(flag->name, name, length) == 0) return f;
    if (length == 1 && flag->letter && flag->letter == name[0]) return f;
  }
  return -1;
}

enum { MOST_FLAGS = 32 };

static wal_status unknown_flag(const wal_command *command, const char *word) {
  const char *names[MOST_FLAGS];
  assert(command->flag_count < MOST_FLAGS);
  for (int f = 0; f < command->flag_count; f++) names[f] = command->flags[f].name;
  names[command->flag_count] = "help";
  const char *bare = word + strspn(word, "-");
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
  const char *close = wal_did_you_mean(name, names, command->flag_count + 1);
  if (close)
    return wal_fail(WAL_E_INPUT, "unknown flag %s; did you mean --%s? (walras %s --help lists the flags)",
                    word, close, command->name);
  return wal_fail(WAL_E_INPUT, "unknown flag %s; walras %s --help lists the flags", word, command->name);
}

static wal_status check_count(const wal_flag *flag, const char *value) {
  wal_value number;
  if (wal_value_parse(WAL_INT, value, &number) == WAL_OK && number.i >= 1 && number.i <= 1 << 20)
    return WAL_OK;
  return wal_fail(WAL_E_INPUT, "--%s %s; expected an integer from 1 to 2^20 (--%s 2 works)", flag->name,
                  value, flag->name);
}

/* Reads the flag at words[*at] and, where it takes one, its value; moves *at to the last word used. */
static wal_status parse_flag(wal_args *args, int count, char *const words[], int *at) {
  const char *word = words[*at];
  const char *name = word + (word[1] == '-' ? 2 : 1);
  size_t length = strcspn(name, "=");
  if ((length == 4 && memcmp(name, "help", 4) == 0) || strcmp(word, "-h") == 0) {
    args->help = true;
    return WAL_OK;
  }
  bool one_letter = word[1] != '-';
  int f = one_letter && length != 1 ? -1 : find_flag(args->command, name, length);
  if (f < 0) return unknown_flag(args->command, word);
  const wal_flag *flag = &args->command->flags[f];
  const char *value = name[length] == '=' ? name + length + 1 : NULL;
  if (flag->kind == WAL_FLAG_SWITCH) {
    if (value) return wal_fail(WAL_E_INPUT, "--%s takes no value, found %s", flag->name, word);
  } else if (!value) {
    if (*at + 1 >= count)
      return wal_fail(WAL_E_INPUT, "--%s needs a value: --%s %s", flag->name, flag->name, flag->argument);
    value = words[++*at];
  }
  if (value && !*value && flag->standard)
    return wal_fail(WAL_E_INPUT, "--%s is empty; expected --%s %s (--%s %s is the default)", flag->name,
                    flag->name, flag->argument, flag->name, flag->standard);
  if (flag->kind == WAL_FLAG_COUNT) {
    wal_status status = check_count(flag, value);
    if (status) return status;
  }
  args->flags[f].values[args->flags[f].count++] = value;
  return WAL_OK;
}

static wal_status check_arguments(const wal_args *args) {
  const wal_command *command = args->command;
  if (args->help) return WAL_OK;
  if (args->count < command->min_args)
    return wal_fail(WAL_E_INPUT, "walras %s needs %s; walras %s --help shows examples", command->name,
                    command->usage, command->name);
  if (command->max_args >= 0 && args->count > command->max_args)
    return wal_fail(WAL_E_INPUT, "walras %s: unexpected argument %s; usage: walras %s%s%s", command->name,
                    args->words[command->max_args], command->name, *command->usage ? " " : "",
                    command->usage);
  return WAL_OK;
}

wal_status wal_args_parse(const wal_command *command, int count, char *const words[], wal_args **out) {
  *out = NULL;
  wal_args *args = args_new(command, count);
  if (!args) return wal_fail(WAL_E_MEMORY, "no memory for the command line");
  bool flags_end = false; /* after "--" every word is an argument */
  wal_status status = WAL_OK;
  for (int i = 0; i < count && !status; i++) {
    if (!flags_end && strcmp(words[i], "--") == 0)
      flags_end = true;
    else if (!flags_end && words[i][0] == '-' && words[i][1])
      status = parse_flag(args, count, words, &i);
    else
      args->words[args->count++] = words[i];
  }
  if (!status) status = check_arguments(args);
  if (status) {
    wal_args_free(args);
    return status;
  }
  *out = args;
  return WAL_OK;
}

/* ---- Reading ---- */

bool wal_args_help(const wal_args *args) { return args->help; }
int wal_args_count(const wal_args *args) { return args->count; }

const char *wal_args_at(const wal_args *args, int index) {
  return index < args->count ? args->words[index] : NULL;
}

static int known_flag(const wal_args *args, const char *name) {
  int f = find_flag(args->command, name, strlen(name));
  assert(f >= 0 && "a flag missing from the command's table");
  return f;
}

bool wal_args_on(const wal_args *args, const char *flag) {
  return args->flags[known_flag(args, flag)].count > 0;
}

const char *wal_args_text(const wal_args *args, const char *flag) {
  int f = known_flag(args, flag);
  const given_flag *given = &args->flags[f];
  return given->count ? given->values[given->count - 1] : args->command->flags[f].standard;
}

int wal_args_int(const wal_args *args, const char *flag, int absent) {
  const char *text = wal_args_text(args, flag);
  wal_value number;
  return text && wal_value_parse(WAL_INT, text, &number) == WAL_OK ? (int)number.i : absent;
}

const char *const *wal_args_list(const wal_args *args, const char *flag, int *count) {
  const given_flag *given = &args->flags[known_flag(args, flag)];
  *count = given->count;
  return given->values;
}

/* ---- Help ---- */

static void print_flag(const wal_flag *flag, FILE *out) {
  char left[64];
  int used = flag->letter ? snprintf(left, sizeof left, "-%c, ", flag->letter) : 0;
  snprintf(left + used, sizeof left - (size_t)used, "--%s%s%s", flag->name, flag->argument ? " " : "",
           flag->argument ? flag->argument : "");
  fprintf(out, "  %-24s %s", left, flag->doc);
  if (flag->standard) fprintf(out, " [%s]", flag->standard);
  fputc('\n', out);
}

void wal_command_help(const wal_command *command, FILE *out) {
  fprintf(out, "walras %s: %s\n\nUsage: walras %s%s%s%s\n", command->name, command->summary, command->name,
          command->flag_count ? " [FLAGS]" : "", *command->usage ? " " : "", command->usage);
  if (command->doc) fprintf(out, "\n%s\n", command->doc);
  fprintf(out, "\nFlags:\n");
  for (int f = 0; f < command->flag_count; f++) print_flag(&command->flags[f], out);
  print_flag(&(wal_flag){.name = "help", .letter = 'h', .doc = "show this text"}, out);
  if (command->examples) fprintf(out, "\nExamples:\n%s", command->examples);
  fprintf(out,
          "\nExit codes: 0 success; 1 a point failed, or a difference or regression was found;\n"
          "2 bad input, or a file that cannot be read or written; 3 no memory, or a fault of walras; 130 "
          "interrupted.\n");
}
