/* Commands and their flags as data: one table per command drives parsing, --help and "did you mean". */
#ifndef WAL_ENGINE_OPTIONS_H
#define WAL_ENGINE_OPTIONS_H

#include <stdio.h>

#include "engine/experiment.h"

typedef enum {
  WAL_FLAG_SWITCH, /* --force */
  WAL_FLAG_COUNT,  /* --jobs 4: an integer of at least 1 */
  WAL_FLAG_TEXT,   /* --results DIR: the last one counts */
  WAL_FLAG_LIST,   /* --set a=1 --set b=2: all count */
} wal_flag_kind;

typedef struct {
  const char *name; /* "dry-run": given as --dry-run */
  char letter;      /* 'n': also given as -n; 0: no short form */
  wal_flag_kind kind;
  const char *argument; /* "DIR" in --help; NULL for a switch */
  const char *standard; /* the default as text; NULL: none */
  const char *doc;      /* one line */
} wal_flag;

typedef struct wal_args wal_args; /* flags and arguments of one call */

typedef struct {
  const char *name;       /* "run" */
  const char *usage;      /* "CONFIG...": its arguments */
  int min_args, max_args; /* max_args -1: any number */
  const char *summary;    /* one line */
  const char *doc;        /* paragraphs of --help */
  const char *examples;   /* lines of --help */
  const wal_flag *flags;
  int flag_count;
  int (*run)(const wal_args *args, wal_registry registry); /* returns the exit code */
} wal_command;

/* Reads the words after the command's name. WAL_E_INPUT names the word, the closest flag, and --help. The
 * words are borrowed. */
wal_status wal_args_parse(const wal_command *command, int count, char *const words[], wal_args **out);
void wal_args_free(wal_args *args);

bool wal_args_help(const wal_args *args);                 /* --help or -h was given */
int wal_args_count(const wal_args *args);                 /* arguments that are not flags */
const char *wal_args_at(const wal_args *args, int index); /* borrowed */
/* Flags by name; asking for an undeclared flag is a programming error (assert). */
bool wal_args_on(const wal_args *args, const char *flag);
int wal_args_int(const wal_args *args, const char *flag, int absent);
const char *wal_args_text(const wal_args *args, const char *flag); /* its default when not given; borrowed */
const char *const *wal_args_list(const wal_args *args, const char *flag, int *count);

/* `walras COMMAND --help`. */
void wal_command_help(const wal_command *command, FILE *out);

#endif
