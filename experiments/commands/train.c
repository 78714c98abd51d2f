/* walras train: a network that learns to allocate a market, saved for other buyers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "engine/precision.h"
#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"
#include "experiments/commands/train_mechanism.h"
#include "experiments/files/network_file.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"

static const wal_flag flags[] = {
    {"solver", 0, WAL_FLAG_TEXT, "NAME", NULL, "of a market, the recipe: fc, fc_share or tower [fc_share]"},
    {"alpha", 'a', WAL_FLAG_TEXT, "A", NULL, "of a market, CES parameter [the file's, or 0.5]"},
    {"mechanism", 'm', WAL_FLAG_TEXT, "KIND", NULL,
     "train a mechanism instead: exs, softmax, rpf, rpf_equivariant, rpf_monotone or rpf_separable"},
    {"agents", 0, WAL_FLAG_COUNT, "N", NULL, "of the mechanism's instances [2]"},
    {"resources", 0, WAL_FLAG_COUNT, "M", NULL, "of the mechanism's instances [2]"},
    {"set", 's', WAL_FLAG_LIST, "OPTION=VALUE", NULL,
     "of the population (n, m, d, contexts) where it is drawn, of the recipe: fc_share.width=32; of a "
     "mechanism: budget, train.gamma=0.1, net.width"},
    {"output", 'o', WAL_FLAG_TEXT, "MODEL.h5", NULL, "write the network"},
    WAL_DEVICE_FLAG,
    {"threads", 't', WAL_FLAG_COUNT, "N", NULL, "threads [cores]"},
};

typedef struct {
  const char *path, *out; /* path NULL: a drawn population; out NULL: print only */
  wal_device_choice device;
  wal_settings settings;
  const wal_solver *solver;
  wal_solver_options options;
  wal_market_file file;
  wal_context_market drawn;
  const wal_market *market; /* of one of the two */
  wal_solution solution;
  wal_measures measures;
  wal_trained_network network;
  wal_provenance texts;
  double seconds; /* of training, wall time */
  wal_bar bar;
} work;

/* Also the population's where it is drawn. */
static bool is_population_param(const wal_param *param) {
  static const char *const names[] = {"n", "m", "d", "alpha", "contexts"};
  for (int i = 0; i < 5; i++)
    if (strcmp(param->name, names[i]) == 0) return true;
  return wal_is_solver_param(param);
}

static const char *recipe_of(const wal_args *args) {
  const char *name = wal_args_text(args, "solver");
  return name ? name : "fc_share";
}

static wal_status read_settings(const wal_args *args, work *w) {
  wal_status status =
      wal_settings_read(args, "walras train", &wal_market_settings,
                        w->path ? wal_is_solver_param : is_population_param, recipe_of(args), &w->settings);
  if (status == WAL_OK) status = wal_precision_check(&w->settings.point, w->device.device);
  if (status != WAL_OK) return status;
  w->solver = wal_solver_find(wal_point_text(&w->settings.point, "solver"));
  if (!w->solver || !w->solver->contexts)
    return wal_fail(WAL_E_INPUT,
                    "%s trains no network; expected fc, fc_share or tower (--solver fc_share works)",
                    recipe_of(args));
  wal_market_solver_options(&w->settings.point, &w->options);
  return WAL_OK;
}

static wal_status draw_market(work *w, double alpha) {
  const wal_point *p = &w->settings.point;
  wal_context_law law;
  wal_status status = wal_context_law_parse(wal_point_text(p, "contexts"), &law);
  if (status == WAL_OK)
    status = wal_context_market_create(law, w->options.seed, wal_point_int(p, "n"),
                                       (int)wal_point_int(p, "m"), (int)wal_point_int(p, "d"),
                                       isnan(alpha) ? wal_point_real(p, "alpha") : alpha, &w->drawn);
  w->market = &w->drawn.market;
  return status;
}

static wal_status open_market(const wal_args *args, work *w) {
  double alpha;
  wal_status status = wal_alpha_flag(args, &alpha);
  if (status != WAL_OK || !w->path) return status ? status : draw_market(w, alpha);
  status = wal_market_file_open(w->path, &(wal_market_file_options){.alpha = alpha}, &w->file);
  w->market = &w->file.market;
  return status ? status : wal_market_check(w->market);
}

/* The epoch and its gap, in front of the bar's text. */
static void see_row(void *context, int count, const char *const names[], const double values[]) {
  wal_bar *bar = context;
  double epoch = NAN, gap = NAN;
  for (int i = 0; i < count; i++) {
    if (strcmp(names[i], "epoch") == 0) epoch = values[i];
    if (strcmp(names[i], "nash_gap") == 0) gap = values[i];
  }
  snprintf(bar->label, sizeof bar->label, "epoch %g, NG %.2g", epoch, gap);
}

static wal_status train(work *w) {
  const wal_trace trace = {.context = &w->bar, .row = see_row, .progress = wal_bar_show};
  const double begun = wal_now();
  wal_status status = wal_solver_solve(w->solver, w->market, &w->options, &trace, &w->solution);
  w->seconds = wal_now() - begun;
  if (status == WAL_OK)
    status = wal_measure(w->market, w->solution.allocation, w->solution.price, &w->measures);
  return status ? status : wal_trained_network_export(w->solution.allocation, &w->network);
}

/* What the file says about the training besides the network itself. */
static wal_status collect_texts(const wal_args *args, work *w) {
  wal_provenance *t = &w->texts;
  char hash[33];
  wal_status status = wal_texts_begin(args, &w->device, &w->settings, t);
  if (!status) status = wal_provenance_add(t, "n", "%lld", (long long)w->market->n);
  if (!status && w->path) status = wal_file_hash(w->path, hash);
  if (!status && w->path) status = wal_provenance_add(t, "input", "%s", w->path);
  if (!status && w->path) status = wal_provenance_add(t, "input_xxh128", "%s", hash);
  if (!status && !w->path)
    status = wal_provenance_add(t, "contexts", "%s", wal_point_text(&w->settings.point, "contexts"));
  if (!status) status = wal_provenance_add(t, "engine", "%s", w->network.engine);
  if (!status) status = wal_provenance_add(t, "nash_gap", "%.6g", w->measures.nash_gap);
  if (!status) status = wal_provenance_add(t, "voa", "%.6g", w->measures.voa);
  if (!status) status = wal_provenance_add(t, "vop", "%.6g", w->measures.vop);
  if (!status) status = wal_provenance_add(t, "train_s", "%.3f", w->seconds);
  return status ? status : wal_provenance_now(t, "end");
}

static void print_summary(const work *w) {
  char took[32];
  wal_format_seconds(w->seconds, took, sizeof took);
  printf("%-18s%s\n", "market", w->path ? w->path : wal_point_text(&w->settings.point, "contexts"));
  printf("%-18s%lld\n%-18s%d\n%-18s%g\n", "buyers n", (long long)w->market->n, "goods m", w->market->m,
         "alpha", w->market->alpha);
  printf("%-18s%s: %s\n", "recipe", w->solver->name, w->solver->title);
  printf("%-18swidth %d, depth %d, %lld parameters\n", "network", w->network.width, w->network.depth,
         (long long)w->network.parameter_count);
  printf("%-18s%lld in %s\n", "Adam steps", (long long)w->network.steps, took);
  wal_print_device(&w->device);
  wal_print_measures(&w->measures, w->solution.certified_gap);
  if (w->out) printf("\nWrote %s: walras apply %s --set seed=2 uses it on other buyers\n", w->out, w->out);
}

/* Whether the network can be written is known before it is trained. */
static wal_status rehearse_output(const work *w) {
  wal_new_file *file = NULL;
  const wal_status status = wal_output_begin(w->path, w->out, &file);
  wal_new_file_abandon(file);
  return status;
}

static wal_status run_work(const wal_args *args, work *w) {
  wal_status status = read_settings(args, w);
  if (status == WAL_OK && w->out) status = rehearse_output(w);
  if (status == WAL_OK) status = open_market(args, w);
  if (status == WAL_OK) status = train(w);
  if (status == WAL_OK && w->out) status = collect_texts(args, w);
  return status || !w->out ? status : wal_network_file_write(&w->network, &w->texts, w->out);
}

/* Flags of a market and of a mechanism do not mix. */
static wal_status check_flags(const wal_args *args) {
  const bool mechanism = wal_args_text(args, "mechanism") != NULL;
  if (mechanism && wal_args_count(args))
    return wal_fail(
        WAL_E_INPUT,
        "%s: a mechanism is trained on drawn instances, law (17); expected no FILE with --mechanism "
        "(walras allocate FILE --mechanism KIND:MODEL.h5 uses it on a file)",
        wal_args_at(args, 0));
  if (mechanism && (wal_args_text(args, "solver") || wal_args_text(args, "alpha")))
    return wal_fail(WAL_E_INPUT, "--solver and --alpha are of markets; expected neither with --mechanism");
  if (!mechanism && (wal_args_int(args, "agents", 0) || wal_args_int(args, "resources", 0)))
    return wal_fail(WAL_E_INPUT,
                    "--agents and --resources are of mechanisms; expected --mechanism with them (--mechanism "
                    "rpf_monotone works)");
  return WAL_OK;
}

static int run(const wal_args *args, wal_registry registry) {
  (void)registry;
  if (check_flags(args) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  wal_device_choice device;
  if (wal_device_begin(args, &device) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  if (wal_args_text(args, "mechanism")) return wal_train_mechanism(args, &device);
  wal_threads_set(wal_args_int(args, "threads", wal_cores()));
  work *w = calloc(1, sizeof *w);
  wal_status status =
      w && wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (!w) return wal_exit_code(status);
  w->device = device;
  w->path = wal_args_count(args) ? wal_args_at(args, 0) : NULL;
  w->out = wal_args_text(args, "output");
  if (status == WAL_OK) status = run_work(args, w);
  wal_bar_close(&w->bar);
  if (status == WAL_OK) print_summary(w);
  const int code = wal_solving_code(status);
  wal_provenance_free(&w->texts);
  wal_trained_network_destroy(&w->network);
  wal_solution_destroy(&w->solution);
  wal_context_market_destroy(&w->drawn);
  wal_market_file_close(&w->file);
  free(w);
  return code;
}

const wal_command wal_command_train = {
    .name = "train",
    .usage = "[FILE]",
    .min_args = 0,
    .max_args = 1,
    .summary = "train a network to allocate a market (walras apply), or without money (walras allocate)",
    .doc =
        "FILE is a market with contexts: HDF5 with buyers [n, d] and goods [m, d] (docs/own-markets.md). "
        "Without\n"
        "one the population is drawn as the experiments draw it: --set n=2^16 --set contexts=uniform.\n"
        "With --mechanism there is no money and no FILE: agents and resources are drawn by law (17) of the "
        "RPF-Net\n"
        "paper, and what is learned is a mechanism that walras allocate uses; MODEL.h5.checkpoint keeps its "
        "state\n"
        "until it is done. MODEL.h5 appears whole or not at all; walras show prints it.",
    .examples =
        "  walras train --set n=2^16 --set alpha=0.5 -o model.h5\n"
        "  walras train market.h5 --alpha 0.5 --solver tower --set tower.width=128 -o model.h5\n"
        "  walras train --mechanism rpf_monotone --agents 2 --resources 2 -o mechanism.h5\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
