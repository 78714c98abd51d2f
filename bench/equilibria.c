/* Thrifty equilibria of random markets: how many are found and how fast, by family and size, and beside it
   the mixed-integer program on the first few markets. One thread.
   usage: bench_equilibria [MARKETS [PROGRAMS [NODES]]]    200 markets of each kind and size, the program on
                                                           10 of them with at most 20000 nodes */
#include "models/nashwelfare/equilibria.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "models/nashwelfare/equilibria_program.h"
#include "models/nashwelfare/families.h"

enum { SEED = 1, MOST = 32 };
static const double least_price = 1e-4; /* of the program, in parts of all budgets */

typedef struct {
  int found, several, markets; /* markets with an equilibrium, with more than one */
  double seconds, longest;     /* of processor time, all markets; the slowest */
} tally;

typedef struct {
  int found, agree, stopped, markets; /* programs answered; with prices that the search has too; given up */
  double seconds, longest;
} rival;

static void check(wal_status status) {
  if (status == WAL_OK) return;
  fprintf(stderr, "%s\n", wal_error());
  exit(1);
}

static double total(const wal_nw_market *market) {
  double sum = 0;
  for (int i = 0; i < market->n; i++) sum += market->budget[i];
  return sum;
}

static void search(const wal_nw_market *market, wal_equilibria *e, tally *t) {
  const double start = bench_cpu_seconds();
  check(wal_equilibria_find(market, NULL, e));
  const double seconds = bench_cpu_seconds() - start;
  t->markets++;
  t->found += e->count > 0;
  t->several += e->count > 1;
  t->seconds += seconds;
  t->longest = fmax(t->longest, seconds);
}

/* The program for the lowest price of good 0. It has no prices near 0: such markets are left out. */
static void program(const wal_nw_market *market, const wal_equilibria *e, int nodes, rival *r) {
  const int m = market->m;
  double cost[MOST] = {1}, p[MOST], x[MOST * MOST];
  for (int k = 0; k < e->count; k++)
    for (int j = 0; j < m; j++)
      if (e->list[k].p[j] < 100 * least_price * total(market)) return;
  wal_program_outcome outcome;
  const double start = bench_cpu_seconds();
  const wal_status status = wal_equilibrium_program(market, cost, least_price, nodes, p, x, &outcome);
  const double seconds = bench_cpu_seconds() - start;
  r->markets++;
  r->seconds += seconds;
  r->longest = fmax(r->longest, seconds);
  r->stopped += status == WAL_OK && outcome == WAL_PROGRAM_STOPPED;
  if (status != WAL_OK || outcome != WAL_PROGRAM_FOUND) return;
  r->found++;
  bool known = false;
  for (int k = 0; k < e->count; k++) {
    double apart = 0;
    for (int j = 0; j < m; j++) apart = fmax(apart, fabs(p[j] - e->list[k].p[j]));
    known = known || apart < 1e-6 * total(market);
  }
  r->agree += known;
}

static void measure(const wal_family *family, int size, int markets, int programs, int nodes) {
  tally t = {0};
  rival r = {0};
  for (int k = 0; k < markets; k++) {
    wal_nw_market market;
    wal_equilibria e;
    check(family->draw(SEED, k, size, size, &market));
    search(&market, &e, &t);
    if (k < programs && size <= 3) program(&market, &e, nodes, &r);
    wal_equilibria_destroy(&e);
    wal_nw_market_destroy(&market);
  }
  printf("| %s | %d x %d | %d | %d of %d | %d | %.2f | %.2f |", family->name, size, size, t.markets, t.found,
         t.markets, t.several, 1e3 * t.seconds / t.markets, 1e3 * t.longest);
  if (r.markets)
    printf(" %d of %d (%d stopped) | %d | %.1f | %.1f |\n", r.found, r.markets, r.stopped, r.agree,
           1e3 * r.seconds / r.markets, 1e3 * r.longest);
  else
    puts(" | | | |");
  fflush(stdout);
}

int main(int argc, char **argv) {
  static const int sizes[] = {2, 3, 4, 8, 16};
  const int markets = argc > 1 ? atoi(argv[1]) : 200, programs = argc > 2 ? atoi(argv[2]) : 10;
  const int nodes = argc > 3 ? atoi(argv[3]) : 20000;
  puts(
      "| family | agents x goods | markets | found | several | mean ms | longest ms | program | agree | mean "
      "ms "
      "| longest ms |\n|---|---|---|---|---|---|---|---|---|---|---|");
  for (const wal_family *family = wal_families; family->name; family++)
    for (int s = 0; family->network && s < 5; s++) {
      const int fewer = sizes[s] > 8 ? 50 : sizes[s] > 4 ? 10 : 1;
      measure(family, sizes[s], markets / fewer > 2 ? markets / fewer : 2, programs, nodes);
    }
  return 0;
}
