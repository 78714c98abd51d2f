/* walras list, explain, schema: what there is to run. */
#include <string.h>

#include "engine/command.h"
#include "engine/params.h"

/* ---- List ---- */

enum { MOST_TOPICS = 32 };

static int list_topic(const char *word) {
  const wal_topic *const *topics = wal_cli_program()->topics;
  const char *names[MOST_TOPICS] = {"experiments"};
  int count = 1;
  for (; *topics && count < MOST_TOPICS; topics++) {
    if (strcmp((*topics)->name, word) == 0) {
      (*topics)->print(stdout);
      return WAL_EXIT_OK;
    }
    names[count++] = (*topics)->name;
  }
  return wal_exit_code(wal_fail_unknown("topic", word, "walras list", names, count));
}

static int list(const wal_args *args, wal_registry registry) {
  if (wal_args_count(args) == 1 && strcmp(wal_args_at(args, 0), "experiments") != 0)
    return list_topic(wal_args_at(args, 0));
  for (wal_registry e = registry; *e; e++) printf("%-28s %s\n", (*e)->id, (*e)->title);
  return WAL_EXIT_OK;
}

const wal_command wal_command_list = {
    .name = "list",
    .usage = "[TOPIC]",
    .max_args = 1,
    .summary = "name the experiments, or what else there is: walras list solvers, walras list mechanisms",
    .examples = "  walras list\n  walras list solvers\n  walras list mechanisms\n",
    .run = list,
};

/* ---- Explain ---- */

/* Prints text wrapped at 100 columns behind an indent. */
static void print_wrapped(const char *text, int indent) {
  int column = 0;
  while (*text) {
    int word = (int)strcspn(text, " \n");
    if (column == 0)
      column = printf("%*s", indent, "");
    else if (column + 1 + word > 100)
      column = printf("\n%*s", indent, "") - 1;
    else
      column += printf(" ");
    column += printf("%.*s", word, text);
    text += word + strspn(text + word, " \n");
  }
  printf("\n");
}

static const char *example_of(const wal_param *param) {
  return *param->standard ? param->standard : param->flags & WAL_PARAM_FILE ? "data.h5" : "\"\"";
}

/* How a parameter that is a group too is written together with the first parameter below it, at a value with
   which that one counts. */
static void explain_group(const wal_experiment *experiment, const wal_param *param) {
  const char *at;
  for (int p = 0; p < experiment->param_count; p++) {
    const wal_param *below = &experiment->params[p];
    if (wal_param_component(below->name, param->name, &at) == 0) continue;
    size_t length = strlen(param->name);
    bool condition =
        below->when && strncmp(below->when, param->name, length) == 0 && below->when[length] == '=';
    const char *own = condition ? below->when + length + 1 : param->standard;
    printf("  in YAML: %s: {source: %.*s, %s: %s}\n", param->name, (int)strcspn(own, "|"), own, at,
           example_of(below));
    return;
  }
}

static void explain_param(const wal_experiment *experiment, const wal_param *param) {
  char range[512];
  wal_param_expected(param, range, sizeof range);
  printf("%s: %s\n", param->name, param->doc);
  printf("  value:   %s\n  default: %s\n", range, *param->standard ? param->standard : "none");
  if (param->unit && strcmp(param->unit, "1") != 0) printf("  unit:    %s\n", param->unit);
  if (param->when) printf("  counts:  when %s\n", param->when);
  if (param->flags & WAL_PARAM_FILE)
    printf("  path:    in a config relative to its folder, with --set to the working directory\n");
  printf("  set it:  --set %s=%s, or in the config under params or a sweep of %s\n", param->name,
         example_of(param), experiment->id);
  explain_group(experiment, param);
}

static void explain_experiment(const wal_experiment *experiment) {
  printf("%s: %s\n\n", experiment->id, experiment->title);
  print_wrapped(experiment->paper, 2);
  printf("\n");
  print_wrapped(experiment->doc, 2);
  printf("\nParameters (walras explain %s NAME tells more):\n", experiment->id);
  for (int p = 0; p < experiment->param_count; p++) {
    const wal_param *param = &experiment->params[p];
    printf("  %-20s %-10s %s%s%s%s\n", param->name, param->standard, param->doc, param->when ? " [when " : "",
           param->when ? param->when : "", param->when ? "]" : "");
  }
  printf("\nColumns of a result:\n");
  for (int c = 0; c < experiment->column_count; c++)
    printf("  %-20s %-10s %s\n", experiment->columns[c].name, experiment->columns[c].unit,
           experiment->columns[c].doc);
}

static wal_status explain_named(const wal_experiment *experiment, const char *name) {
  int param = wal_param_named(experiment, name);
  if (param < 0) return wal_fail_unknown_param(experiment, "", name);
  explain_param(experiment, &experiment->params[param]);
  return WAL_OK;
}

static int explain(const wal_args *args, wal_registry registry) {
  const wal_experiment *experiment = NULL;
  wal_status status = wal_experiment_named(registry, wal_args_at(args, 0), &experiment);
  if (!status && wal_args_count(args) == 2)
    status = explain_named(experiment, wal_args_at(args, 1));
  else if (!status)
    explain_experiment(experiment);
  return wal_exit_code(status);
}

const wal_command wal_command_explain = {
    .name = "explain",
    .usage = "EXPERIMENT [PARAMETER]",
    .min_args = 1,
    .max_args = 2,
    .summary = "tell what an experiment or one of its parameters is",
    .examples = "  walras explain marketfcnet/table1\n  walras explain marketfcnet/table1 fc.width\n",
    .run = explain,
};

/* ---- Schema ---- */

static int schema(const wal_args *args, wal_registry registry) {
  const wal_experiment *experiment = NULL;
  wal_status status = wal_experiment_named(registry, wal_args_at(args, 0), &experiment);
  if (!status) wal_schema_print(experiment, stdout);
  return wal_exit_code(status);
}

const wal_command wal_command_schema = {
    .name = "schema",
    .usage = "EXPERIMENT",
    .min_args = 1,
    .max_args = 1,
    .summary = "print the JSON Schema of an experiment's configs, for completion in editors",
    .examples = "  walras schema marketfcnet/table1 > table1.schema.json\n",
    .run = schema,
};
