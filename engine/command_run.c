/* walras run */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/blobs.h"
#include "engine/command.h"
#include "engine/config_list.h"
#include "engine/progress.h"
#include "engine/runner.h"

static const wal_flag flags[] = {
    {"profile", 'p', WAL_FLAG_TEXT, "NAME", NULL, "smoke, ci or paper [ci where the config has it]"},
    {"set", 's', WAL_FLAG_LIST, "NAME=VALUE", NULL, "override a parameter; NAME=V1,V2 sweeps it"},
    {"jobs", 'j', WAL_FLAG_COUNT, "N", "1", "points at a time"},
    {"threads", 't', WAL_FLAG_COUNT, "N", NULL, "threads of each point [cores / jobs]"},
    WAL_DEVICE_FLAG,
    {"keep-going", 'k', WAL_FLAG_SWITCH, NULL, NULL, "run the other points after a failure (the default)"},
    {"fail-fast", 'x', WAL_FLAG_SWITCH, NULL, NULL, "stop at the first failure"},
    {"force", 'f', WAL_FLAG_SWITCH, NULL, NULL,
     "run finished points again, and use nothing that earlier runs kept"},
    {"dry-run", 'n', WAL_FLAG_SWITCH, NULL, NULL,
     "print what would run, and why; with --quiet a line per config"},
    {"no-plots", 0, WAL_FLAG_SWITCH, NULL, NULL, "write the result file only"},
    {"quiet", 'q', WAL_FLAG_SWITCH, NULL, NULL, "print failures only"},
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder of result files, cache and logs"},
    {"plots", 0, WAL_FLAG_TEXT, "DIR", "plots", "folder of pictures and tables"},
};

/* Loads every config; a bad one is reported and left out. Returns the exit code so far. */
static int load_configs(const wal_args *args, wal_registry registry, const wal_config_list *paths,
                        wal_config **configs) {
  int set_count, code = WAL_EXIT_OK;
  const char *const *sets = wal_args_list(args, "set", &set_count);
  for (int i = 0; i < paths->count; i++) {
    wal_status status = wal_config_load(paths->paths[i], wal_args_text(args, "profile"), sets, set_count,
                                        registry, &configs[i]);
    if (status) code = wal_exit_code(status);
  }
  return code;
}

/* Seconds that the configs from `first` on take by their own word; *loaded: how many there are. */
static double expected_s(const wal_config_list *paths, wal_config *const *configs, int first, int *loaded) {
  double total = 0;
  *loaded = 0;
  for (int i = first; i < paths->count; i++) {
    if (!configs[i]) continue;
    ++*loaded;
    total += configs[i]->expect_s >= 0 ? configs[i]->expect_s : 0;
  }
  return total;
}

/* The first line of a dry run over several configs. */
static void print_expected(const wal_config_list *paths, wal_config *const *configs) {
  int loaded;
  char took[32];
  wal_format_seconds(expected_s(paths, configs, 0, &loaded), took, sizeof took);
  printf("%d config%s; with nothing cached about %s on 2 cores\n", loaded, loaded == 1 ? "" : "s", took);
}

static int worse(int a, int b) { return a > b ? a : b; }

/* Above the banner of each of several configs: which one it is and how long the rest takes. */
static void print_place(const wal_config_list *paths, wal_config *const *configs, int at) {
  int left;
  char took[32];
  wal_format_seconds(expected_s(paths, configs, at, &left), took, sizeof took);
  printf("%s[%d/%d] %s; what is left takes about %s on 2 cores, less what is cached\n", at ? "\n" : "",
         at + 1, paths->count, paths->paths[at], took);
}

/* Runs each loaded config; takes the configs over. */
static int run_configs(const wal_run_options *options, const wal_config_list *paths, wal_config **configs) {
  int code = WAL_EXIT_OK;
  for (int i = 0; i < paths->count; i++) {
    if (!configs[i]) continue;
    int failed = 0;
    if (paths->count > 1 && !options->dry_run && !options->quiet) print_place(paths, configs, i);
    wal_status status = wal_run(configs[i], options, &failed);
    configs[i] = NULL;
    code = worse(code, status ? wal_exit_code(status) : failed ? WAL_EXIT_FAILED : WAL_EXIT_OK);
    bool stop = status == WAL_E_INTERRUPTED || (failed && !options->keep_going);
    if (stop) break;
  }
  return code;
}

static int run(const wal_args *args, wal_registry registry) {
  char session[WAL_BLOB_SESSION];
  wal_blob_session(session);
  wal_run_options options = {.results = wal_args_text(args, "results"),
                             .plots = wal_args_text(args, "plots"),
                             .style = wal_style_path(),
                             .jobs = wal_args_int(args, "jobs", 1),
                             .threads = wal_args_int(args, "threads", 0),
                             .keep_going = !wal_args_on(args, "fail-fast"),
                             .force = wal_args_on(args, "force"),
                             .session = session,
                             .dry_run = wal_args_on(args, "dry-run"),
                             .no_plots = wal_args_on(args, "no-plots"),
                             .quiet = wal_args_on(args, "quiet")};
  if (wal_args_on(args, "keep-going") && wal_args_on(args, "fail-fast"))
    return wal_exit_code(
        wal_fail(WAL_E_INPUT, "--keep-going and --fail-fast contradict each other; give one"));
  wal_config_list paths = {0};
  wal_status status = wal_device_flag(args, &options.device);
  for (int i = 0; i < wal_args_count(args) && !status; i++)
    status = wal_config_list_add(&paths, wal_args_at(args, i), wal_args_text(args, "profile"));
  wal_config **configs = status ? NULL : calloc((size_t)paths.count + 1, sizeof *configs);
  if (!status && !configs) status = wal_fail(WAL_E_MEMORY, "no memory for %d configs", paths.count);
  int code = status ? wal_exit_code(status) : load_configs(args, registry, &paths, configs);
  if (!status && options.dry_run && paths.count > 1) print_expected(&paths, configs);
  if (!status) code = worse(code, run_configs(&options, &paths, configs));
  for (int i = 0; configs && i < paths.count; i++) wal_config_free(configs[i]);
  free(configs);
  wal_config_list_free(&paths);
  return code;
}

const wal_command wal_command_run = {
    .name = "run",
    .usage = "CONFIG...",
    .min_args = 1,
    .max_args = -1,
    .summary = "run the points of a config, write its HDF5, draw its pictures",
    .doc =
        "Finished points are kept in RESULTS/cache and skipped; failed ones run again. Ctrl-C or a kill "
        "loses the\n"
        "points in progress alone: the same command continues. A CONFIG may be a folder: every .yaml below "
        "it that\n"
        "has the profile runs. On a GPU the points in progress share its memory: --jobs 1, the default, is "
        "the "
        "safe choice;\n"
        "what runs there is in walras list devices, and its finished points are kept beside the CPU's.",
    .examples =
        "  walras run configs/marketfcnet/table1.yaml\n"
        "  walras run configs/marketfcnet/table1.yaml --profile smoke --dry-run\n"
        "  walras run configs/marketfcnet/table1.yaml --set n=16384 --set alpha=-1\n"
        "  walras run configs/marketfcnet/table1.yaml --set solver=newton,naive --set m=2,5,10 --jobs 2\n"
        "  walras run configs --profile ci\n"
        "  walras run configs/marketfcnet/table1.yaml --profile paper --device cuda\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
