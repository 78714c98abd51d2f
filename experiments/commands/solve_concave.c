#include "experiments/commands/solve_concave.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "experiments/commands/shared.h"
#include "experiments/files/concave_solution_file.h"
#include "models/common/parallel.h"

typedef struct {
  const char *path, *out; /* out NULL: print only */
  bool search;            /* for equilibria */
  bool no_range;          /* of prices: not to be had */
  wal_concave_market_file file;
  wal_concave_solution solution;
  wal_provenance texts;
  wal_bar bar;
} work;

/* ---- the work ---- */

static wal_status refuse_flags(const wal_args *args) {
  static const char *const ces[] = {"solver", "alpha", "quasilinear", "set", "allocation"};
  for (int k = 0; k < 5; k++)
    if (wal_args_on(args, ces[k]))
      return wal_fail(WAL_E_INPUT,
                      "--%s is for markets with CES utilities (HDF5, CSV); %s gives each agent its own "
                      "utility function, and its maximum Nash welfare is found without it",
                      ces[k], wal_args_at(args, 0));
  return WAL_OK;
}

static const double CLOSE = 1e-6; /* what a check has to come to */
static const double ROUGH = 1e-3; /* the same where one agent may be small beside the others */

/* What the prices buy each agent, from scratch. In a Gale demand no agent spends more than it has. */
static wal_status measure_agents(work *w) {
  const wal_nw_market *market = &w->file.market;
  wal_concave_solution *s = &w->solution;
  wal_status status = WAL_OK;
  for (int i = 0; i < market->n && !status; i++) {
    wal_demand_set set;
    status = wal_demand(market->utility[i], s->nash.q, market->budget[i], &set);
    s->best[i] = set.utility;
    s->spent[i] = 0;
    for (int j = 0; j < market->m; j++) s->spent[i] += s->nash.q[j] * s->nash.y[(size_t)i * market->m + j];
    if (status) wal_fail_in(status, "agent %d: ", i);
    if (!status && !(s->spent[i] <= market->budget[i] * (1 + ROUGH)))
      status =
          wal_fail(WAL_E_DIVERGED,
                   "agent %d spends %.6g of a budget of %.6g; expected at most all of it (budgets or values "
                   "may be too many orders of magnitude apart)",
                   i, s->spent[i], market->budget[i]);
  }
  return status;
}

/* An answer that is none is no answer: the verifiers know allocation and prices only. */
static wal_status check(work *w) {
  const wal_nw_market *market = &w->file.market;
  wal_concave_solution *s = &w->solution;
  const double bound = 2 * (1 + CLOSE);
  wal_status status = wal_ce_check(market, s->nash.y, s->nash.q, &s->report);
  if (!status) status = wal_nw_gap_check(market, s->nash.y, &s->checked_gap);
  if (!status) status = wal_nw_gale_check(market, s->nash.y, s->nash.q, &s->distance);
  if (!status && !(s->checked_gap <= CLOSE))
    status =
        wal_fail(WAL_E_DIVERGED,
                 "the answer is %.2g from the highest Nash welfare; expected 1e-6 (values or budgets may "
                 "be too many orders of magnitude apart)",
                 s->checked_gap);
  if (!status && !(s->report.demand_ratio <= bound))
    status = wal_fail(WAL_E_DIVERGED,
                      "agent %d could buy %.6g times its utility at these prices; at most 2 times by Theorem "
                      "1.2, so the prices are none",
                      s->report.worst_agent, s->report.demand_ratio);
  return status;
}

static wal_status find_equilibria(work *w) {
  wal_concave_solution *s = &w->solution;
  const wal_equilibria_options options = wal_equilibria_defaults();
  const wal_status status = wal_equilibria_find(&w->file.market, &options, &s->equilibria);
  if (status) return wal_fail_in(status, "--equilibria: ");
  s->ratio = malloc(((size_t)s->equilibria.count + 1) * sizeof *s->ratio);
  if (!s->ratio) return wal_fail(WAL_E_MEMORY, "no memory for the equilibria");
  for (int k = 0; k < s->equilibria.count; k++)
    s->ratio[k] = exp(wal_nw_log_welfare(&w->file.market, s->equilibria.list[k].u) - s->nash.log_welfare);
  return WAL_OK;
}

/* Where its linear programs fail the range is NaN, and the answer without it is one all the same. */
static wal_status find_range(work *w) {
  const size_t m = (size_t)w->file.market.m;
  wal_concave_solution *s = &w->solution;
  double *low = malloc(2 * m * sizeof *low), *high = low + m;
  s->range = malloc(2 * m * sizeof *s->range);
  wal_status status = low && s->range ? wal_nw_price_range(&w->file.market, &s->nash, low, high)
                                      : wal_fail(WAL_E_MEMORY, "no memory for %zu prices", m);
  w->no_range = status == WAL_E_DIVERGED;
  for (size_t k = 0; k < 2 * m && w->no_range; k++) low[k] = NAN;
  if (w->no_range) status = WAL_OK;
  for (size_t j = 0; j < m && !status; j++) {
    s->range[2 * j] = low[j];
    s->range[2 * j + 1] = high[j];
  }
  free(low);
  return status;
}

/* To 1e-10, and where numbers too far apart keep it from that, to what the checks ask for. */
static wal_status maximise(const wal_nw_market *market, wal_nw_solution *out) {
  wal_nw_options options = wal_nw_defaults();
  wal_status status = wal_nw_maximise(market, &options, out);
  while (status == WAL_E_DIVERGED && options.tol < CLOSE) {
    options.tol = fmin(10 * options.tol, CLOSE);
    status = wal_nw_maximise(market, &options, out);
  }
  return status;
}

static wal_status solve(work *w) {
  const size_t n = (size_t)w->file.market.n;
  wal_concave_solution *s = &w->solution;
  const double begun = wal_now();
  wal_bar_show(&w->bar, 0.2, "solving");
  wal_status status = maximise(&w->file.market, &s->nash);
  s->seconds = wal_now() - begun;
  wal_bar_show(&w->bar, 0.5, "checking");
  s->best = malloc(n * sizeof *s->best);
  s->spent = malloc(n * sizeof *s->spent);
  if (!status && (!s->best || !s->spent)) status = wal_fail(WAL_E_MEMORY, "no memory for %zu agents", n);
  if (!status) status = find_range(w);
  if (!status) status = check(w);
  if (!status) status = measure_agents(w);
  wal_bar_show(&w->bar, 0.7, "looking for equilibria");
  return status || !w->search ? status : find_equilibria(w);
}

static wal_status collect_texts(work *w) {
  char hash[33];
  wal_status status = wal_provenance_collect(&wal_device_choice_cpu, &w->texts);
  if (!status) status = wal_file_hash(w->path, hash);
  if (!status) status = wal_provenance_add(&w->texts, "input", "%s", w->path);
  if (!status) status = wal_provenance_add(&w->texts, "input_xxh128", "%s", hash);
  return status;
}

/* Works into a file that is committed when all is well. */
static wal_status solve_into(work *w) {
  wal_new_file *target = NULL;
  wal_status status = wal_output_begin(w->path, w->out, &target);
  if (status) return status;
  status = collect_texts(w);
  if (!status) status = solve(w);
  if (!status) status = wal_provenance_now(&w->texts, "end");
  if (!status)
    status = wal_fail_in(
        wal_concave_solution_write(&w->file, &w->solution, &w->texts, wal_new_file_temporary(target)),
        "%s: ", w->out);
  if (!status) return wal_new_file_commit(target);
  wal_new_file_abandon(target);
  return status;
}

/* ---- the summary ---- */

enum { SHOWN = 20, NAME_WIDTH = 40 };

static int shown_of(int count) { return count < SHOWN + 5 ? count : SHOWN; } /* not "and 1 more" */

/* The width of a column of names. */
static int width_of(char *const *names, int shown, int least) {
  int width = least;
  for (int k = 0; k < shown && names; k++)
    width = wal_name_width(names[k]) > width ? wal_name_width(names[k]) : width;
  return width < NAME_WIDTH ? width : NAME_WIDTH;
}

static void print_goods(const work *w) {
  const wal_nw_market *market = &w->file.market;
  const wal_concave_solution *s = &w->solution;
  const int shown = shown_of(market->m), width = width_of(w->file.good_names, shown, 4);
  printf("\n%-*s  %12s  %12s  %12s  %12s\n", width, "good", "price", "lowest", "highest", "sold");
  for (int j = 0; j < shown; j++) {
    double sold = 0;
    for (int i = 0; i < market->n; i++) sold += s->nash.y[(size_t)i * market->m + j];
    wal_print_name(w->file.good_names ? w->file.good_names[j] : NULL, j, width);
    printf("  %12.6g  %12.6g  %12.6g  %12.6g\n", s->nash.q[j], s->range[2 * j], s->range[2 * j + 1], sold);
  }
  if (shown < market->m) printf("... and %d more\n", market->m - shown);
}

static void print_agents(const work *w) {
  const wal_nw_market *market = &w->file.market;
  const wal_concave_solution *s = &w->solution;
  const int shown = shown_of(market->n), width = width_of(w->file.agent_names, shown, 5);
  printf("\n%-*s  %-20s  %12s  %12s  %12s  %12s\n", width, "agent", "utility function", "budget", "spent",
         "utility", "could buy");
  for (int i = 0; i < shown; i++) {
    wal_print_name(w->file.agent_names ? w->file.agent_names[i] : NULL, i, width);
    printf("  %-20s  %12.6g  %12.6g  %12.6g  %12.6g\n", market->utility[i]->ops->name, market->budget[i],
           s->spent[i], s->nash.u[i], s->best[i]);
  }
  if (shown < market->n) printf("... and %d more\n", market->n - shown);
}

/* Goods whose price is one of several. */
static int ambiguous(const work *w) {
  int count = 0;
  for (int j = 0; j < w->file.market.m; j++) {
    const double low = w->solution.range[2 * j], high = w->solution.range[2 * j + 1];
    count += high - low > 1e-6 * fmax(1, fabs(high));
  }
  return count;
}

static bool equal_budgets(const wal_nw_market *market) {
  for (int i = 1; i < market->n; i++)
    if (market->budget[i] != market->budget[0]) return false;
  return true;
}

static void print_equilibria(const work *w) {
  enum { GOODS = 6, PRICE = 12 };
  const wal_equilibria *all = &w->solution.equilibria;
  const int goods = w->file.market.m < GOODS + 2 ? w->file.market.m : GOODS;
  if (all->count == 0) {
    printf("\nno competitive equilibrium was found (there is one)\n");
    return;
  }
  printf("\n%-11s  %s", "equilibrium", "Nash welfare");
  for (int j = 0; j < goods; j++) {
    const char *name = w->file.good_names ? w->file.good_names[j] : NULL;
    const int width = name ? wal_name_width(name) : 1;
    printf("  %*s", width < PRICE ? PRICE - width : 0, "");
    wal_print_name(name, j, width < PRICE ? width : PRICE);
  }
  printf("%s\n", goods < w->file.market.m ? "  ..." : "");
  for (int k = 0; k < all->count; k++) {
    printf("%-11d  %12.6g", k, w->solution.ratio[k]);
    for (int j = 0; j < goods; j++) printf("  %*.6g", PRICE, all->list[k].p[j]);
    printf("\n");
  }
  printf("(Nash welfare over the maximum, at least 0.692201 by Theorem 1.1; prices)\n");
}

static void print_summary(const work *w) {
  const wal_concave_solution *s = &w->solution;
  const int several = ambiguous(w);
  char took[32];
  wal_format_seconds(s->seconds, took, sizeof took);
  printf("%-18s%s (%s)\n", "market", w->path, w->file.format);
  printf("%-18s%d\n%-18s%d\n", "agents n", w->file.market.n, "goods m", w->file.market.m);
  printf("%-18smaximum Nash welfare, with Gale prices\n", "answer");
  printf("%-18s%d in %s\n", "iterations", s->nash.iterations, took);
  printf("%-18s%.12g nats\n", "log Nash welfare", s->nash.log_welfare);
  printf("%-18s%.3g nats (checked from the allocation alone: %.3g)\n", "gap", s->nash.gap,
         fmax(0, s->checked_gap));
  printf("%-18s%.6g: the most that an agent could buy over what it gets (at most 2: Theorem 1.2)\n",
         "demand ratio", s->report.demand_ratio);
  if (equal_budgets(&w->file.market))
    printf("%-18s%.6g: the most that another's goods are worth over one's own (at most 2)\n", "envy",
           s->report.envy);
  if (!w->file.has_budgets) printf("%-18sthe file gives no budgets: 1 for each agent\n", "note");
  if (!(s->distance <= CLOSE))
    printf("%-18sthe prices meet the optimality conditions of one agent to %.2g only\n", "note", s->distance);
  if (w->no_range) printf("%-18sthe range of the prices could not be found\n", "note");
  if (several)
    printf("%-18s%d price%s not unique: any in the range supports the same utilities\n", "note", several,
           several == 1 ? " is" : "s are");
  print_goods(w);
  print_agents(w);
  if (w->search) print_equilibria(w);
}

static void print_written(const work *w) {
  const int n = w->file.market.n, m = w->file.market.m, k = w->solution.equilibria.count;
  printf("\nWrote %s: utility [%d], allocation [%d, %d], price [%d], price_range [%d, 2]", w->out, n, n, m, m,
         m);
  if (k) printf(", equilibrium_price [%d, %d]", k, m);
  printf("\n");
}

/* ---- the command ---- */

static wal_status run_work(const wal_args *args, work *w) {
  wal_status status = refuse_flags(args);
  wal_bar_show(&w->bar, 0, "reading");
  if (!status) status = wal_concave_market_open(w->path, &w->file);
  if (status) return status;
  return w->out ? solve_into(w) : solve(w);
}

int wal_solve_concave(const wal_args *args) {
  work *w = calloc(1, sizeof *w);
  wal_status status =
      w && wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (!w) return wal_exit_code(status);
  w->path = wal_args_at(args, 0);
  w->out = wal_args_text(args, "output");
  w->search = wal_args_on(args, "equilibria");
  if (!status) status = run_work(args, w);
  wal_bar_close(&w->bar);
  if (!status) print_summary(w);
  if (!status && w->out) print_written(w);
  const int code = wal_solving_code(status);
  wal_provenance_free(&w->texts);
  wal_concave_solution_destroy(&w->solution);
  wal_concave_market_close(&w->file);
  free(w);
  return code;
}
