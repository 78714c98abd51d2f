#include "engine/cli.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/command.h"
#include "engine/store.h"
#include "engine/util.h"
#include "engine/yaml.h"
#include "models/common/version.h"

static const wal_command *const commands[] = {
    &wal_command_run,    &wal_command_report,  &wal_command_list,   &wal_command_explain,
    &wal_command_schema, &wal_command_show,    &wal_command_plot,   &wal_command_diff,
    &wal_command_verify, &wal_command_compare, &wal_command_golden,
};
enum { COMMANDS = sizeof commands / sizeof *commands, MOST_COMMANDS = 64 };

static const wal_command *const no_commands[] = {NULL};
static const wal_topic *const no_topics[] = {NULL};
static const wal_experiment *const no_experiments[] = {NULL};
static const wal_device_offer *const no_devices[] = {NULL};
static wal_program the_program = {no_experiments, no_commands, no_topics, no_devices};

const wal_program *wal_cli_program(void) { return &the_program; }

/* Command `index` of the engine's, then of the program's; NULL: there are fewer. */
static const wal_command *command_at(int index) {
  if (index < COMMANDS) return commands[index];
  const wal_command *const *more = the_program.commands;
  for (index -= COMMANDS; *more && index > 0; index--) more++;
  return *more;
}

/* ---- Shared by the commands ---- */

int wal_exit_code(wal_status status) {
  if (status == WAL_OK) return WAL_EXIT_OK;
  if (status == WAL_E_INTERRUPTED) return WAL_EXIT_INTERRUPTED;
  fflush(stdout);
  fprintf(stderr, "walras: %s\n", wal_error());
  return status == WAL_E_MEMORY || status == WAL_E_INTERNAL ? WAL_EXIT_MACHINE : WAL_EXIT_INPUT;
}

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

wal_status wal_result_path(const char *word, const char *results, wal_registry registry, char **path) {
  *path = NULL;
  if (ends_with(word, ".yaml") || ends_with(word, ".yml")) {
    wal_config *config = NULL;
    wal_status status = wal_config_load(word, NULL, NULL, 0, registry, &config);
    if (status) return status;
    *path = wal_path_join(results, config->name, ".h5");
    if (*path && access(*path, F_OK) != 0)
      status = wal_fail(WAL_E_INPUT, "%s has no result yet: %s is missing (walras run %s makes it)", word,
                        *path, word);
    wal_config_free(config);
    if (status) {
      free(*path);
      *path = NULL;
      return status;
    }
  } else {
    if (access(word, F_OK) != 0)
      return wal_fail(WAL_E_INPUT, "%s: %s; expected a result, such as %s/%s.h5, or a config", word,
                      strerror(errno), results, registry[0] ? registry[0]->id : "PAPER/FIGURE");
    *path = strdup(word);
  }
  return *path ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the path of %s", word);
}

wal_status wal_result_open(const char *word, const char *results, wal_registry registry, wal_result **out) {
  char *path = NULL;
  *out = NULL;
  wal_status status = wal_result_path(word, results, registry, &path);
  if (!status) status = wal_store_read(path, registry, out);
  free(path);
  return status;
}

enum { MOST_NAMES = 256 };

wal_status wal_experiment_named(wal_registry registry, const char *id, const wal_experiment **out) {
  *out = wal_experiment_find(registry, id);
  if (*out) return WAL_OK;
  const char *names[MOST_NAMES];
  int count = 0;
  for (wal_registry e = registry; *e && count < MOST_NAMES; e++) names[count++] = (*e)->id;
  const char *close = wal_did_you_mean(id, names, count);
  if (close)
    return wal_fail(WAL_E_INPUT, "unknown experiment '%s'; did you mean '%s'? (walras list names them all)",
                    id, close);
  return wal_fail(WAL_E_INPUT, "unknown experiment '%s'; walras list names them all%s%s", id,
                  count ? ", the first is " : "", count ? names[0] : "");
}

const char *wal_style_path(void) {
  static const char *const here = "plots/style.gp";
#ifdef WAL_STYLE
  if (access(here, R_OK) != 0) return WAL_STYLE;
#endif
  return here;
}

wal_status wal_device_flag(const wal_args *args, wal_device_choice *out) {
  return wal_device_choose(wal_args_text(args, "device"), the_program.devices, out);
}

/* ---- The program ---- */

static void print_help(FILE *out) {
  fprintf(out, "walras " WAL_VERSION
               ": reproducible experiments on Fisher markets\n\n"
               "Usage: walras COMMAND [FLAGS] [ARGUMENTS]\n\nCommands:\n");
  for (int c = 0; command_at(c); c++)
    fprintf(out, "  %-8s %s\n", command_at(c)->name, command_at(c)->summary);
  fprintf(out,
          "\nFlags:\n  -h, --help     show this text; walras COMMAND --help shows a command's\n"
          "      --version  show the version, and whether CUDA is built in\n"
          "\nExamples:\n"
          "  walras list\n"
          "  walras run configs/marketfcnet/table1.yaml --profile smoke\n"
          "  walras run configs/marketfcnet/table1.yaml --set n=16384 --set alpha=-1\n"
          "  walras show results/marketfcnet/table1.h5\n"
          "\nExit codes: 0 success; 1 a point failed, or a difference or regression was found;\n"
          "2 bad input, or a file that cannot be read or written; 3 no memory, or a fault of walras; 130 "
          "interrupted.\n");
}

static int unknown_command(const char *word) {
  const char *names[MOST_COMMANDS] = {"--help", "--version"};
  int count = 2;
  for (; count < MOST_COMMANDS && command_at(count - 2); count++) names[count] = command_at(count - 2)->name;
  const char *close = wal_did_you_mean(word, names, count);
  const char *kind = word[0] == '-' ? "flag" : "command";
  if (close)
    wal_fail(WAL_E_INPUT, "unknown %s '%s'; did you mean '%s'? (walras --help lists the commands)", kind,
             word, close);
  else
    wal_fail(WAL_E_INPUT, "unknown %s '%s'; walras --help lists the commands", kind, word);
  return wal_exit_code(WAL_E_INPUT);
}

static int run_command(const wal_command *command, int count, char **words, wal_registry registry) {
  wal_args *args = NULL;
  wal_status status = wal_args_parse(command, count, words, &args);
  if (status) return wal_exit_code(status);
  int code = WAL_EXIT_OK;
  if (wal_args_help(args))
    wal_command_help(command, stdout);
  else
    code = command->run(args, registry);
  wal_args_free(args);
  return code;
}

static bool is_one_of(const char *word, const char *a, const char *b) {
  return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int dispatch(int argc, char **argv, wal_registry registry) {
  if (argc < 2) {
    print_help(stderr);
    return WAL_EXIT_INPUT;
  }
  if (argc == 3 && strcmp(argv[1], "help") == 0) /* walras help COMMAND */
    return dispatch(3, (char *[]){argv[0], argv[2], "--help", NULL}, registry);
  if (is_one_of(argv[1], "--help", "-h") || (argc == 2 && strcmp(argv[1], "help") == 0)) {
    print_help(stdout);
    return WAL_EXIT_OK;
  }
  if (strcmp(argv[1], "--version") == 0) {
    char built[128];
    wal_device_built(the_program.devices, built, sizeof built);
    printf("walras %s (models version %d%s%s)\n", WAL_VERSION, WAL_MODELS_VERSION, *built ? ", " : "", built);
    return WAL_EXIT_OK;
  }
  for (int c = 0; command_at(c); c++)
    if (strcmp(argv[1], command_at(c)->name) == 0)
      return run_command(command_at(c), argc - 2, argv + 2, registry);
  return unknown_command(argv[1]);
}

int wal_cli_main(int argc, char **argv, const wal_program *program) {
  H5dont_atexit(); /* we close every file; after a write that failed (a full disk) HDF5's own end would crash
                    */
  the_program = *program;
  int code = dispatch(argc, argv, program->registry);
  if (fflush(stdout) != 0 && code == WAL_EXIT_OK) {
    fprintf(stderr, "walras: cannot write to the standard output (is its disk full?)\n");
    return WAL_EXIT_INPUT;
  }
  return code;
}
