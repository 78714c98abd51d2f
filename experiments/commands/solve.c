/* walras solve: the equilibrium of a user's own market. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/command.h"
#include "engine/pool.h"
#include "engine/precision.h"
#include "engine/progress.h"
#include "engine/store.h"
#include "engine/util.h"
#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"
#include "experiments/commands/solve_concave.h"
#include "experiments/files/concave_market_file.h"
#include "experiments/files/solution_file.h"
#include "experiments/marketfcnet/market.h"
#include "models/common/parallel.h"
#include "models/market/reduce.h"

static const wal_flag flags[] = {
    {"solver", 0, WAL_FLAG_TEXT, "NAME", NULL,
     "how: walras list solvers [newton; newton_cg for over 512 goods; block with --quasilinear]"},
    {"alpha", 'a', WAL_FLAG_TEXT, "A", NULL,
     "CES parameter: 1 linear, 0 Cobb-Douglas, -inf Leontief [the file's]"},
    {"quasilinear", 0, WAL_FLAG_SWITCH, NULL, NULL, "alpha = 1: money left over counts as utility"},
    {"set", 's', WAL_FLAG_LIST, "OPTION=VALUE", NULL, "an option of the solver: newton.tol=1e-10"},
    {"output", 'o', WAL_FLAG_TEXT, "OUT.h5", NULL, "write prices, utilities and the allocation"},
    {"allocation", 0, WAL_FLAG_SWITCH, NULL, NULL, "write the allocation even where it has over 1e7 numbers"},
    {"equilibria", 'e', WAL_FLAG_SWITCH, NULL, NULL,
     "of a small YAML market of networks: look for competitive equilibria too"},
    WAL_DEVICE_FLAG,
    {"threads", 't', WAL_FLAG_COUNT, "N", NULL, "threads [cores]"},
};

/* ---- the solver and its options ---- */

typedef struct {
  wal_settings settings;
  const wal_solver *solver;
  wal_solver_options options;
} chosen_solver;

static wal_status choose_solver(const wal_args *args, chosen_solver *c) {
  const char *name = wal_args_text(args, "solver");
  if (!name) name = wal_args_on(args, "quasilinear") ? "block" : "newton";
  const wal_status status =
      wal_settings_read(args, "walras solve", &wal_market_settings, wal_is_solver_param, name, &c->settings);
  if (status != WAL_OK) return status;
  c->solver = wal_solver_find(wal_point_text(&c->settings.point, "solver"));
  wal_market_solver_options(&c->settings.point, &c->options);
  return c->solver ? WAL_OK : wal_fail(WAL_E_INTERNAL, "a solver that is not in wal_solvers");
}

enum {
  MANY_GOODS = 512
}; /* from here newton, with its m x m matrix, is several times slower than newton_cg */

/* Where the user leaves the choice to the program: the matrix-free solver for many goods. */
static void suit_solver(const wal_args *args, const wal_market *market, chosen_solver *c) {
  int sets = 0;
  wal_args_list(args, "set", &sets);
  const wal_solver *matrix_free = wal_solver_find("newton_cg");
  const bool own = wal_args_text(args, "solver") || sets > 0;
  if (!own && market->m > MANY_GOODS && wal_solver_takes(matrix_free, market)) c->solver = matrix_free;
}

/* newton's time grows as m^3: nobody should take that for a hang. */
static void warn_of_many_goods(const chosen_solver *c, const wal_market *market, wal_bar *bar) {
  if (market->m <= 2 * MANY_GOODS || strcmp(c->solver->name, "newton") != 0) return;
  const bool other = wal_solver_takes(wal_solver_find("newton_cg"), market);
  wal_bar_close(bar);
  fprintf(stderr, "walras: %d goods are many for newton, whose time grows as their cube%s\n", market->m,
          other ? " (--solver newton_cg is made for them)" : "; this may take long");
  wal_bar_open(bar);
}

/* ---- the work ---- */

typedef struct {
  const char *path, *out; /* out NULL: print only */
  wal_device_choice device;
  chosen_solver chosen;
  wal_market_file file;
  wal_reduced_market reduced;
  wal_solution solution;
  wal_measures measures;
  wal_cleared cleared;
  wal_provenance texts;
  double seconds; /* of the solver, wall time */
  bool with_allocation;
  wal_trace trace;
} work;

static wal_status collect_texts(work *w, const wal_args *args) {
  char hash[33];
  wal_status status = wal_file_hash(w->path, hash);
  if (status == WAL_OK) status = wal_texts_begin(args, &w->device, &w->chosen.settings, &w->texts);
  if (status == WAL_OK) status = wal_provenance_add(&w->texts, "solver", "%s", w->chosen.solver->name);
  if (status == WAL_OK)
    status =
        wal_provenance_add(&w->texts, "quasilinear", "%s", w->file.market.quasilinear ? "true" : "false");
  if (status == WAL_OK) status = wal_provenance_add(&w->texts, "input", "%s", w->path);
  if (status == WAL_OK) status = wal_provenance_add(&w->texts, "input_xxh128", "%s", hash);
  return status;
}

/* Solves and measures the goods that somebody wants, then puts the others back. */
static wal_status solve_market(work *w) {
  wal_status status = wal_reduced_market_create(&w->file.market, &w->reduced);
  if (status == WAL_OK && w->file.market.d > 0) /* values given as such were checked as they were read */
    status = wal_fail_in(wal_market_check(&w->reduced.market), "%s: ", w->path);
  const double begun = wal_now();
  if (status == WAL_OK)
    status =
        wal_solver_solve(w->chosen.solver, &w->reduced.market, &w->chosen.options, &w->trace, &w->solution);
  w->seconds = wal_now() - begun;
  wal_bar_show(w->trace.context, 1.0, "measuring");
  if (status == WAL_OK)
    status = wal_measure(&w->reduced.market, w->solution.allocation, w->solution.price, &w->measures);
  if (status == WAL_OK) status = wal_reduced_market_restore(&w->reduced, &w->solution);
  if (status == WAL_OK) status = wal_cleared_create(&w->file.market, &w->solution, &w->cleared);
  return status;
}

static wal_status write_output(work *w, wal_new_file *file) {
  const wal_solution_content content = {.input = &w->file,
                                        .cleared = &w->cleared,
                                        .measures = &w->measures,
                                        .solution = &w->solution,
                                        .texts = &w->texts,
                                        .seconds = w->seconds,
                                        .with_allocation = w->with_allocation,
                                        .trace = &w->trace};
  wal_status status = wal_provenance_now(&w->texts, "end");
  if (status == WAL_OK) return wal_output_write(&content, w->out, file);
  wal_new_file_abandon(file);
  return status;
}

/* ---- the summary ---- */

enum { GOODS_SHOWN = 20, NAME_WIDTH = 40 };

static void print_prices(const work *w) {
  const wal_market *market = &w->file.market;
  const int shown = market->m < GOODS_SHOWN + 5 ? market->m : GOODS_SHOWN; /* not "and 1 more" */
  int width = 4;
  for (int j = 0; j < shown && w->file.good_names; j++)
    width = wal_name_width(w->file.good_names[j]) > width ? wal_name_width(w->file.good_names[j]) : width;
  if (width > NAME_WIDTH) width = NAME_WIDTH;
  printf("\n%-*s  %12s  %12s  %12s\n", width, "good", "price", "supply", "worth");
  for (int j = 0; j < shown; j++) {
    wal_print_name(w->file.good_names ? w->file.good_names[j] : NULL, j, width);
    printf("  %12.6g  %12.6g  %12.6g\n", w->cleared.price[j], market->supply[j],
           w->cleared.price[j] * market->supply[j]);
  }
  if (shown < market->m) printf("... and %d more\n", market->m - shown);
}

static void print_notes(const work *w) {
  const int unwanted = w->reduced.goods - w->reduced.market.m;
  if (w->file.streamed)
    printf("%-18s%s\n", "note", "streamed: the buyers are read from the file at every pass");
  if (!w->file.has_supply) printf("%-18s%s\n", "note", "the file gives no supply: 1 of each good");
  if (!w->file.has_budgets)
    printf("%-18sthe file gives no budgets: %s\n", "note",
           w->file.market.d ? "||b|| of each buyer's context" : "1 for each buyer");
  if (unwanted)
    printf("%-18s%d good%s that nobody wants %s price 0 and %s given to nobody\n", "note", unwanted,
           unwanted == 1 ? "" : "s", unwanted == 1 ? "has" : "have", unwanted == 1 ? "is" : "are");
}

static void print_summary(const work *w) {
  const wal_market *market = &w->file.market;
  char took[32];
  wal_format_seconds(w->seconds, took, sizeof took);
  printf("%-18s%s (%s)\n", "market", w->path, w->file.format);
  printf("%-18s%lld\n%-18s%d\n", "buyers n", (long long)market->n, "goods m", market->m);
  printf("%-18s%g%s\n", "alpha", market->alpha, market->quasilinear ? ", quasilinear" : "");
  printf("%-18s%s: %s\n", "solver", w->chosen.solver->name, w->chosen.solver->title);
  printf("%-18s%lld in %s\n", "iterations", (long long)w->solution.iterations, took);
  wal_print_device(&w->device);
  wal_print_measures(&w->measures, w->solution.certified_gap);
  print_notes(w);
  print_prices(w);
}

static void print_written(const work *w) {
  const wal_market *market = &w->file.market;
  const long long n = market->n, m = market->m;
  if (w->with_allocation) {
    printf("\nWrote %s: price [%lld], utility [%lld], allocation [%lld, %lld]\n", w->out, m, n, n, m);
  } else {
    printf(
        "\nWrote %s: price [%lld], utility [%lld]; --allocation adds the %lld x %lld allocation (%.3g GiB)\n",
        w->out, m, n, n, m, 8.0 * (double)n * (double)m / (1024.0 * 1024 * 1024));
  }
}

/* ---- the command ---- */

static wal_status run_work(work *w, const wal_args *args) {
  wal_market_file_options options = {.quasilinear = wal_args_on(args, "quasilinear")};
  wal_new_file *file = NULL;
  wal_status status = choose_solver(args, &w->chosen);
  if (status == WAL_OK) status = wal_precision_check(&w->chosen.settings.point, w->device.device);
  if (status == WAL_OK) status = wal_alpha_flag(args, &options.alpha);
  wal_bar_show(w->trace.context, 0.0, "reading");
  if (status == WAL_OK) status = wal_market_file_open(w->path, &options, &w->file);
  if (status == WAL_OK && w->out) status = wal_output_begin(w->path, w->out, &file);
  if (status != WAL_OK) return status;
  suit_solver(args, &w->file.market, &w->chosen);
  warn_of_many_goods(&w->chosen, &w->file.market, w->trace.context);
  w->with_allocation = wal_allocation_wanted(args, &w->file.market);
  if (w->out) status = collect_texts(w, args);
  if (status == WAL_OK) status = solve_market(w);
  if (status == WAL_OK && w->out)
    status = write_output(w, file);
  else
    wal_new_file_abandon(file);
  return status;
}

static wal_status check_flags(const wal_args *args) {
  if (!wal_args_on(args, "equilibria")) return wal_allocation_check(args);
  return wal_fail(WAL_E_INPUT,
                  "--equilibria is for markets in YAML or JSON; one with CES utilities has one equilibrium");
}

static int run(const wal_args *args, wal_registry registry) {
  (void)registry;
  wal_threads_set(wal_args_int(args, "threads", wal_cores()));
  wal_device_choice device;
  if (wal_device_begin(args, &device) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  if (wal_concave_market_looks_so(wal_args_at(args, 0))) return wal_solve_concave(args);
  if (check_flags(args) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  wal_bar bar;
  work *w = calloc(1, sizeof *w);
  wal_status status = wal_bar_open(&bar) && w ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (status == WAL_OK) {
    w->path = wal_args_at(args, 0);
    w->out = wal_args_text(args, "output");
    w->device = device;
    w->trace = (wal_trace){.context = &bar, .progress = wal_bar_show};
    status = run_work(w, args);
  }
  wal_bar_close(&bar);
  if (status == WAL_OK) print_summary(w);
  if (status == WAL_OK && w->out) print_written(w);
  const int code = wal_solving_code(status);
  if (w) {
    wal_cleared_destroy(&w->cleared);
    wal_solution_destroy(&w->solution);
    wal_reduced_market_destroy(&w->reduced);
    wal_market_file_close(&w->file);
    wal_provenance_free(&w->texts);
  }
  free(w);
  return code;
}

const wal_command wal_command_solve = {
    .name = "solve",
    .usage = "FILE",
    .min_args = 1,
    .max_args = 1,
    .summary = "the equilibrium of your own market: HDF5, CSV or YAML",
    .doc =
        "FILE is HDF5: values [n, m], or buyers [n, d] and goods [m, d]; budgets [n], supply [m], alpha; or "
        "CSV: "
        "a\nheader with the goods' names and a row of values per buyer, optional columns buyer and budget, "
        "an\n"
        "optional row supply. What is missing is 1; docs/own-markets.md has examples and every refusal. A "
        "file\n"
        "that does not fit in memory is streamed. Or YAML or JSON, {goods: M, agents: [{type: splc, ...}, "
        "...]}:\nagents with concave utility functions of their own, for which the allocation of maximum "
        "Nash "
        "welfare and\nits Gale prices are found. OUT.h5 appears whole or not at all.",
    .examples =
        "  walras solve market.h5 -o solution.h5\n"
        "  walras solve bids.csv --alpha 1\n"
        "  walras solve concave.yaml --equilibria -o solution.h5\n"
        "  walras solve market.h5 --alpha -1 --solver pr --set pr.tol=1e-6 -o solution.h5\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
