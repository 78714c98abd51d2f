/* walras stable: a stable allocation of a fixed-pricing market. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"
#include "experiments/files/stable_solution_file.h"
#include "models/common/parallel.h"
#include "models/pricing/cells.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/revenue.h"
#include "models/pricing/stability.h"

static const wal_flag flags[] = {
    {"objective", 0, WAL_FLAG_TEXT, "WHICH", "any",
     "which stable allocation: any, max-revenue, min-revenue [any]"},
    {"exact", 0, WAL_FLAG_SWITCH, NULL, NULL, "in rationals, without rounding"},
    {"output", 'o', WAL_FLAG_TEXT, "OUT.h5", NULL, "write the allocation and the revenue of each seller"},
};

typedef enum { ANY, MAX_REVENUE, MIN_REVENUE } objective;
static const char *const objectives[] = {"any", "max-revenue", "min-revenue"};

typedef struct {
  const char *path, *out; /* out NULL: print only */
  objective objective;
  bool exact;
  bool enumerated; /* by cells */
  wal_pricing_file file;
  wal_stable_solution solution;
  wal_provenance texts;
  wal_bar bar;
} work;

/* ---- the work ---- */

static wal_status read_objective(const wal_args *args, objective *out) {
  const char *given = wal_args_text(args, "objective");
  for (int k = 0; k < 3; k++)
    if (strcmp(given, objectives[k]) == 0) {
      *out = (objective)k;
      return WAL_OK;
    }
  return wal_fail(WAL_E_INPUT, "--objective %s; expected any, max-revenue or min-revenue", given);
}

/* From shares in doubles to rational ones with the same support. */
static wal_status reconstruct(work *w) {
  wal_pricing_allocation exact, *x = &w->solution.allocation;
  const wal_status status = wal_pricing_reconstruct(&w->file.market, x->x, &exact);
  if (status) return wal_fail_in(status, "--exact (without it the answer is in doubles): ");
  wal_pricing_allocation_round(&exact);
  wal_pricing_allocation_destroy(x);
  *x = exact;
  return WAL_OK;
}

enum { PAIRS_MAX = 16384 }; /* of markets whose cells are counted */

static wal_status check_size(const work *w) {
  const wal_pricing_market *market = &w->file.market;
  if ((double)market->n * market->m <= PAIRS_MAX) return WAL_OK;
  return wal_fail(WAL_E_UNSUPPORTED,
                  "%d buyers and %d items are too many to search the stable set; expected at most %d pairs",
                  market->n, market->m, PAIRS_MAX);
}

static wal_status by_cells(work *w) {
  wal_stable_set *set = NULL;
  const wal_pricing_market *market = &w->file.market;
  double value;
  w->solution.method = "cells of the stable set";
  w->solution.tol = 1e-7;
  wal_status status = check_size(w);
  if (!status) status = wal_stable_set_create(market, NULL, &set);
  if (!status)
    status = (w->objective == MAX_REVENUE ? wal_stable_set_most : wal_stable_set_least)(
        set, market->price, &value, w->solution.allocation.x);
  wal_stable_set_destroy(set);
  if (status)
    return wal_fail_in(status, "--objective %s (any takes every market): ", objectives[w->objective]);
  return w->exact ? reconstruct(w) : WAL_OK;
}

static wal_status by_flow(work *w) {
  w->solution.method = "Algorithm 3 (stable Edmonds-Karp)";
  w->solution.tol = 1e-9;
  return (w->exact ? wal_stable_edmonds_karp_exact : wal_stable_edmonds_karp)(&w->file.market,
                                                                              &w->solution.allocation, NULL);
}

static wal_status by_proposals(work *w) {
  w->solution.method = "Algorithm 1 (fractional Gale-Shapley)";
  w->solution.tol = 1e-9;
  return (w->exact ? wal_gale_shapley_exact : wal_gale_shapley)(&w->file.market, NULL,
                                                                &w->solution.allocation, NULL);
}

static wal_status allocate(work *w) {
  const wal_pricing_market *market = &w->file.market;
  const bool flows = w->objective == MAX_REVENUE && wal_pricing_is_uniform(market);
  if (w->objective == ANY) return by_proposals(w);
  w->enumerated = !flows;
  const wal_status status =
      wal_pricing_allocation_create(market->n, market->m, w->exact && flows, &w->solution.allocation);
  return status ? status : flows ? by_flow(w) : by_cells(w);
}

/* What the definition says of the allocation: one that fails is no answer. */
static wal_status check(work *w) {
  const wal_pricing_market *market = &w->file.market;
  wal_stable_solution *s = &w->solution;
  wal_stability_report report;
  if (w->exact) s->tol = 0;
  const bool stable = w->exact
                          ? wal_stability_check_exact(market, s->allocation.exact, WAL_CHECK_STABLE, &report)
                          : wal_stability_check(market, s->allocation.x, WAL_CHECK_STABLE, s->tol, &report);
  if (stable) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED,
                  "the allocation found is not stable to %g: buyer %d, item %d: %s (numbers may be too many "
                  "orders of magnitude apart; %s)",
                  s->tol, report.buyer, report.item, wal_stability_text(report.fault),
                  w->exact        ? "nearer ones help"
                  : w->enumerated ? "--objective any --exact has no rounding"
                                  : "--exact has no rounding");
}

/* Is it the only one? Where that takes seconds at most; the answer is one without it. */
static wal_status find_unique(work *w) {
  enum { PROGRAMS = 20000 }; /* linear programs; every share asks for two searches */
  const wal_pricing_market *market = &w->file.market;
  const double pairs = (double)market->n * market->m;
  wal_stable_solution *s = &w->solution;
  bool unique = false;
  s->unique = -1;
  s->widest = NAN;
  s->cells = pairs > PAIRS_MAX ? INT64_MAX : wal_stable_cells(market);
  if (pairs > PROGRAMS / 10) return WAL_OK;
  const wal_cells_options options = {.most_programs = (int64_t)(PROGRAMS / pairs)};
  double widest = NAN;
  const wal_status status = wal_stable_unique(market, &options, &unique, &widest);
  if (status == WAL_E_DIVERGED || status == WAL_E_UNSUPPORTED) return WAL_OK;
  s->unique = unique;
  s->widest = widest;
  return status;
}

static wal_status solve(work *w) {
  const double begun = wal_now();
  w->solution.objective = objectives[w->objective];
  wal_bar_show(&w->bar, 0.2, "allocating");
  wal_status status = allocate(w);
  w->solution.seconds = wal_now() - begun;
  wal_bar_show(&w->bar, 0.6, "checking");
  if (!status) status = check(w);
  if (!status) status = wal_stable_solution_measure(&w->file.market, &w->solution);
  wal_bar_show(&w->bar, 0.7, "looking for others");
  return status ? status : find_unique(w);
}

static wal_status collect_texts(work *w) {
  char hash[33];
  wal_status status = wal_provenance_collect(&wal_device_choice_cpu, &w->texts);
  if (!status) status = wal_file_hash(w->path, hash);
  if (!status) status = wal_provenance_add(&w->texts, "input", "%s", w->path);
  if (!status) status = wal_provenance_add(&w->texts, "input_xxh128", "%s", hash);
  return status;
}

static wal_status add_results(work *w) {
  wal_status status = wal_provenance_add(&w->texts, "objective", "%s", w->solution.objective);
  if (!status) status = wal_provenance_add(&w->texts, "method", "%s", w->solution.method);
  if (!status) status = wal_provenance_add(&w->texts, "arithmetic", "%s", w->exact ? "rationals" : "doubles");
  return status ? status : wal_provenance_now(&w->texts, "end");
}

/* Works into a file that is committed when all is well. */
static wal_status solve_into(work *w) {
  wal_new_file *target = NULL;
  wal_status status = wal_output_begin(w->path, w->out, &target);
  if (status) return status;
  status = collect_texts(w);
  if (!status) status = solve(w);
  if (!status) status = add_results(w);
  if (!status)
    status = wal_fail_in(
        wal_stable_solution_write(&w->file, &w->solution, &w->texts, wal_new_file_temporary(target)),
        "%s: ", w->out);
  if (!status) return wal_new_file_commit(target);
  wal_new_file_abandon(target);
  return status;
}

/* ---- the summary ---- */

enum { SHOWN = 20, NAME_WIDTH = 40, HELD = 4 };

static int shown_of(int count) { return count < SHOWN + 5 ? count : SHOWN; } /* not "and 1 more" */

/* The width of a column of names. */
static int width_of(char *const *names, int shown, int least) {
  int width = least;
  for (int k = 0; k < shown && names; k++)
    width = wal_name_width(names[k]) > width ? wal_name_width(names[k]) : width;
  return width < NAME_WIDTH ? width : NAME_WIDTH;
}

static void print_more(int shown, int count) {
  if (shown < count) printf("... and %d more\n", count - shown);
}

/* A number in `width` columns; its rational where that fits. */
static void print_number(double number, mpq_t *exact, int width) {
  enum { LONGEST = 12 };
  char *text = exact ? mpq_get_str(NULL, 10, *exact) : NULL;
  if (text && strlen(text) <= LONGEST)
    printf("%*s", width, text);
  else
    printf("%*.6g", width, number);
  free(text);
}

static const char *name_of(char *const *names, int k) { return names ? names[k] : NULL; }

static void print_sellers(const work *w) {
  const wal_stable_solution *s = &w->solution;
  const int sellers = w->file.market.sellers, shown = shown_of(sellers),
            width = width_of(w->file.seller_names, shown, 6);
  printf("\n%-*s  %12s\n", width, "seller", "revenue");
  for (int k = 0; k < shown; k++) {
    wal_print_name(name_of(w->file.seller_names, k), k, width);
    printf("  ");
    print_number(s->revenue[k], s->exact_revenue ? &s->exact_revenue[k] : NULL, 12);
    printf("\n");
  }
  print_more(shown, sellers);
}

static void print_items(const work *w) {
  const wal_pricing_market *market = &w->file.market;
  const int shown = shown_of(market->m), width = width_of(w->file.item_names, shown, 4);
  printf("\n%-*s  %12s  %12s  %12s\n", width, "item", "lowest price", "highest", "sold");
  for (int j = 0; j < shown; j++) {
    double low = INFINITY, high = 0;
    for (int i = 0; i < market->n; i++) {
      const size_t pair = (size_t)i * (size_t)market->m + (size_t)j;
      if (!(market->value[pair] > 0)) continue;
      low = fmin(low, market->price[pair]);
      high = fmax(high, market->price[pair]);
    }
    wal_print_name(name_of(w->file.item_names, j), j, width);
    printf("  %12.6g  %12.6g  %12.6g\n", low, high, w->solution.sold[j]);
  }
  print_more(shown, market->m);
}

/* "1/2 bread, 1 wine": the first few items that buyer i holds. */
static void print_bundle(const work *w, int i) {
  const wal_pricing_allocation *x = &w->solution.allocation;
  int held = 0;
  for (int j = 0; j < x->m; j++) {
    const size_t pair = (size_t)i * (size_t)x->m + (size_t)j;
    if (!(x->x[pair] > w->solution.tol)) continue;
    if (held++ >= HELD) continue;
    printf("%s", held > 1 ? ", " : "");
    print_number(x->x[pair], x->exact ? &x->exact[pair] : NULL, 0);
    printf("%s", w->file.item_names ? " " : " of item ");
    const char *name = name_of(w->file.item_names, j);
    wal_print_name(name, j, name ? wal_name_width(name) : 1);
  }
  if (held > HELD) printf(", and %d more", held - HELD);
  printf("%s\n", held ? "" : "nothing");
}

static void print_buyers(const work *w) {
  const wal_pricing_market *market = &w->file.market;
  const int shown = shown_of(market->n), width = width_of(w->file.buyer_names, shown, 5);
  printf("\n%-*s  %12s  %12s  %s\n", width, "buyer", "budget", "spent", "gets");
  for (int i = 0; i < shown; i++) {
    wal_print_name(name_of(w->file.buyer_names, i), i, width);
    printf("  %12.6g  %12.6g  ", market->budget[i], w->solution.spent[i]);
    print_bundle(w, i);
  }
  print_more(shown, market->n);
}

static void print_unique(const wal_stable_solution *s) {
  char cells[48] = "too many cells to count";
  if (s->cells < INT64_MAX)
    snprintf(cells, sizeof cells, "%lld cell%s", (long long)s->cells, s->cells == 1 ? "" : "s");
  if (s->unique < 0)
    printf("%-18snot settled (%s)\n", "unique", cells);
  else if (s->unique)
    printf("%-18syes: stable allocations (%s) differ by at most %.3g in a share\n", "unique", cells,
           s->widest);
  else
    printf("%-18sno: stable allocations (%s) differ by up to %.3g in a share\n", "unique", cells, s->widest);
}

static void print_summary(const work *w) {
  const wal_pricing_market *market = &w->file.market;
  const wal_stable_solution *s = &w->solution;
  char took[32];
  wal_format_seconds(s->seconds, took, sizeof took);
  printf("%-18s%s (%s)\n", "market", w->path, w->file.format);
  printf("%-18s%d\n%-18s%d\n%-18s%d\n", "buyers n", market->n, "items m", market->m, "sellers",
         market->sellers);
  printf("%-18s%s\n", "priorities", w->file.natural ? "natural: by price, high to low" : "the file's");
  printf("%-18s%s\n%-18s%s, in %s, in %s\n", "objective", s->objective, "method", s->method,
         w->exact ? "rationals" : "doubles", took);
  if (w->exact)
    printf("%-18schecked by the definition in rationals (no tolerance)\n", "stable");
  else
    printf("%-18schecked by the definition to %g\n", "stable", s->tol);
  print_unique(s);
  if (w->exact && w->enumerated)
    printf("%-18swhich allocation is the extreme one was found in doubles\n", "note");
  printf("%-18s", "revenue");
  print_number(s->total, s->exact_revenue ? &s->exact_revenue[market->sellers] : NULL, 0);
  printf("\n");
  print_sellers(w);
  print_items(w);
  print_buyers(w);
}

static void print_written(const work *w) {
  const wal_pricing_market *market = &w->file.market;
  printf("\nWrote %s: allocation [%d, %d], %srevenue [%d]\n", w->out, market->n, market->m,
         w->exact ? "allocation_exact, " : "", market->sellers);
}

/* ---- the command ---- */

static wal_status run_work(const wal_args *args, work *w) {
  wal_status status = read_objective(args, &w->objective);
  wal_bar_show(&w->bar, 0, "reading");
  if (!status) status = wal_pricing_file_open(w->path, &w->file);
  if (status) return status;
  return w->out ? solve_into(w) : solve(w);
}

static int run(const wal_args *args, wal_registry registry) {
  (void)registry;
  work *w = calloc(1, sizeof *w);
  wal_status status =
      w && wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (!w) return wal_exit_code(status);
  w->path = wal_args_at(args, 0);
  w->out = wal_args_text(args, "output");
  w->exact = wal_args_on(args, "exact");
  if (!status) status = run_work(args, w);
  wal_bar_close(&w->bar);
  if (!status) print_summary(w);
  if (!status && w->out) print_written(w);
  const int code = wal_solving_code(status);
  wal_provenance_free(&w->texts);
  wal_stable_solution_destroy(&w->file.market, &w->solution);
  wal_pricing_file_close(&w->file);
  free(w);
  return code;
}

const wal_command wal_command_stable = {
    .name = "stable",
    .usage = "FILE",
    .min_args = 1,
    .max_args = 1,
    .summary = "a stable allocation of your own market at fixed prices: YAML or JSON",
    .doc =
        "FILE is a mapping: budget [n], value [n][m], price [n][m] (or [m], the same for every buyer), and,\n"
        "optional, rank [m][n] (0 the highest priority, equal numbers a tie; natural, by price, when left "
        "out),\n"
        "owner [m], buyer_names, item_names, seller_names. Numbers may be rationals such as 2/3; decimals "
        "are read\n"
        "exactly. any: Algorithm 1, every market. max-revenue: Algorithm 3 where prices and priorities do "
        "not\n"
        "depend on the buyer, else all cells of the stable set, as for min-revenue: small markets. Every "
        "answer\n"
        "has passed a check of stability by its definition. OUT.h5 appears whole or not at all;\n"
        "docs/pricecompetition.md has the format.",
    .examples =
        "  walras stable examples/prices.yaml\n"
        "  walras stable prices.yaml --objective min-revenue --exact -o stable.h5\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
