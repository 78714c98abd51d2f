/* walras apply: a trained network on another population, without training. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/params.h"
#include "engine/pool.h"
#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"
#include "experiments/files/network_file.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"

static const wal_flag flags[] = {
    {"alpha", 'a', WAL_FLAG_TEXT, "A", NULL, "CES parameter of FILE [the file's]"},
    {"set", 's', WAL_FLAG_LIST, "OPTION=VALUE", NULL, "of a drawn population: n, contexts, seed"},
    {"prices", 0, WAL_FLAG_TEXT, "WHICH", "clear",
     "clear: those at which the network's demand clears this market; keep: those of training"},
    {"output", 'o', WAL_FLAG_TEXT, "OUT.h5", NULL,
     "write prices, utilities and the allocation, as walras solve"},
    {"allocation", 0, WAL_FLAG_SWITCH, NULL, NULL, "write the allocation even where it has over 1e7 numbers"},
    WAL_DEVICE_FLAG,
    {"threads", 't', WAL_FLAG_COUNT, "N", NULL, "threads [cores]"},
};

typedef struct {
  const char *model, *path, *out; /* path NULL: a drawn population; out NULL: print only */
  bool keep;                      /* the prices of training */
  wal_device_choice device;
  wal_settings settings;
  wal_trained_network network;
  wal_market_file file; /* zeroed where the population is drawn */
  wal_context_market drawn;
  const wal_market *market; /* of one of the two */
  wal_solution solution;
  wal_measures measures;
  wal_cleared cleared;
  wal_provenance texts;
  double seconds; /* of finding the prices, wall time */
  wal_bar bar;
} work;

static bool is_population_param(const wal_param *param) {
  return strcmp(param->name, "n") == 0 || strcmp(param->name, "contexts") == 0 ||
         strcmp(param->name, "seed") == 0;
}

static bool is_no_param(const wal_param *param) { return (void)param, false; }

static wal_status read_prices(const wal_args *args, work *w) {
  const char *which = wal_args_text(args, "prices");
  w->keep = strcmp(which, "keep") == 0;
  if (w->keep || strcmp(which, "clear") == 0) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "--prices %.40s: expected clear or keep", which);
}

/* Buyers drawn before the network's goods. */
static wal_status draw_market(work *w) {
  const wal_point *p = &w->settings.point;
  const wal_trained_network *known = &w->network;
  wal_context_law law;
  wal_status status = wal_context_law_parse(wal_point_text(p, "contexts"), &law);
  if (status == WAL_OK)
    status = wal_context_market_before(known->goods, known->m, known->d, known->alpha, law,
                                       (uint64_t)wal_point_int(p, "seed"), wal_point_int(p, "n"), &w->drawn);
  w->market = &w->drawn.market;
  return status;
}

static wal_status open_market(const wal_args *args, work *w) {
  wal_market_file_options options = {0};
  wal_status status = wal_settings_read(args, "walras apply", &wal_market_settings,
                                        w->path ? is_no_param : is_population_param, NULL, &w->settings);
  if (status == WAL_OK) status = wal_alpha_flag(args, &options.alpha);
  if (status == WAL_OK && !w->path && wal_args_text(args, "alpha"))
    status = wal_fail(WAL_E_INPUT, "--alpha is of a FILE; drawn buyers have the network's alpha, %g",
                      w->network.alpha);
  if (status != WAL_OK || !w->path) return status ? status : draw_market(w);
  status = wal_market_file_open(w->path, &options, &w->file);
  w->market = &w->file.market;
  return status ? status : wal_market_check(w->market);
}

/* The prices of training: buyers are asked for as much money per buyer as there. */
static void keep_prices(work *w) {
  const wal_market *market = w->market;
  const wal_trained_network *known = &w->network;
  for (int j = 0; j < market->m && j < known->m; j++)
    w->solution.price[j] = known->lambda[j] * (known->mean[j] / (market->supply[j] / (double)market->n));
}

static wal_status apply(work *w) {
  wal_status status = WAL_OK;
  const double begun = wal_now();
  w->solution = (wal_solution){.certified_gap = NAN};
  w->solution.price = calloc((size_t)w->market->m, sizeof *w->solution.price);
  if (!w->solution.price) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", w->market->m);
  wal_bar_show(&w->bar, 0, "prices");
  if (w->keep)
    keep_prices(w);
  else
    status = wal_trained_network_prices(&w->network, w->market, w->solution.price);
  if (status == WAL_OK)
    status =
        wal_trained_network_allocation(&w->network, w->market, w->solution.price, &w->solution.allocation);
  w->seconds = wal_now() - begun;
  wal_bar_show(&w->bar, 0.3, "measuring");
  if (status == WAL_OK)
    status = wal_measure(w->market, w->solution.allocation, w->solution.price, &w->measures);
  return status;
}

static wal_status collect_texts(const wal_args *args, work *w) {
  wal_provenance *t = &w->texts;
  char hash[33];
  wal_status status = wal_file_hash(w->model, hash);
  if (!status) status = wal_texts_begin(args, &w->device, &w->settings, t);
  if (!status) status = wal_provenance_add(t, "solver", "%s", w->network.recipe);
  if (!status) status = wal_provenance_add(t, "network", "%s", w->model);
  if (!status) status = wal_provenance_add(t, "network_xxh128", "%s", hash);
  if (!status) status = wal_provenance_add(t, "prices", "%s", w->keep ? "keep" : "clear");
  if (!status) status = wal_provenance_add(t, "quasilinear", "false");
  if (!status && w->path) status = wal_file_hash(w->path, hash);
  if (!status && w->path) status = wal_provenance_add(t, "input", "%s", w->path);
  if (!status && w->path) status = wal_provenance_add(t, "input_xxh128", "%s", hash);
  return status ? status : wal_provenance_now(t, "end");
}

static wal_status write_output(const wal_args *args, work *w, wal_new_file *file) {
  const wal_trace trace = {.context = &w->bar, .progress = wal_bar_show};
  wal_status status = wal_cleared_create(w->market, &w->solution, &w->cleared);
  if (status == WAL_OK) status = collect_texts(args, w);
  const wal_solution_content content = {.input = &w->file,
                                        .cleared = &w->cleared,
                                        .measures = &w->measures,
                                        .solution = &w->solution,
                                        .texts = &w->texts,
                                        .seconds = w->seconds,
                                        .with_allocation = wal_allocation_wanted(args, w->market),
                                        .trace = &trace};
  if (status == WAL_OK) return wal_output_write(&content, w->out, file);
  wal_new_file_abandon(file);
  return status;
}

static void print_summary(const work *w) {
  char took[32];
  wal_format_seconds(w->seconds, took, sizeof took);
  printf("%-18s%s (%s, %lld parameters)\n", "network", w->model, w->network.recipe,
         (long long)w->network.parameter_count);
  printf("%-18s%s\n", "market", w->path ? w->path : wal_point_text(&w->settings.point, "contexts"));
  printf("%-18s%lld\n%-18s%d\n%-18s%g\n", "buyers n", (long long)w->market->n, "goods m", w->market->m,
         "alpha", w->market->alpha);
  printf("%-18s%s, in %s\n", "prices", w->keep ? "of training" : "that clear the market", took);
  wal_print_device(&w->device);
  wal_print_measures(&w->measures, NAN);
  if (w->out) printf("\nWrote %s\n", w->out);
}

static wal_status run_work(const wal_args *args, work *w) {
  wal_new_file *file = NULL;
  wal_status status = read_prices(args, w);
  if (status == WAL_OK) status = wal_network_file_read(w->model, &w->network, NULL);
  if (status == WAL_OK) status = open_market(args, w);
  if (status == WAL_OK && w->out) status = wal_output_check(w->model, w->out);
  if (status == WAL_OK && w->out) status = wal_output_begin(w->path, w->out, &file);
  if (status == WAL_OK) status = apply(w);
  if (status == WAL_OK && w->out) return write_output(args, w, file);
  wal_new_file_abandon(file);
  return status;
}

static int run(const wal_args *args, wal_registry registry) {
  (void)registry;
  wal_device_choice device;
  if (wal_allocation_check(args) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  if (wal_device_begin(args, &device) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  wal_threads_set(wal_args_int(args, "threads", wal_cores()));
  work *w = calloc(1, sizeof *w);
  wal_status status =
      w && wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (!w) return wal_exit_code(status);
  w->device = device;
  w->model = wal_args_at(args, 0);
  w->path = wal_args_count(args) > 1 ? wal_args_at(args, 1) : NULL;
  w->out = wal_args_text(args, "output");
  if (status == WAL_OK) status = run_work(args, w);
  wal_bar_close(&w->bar);
  if (status == WAL_OK) print_summary(w);
  const int code = wal_solving_code(status);
  wal_provenance_free(&w->texts);
  wal_cleared_destroy(&w->cleared);
  wal_solution_destroy(&w->solution);
  wal_context_market_destroy(&w->drawn);
  wal_market_file_close(&w->file);
  wal_trained_network_destroy(&w->network);
  free(w);
  return code;
}

const wal_command wal_command_apply = {
    .name = "apply",
    .usage = "MODEL.h5 [FILE]",
    .min_args = 1,
    .max_args = 2,
    .summary = "a trained network on another population, without training",
    .doc =
        "MODEL.h5 is what walras train wrote. FILE is a market with contexts and the same goods and alpha; "
        "without\n"
        "one, buyers are drawn before the network's goods: any number, any law of contexts, any seed.",
    .examples =
        "  walras apply model.h5 --set seed=2\n"
        "  walras apply model.h5 --set n=2^22 --set contexts=exponential -o out.h5\n"
        "  walras apply model.h5 market.h5 --prices keep -o out.h5\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
