/* Fixed-pricing markets: seconds of the processor of Algorithms 1 and 3 on one core, calls of normal_update,
   cycle steps, and their growth with n = m. Means over the instances 0, 1, 2 of seed 1.
   usage: bench_pricing [largest]    sizes up to 1000, exact ones and linear programs up to a fifth of it */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/kinds.h"
#include "models/pricing/revenue.h"
#include "models/pricing/stability.h"

enum { INSTANCES = 3 };

static void check(wal_status status) {
  if (status == WAL_OK) return;
  fprintf(stderr, "%s\n", wal_error());
  exit(1);
}

static void demand_stable(bool stable, const wal_stability_report *report) {
  if (stable) return;
  fprintf(stderr, "not stable: buyer %d, item %d: %s\n", report->buyer, report->item,
          wal_stability_text(report->fault));
  exit(1);
}

/* With the kind's budgets times `money`. */
static wal_pricing_market draw(wal_pricing_kind kind, int64_t k, int n, double money, bool exact) {
  wal_pricing_market market;
  check(wal_pricing_draw(kind, 1, k, n, n, false, &market));
  for (int i = 0; i < n; i++) market.budget[i] *= money;
  if (exact) check(wal_pricing_lift(&market));
  return market;
}

/* The least-squares slope of log y over log x. */
static double slope(int count, const double *x, const double *y) {
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int k = 0; k < count; k++) {
    const double a = log(x[k]), b = log(y[k]);
    sx += a, sy += b, sxx += a * a, sxy += a * b;
  }
  return (count * sxy - sx * sy) / (count * sxx - sx * sx);
}

/* ---- Algorithm 1 ---- */

typedef struct {
  double seconds, calls, cycles, bits, reconstruct;
} cost;

static void run_once(wal_pricing_kind kind, int64_t k, int n, double money, bool exact, cost *sum) {
  wal_pricing_market market = draw(kind, k, n, money, exact);
  wal_pricing_allocation x;
  wal_gale_shapley_report report;
  wal_stability_report fault;
  double start = bench_cpu_seconds();
  check(exact ? wal_gale_shapley_exact(&market, NULL, &x, &report)
              : wal_gale_shapley(&market, NULL, &x, &report));
  sum->seconds += (bench_cpu_seconds() - start) / INSTANCES;
  sum->calls += (double)report.calls / INSTANCES;
  sum->cycles += (double)report.cycles / INSTANCES;
  sum->bits = fmax(sum->bits, report.bits);
  demand_stable(exact ? wal_stability_check_exact(&market, x.exact, WAL_CHECK_STABLE, &fault)
                      : wal_stability_check(&market, x.x, WAL_CHECK_STABLE, 1e-9, &fault),
                &fault);
  if (exact && kind == WAL_PRICING_STRICT) {
    wal_pricing_allocation doubles, again;
    start = bench_cpu_seconds();
    check(wal_gale_shapley(&market, NULL, &doubles, NULL));
    check(wal_pricing_reconstruct(&market, doubles.x, &again));
    sum->reconstruct += (bench_cpu_seconds() - start) / INSTANCES;
    wal_pricing_allocation_destroy(&doubles);
    wal_pricing_allocation_destroy(&again);
  }
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
}

static void algorithm1(wal_pricing_kind kind, double money, bool exact, int largest) {
  double sizes[8], seconds[8], calls[8];
  int count = 0;
  for (int n = largest / 8; n <= largest && n > 1; n *= 2, count++) {
    cost sum = {0};
    for (int64_t k = 0; k < INSTANCES; k++) run_once(kind, k, n, money, exact, &sum);
    printf("%-15s budgets x %-4g %s %4d x %-4d %9.4f s %9.0f calls %6.0f cycle steps",
           wal_pricing_kind_name(kind), money, exact ? "exact  " : "doubles", n, n, sum.seconds, sum.calls,
           sum.cycles);
    if (exact) printf(" %5.0f bits", sum.bits);
    if (sum.reconstruct > 0) printf(", from doubles %.4f s", sum.reconstruct);
    printf("\n");
    fflush(stdout);
    sizes[count] = n, seconds[count] = sum.seconds, calls[count] = sum.calls;
  }
  if (count > 1)
    printf("  growth: seconds n^%.2f, calls n^%.2f\n", slope(count, sizes, seconds),
           slope(count, sizes, calls));
}

/* ---- Algorithm 3 against Algorithm 2's linear programs ---- */

static void algorithm3(int n, bool programs) {
  double flow_time = 0, program_time = 0, difference = 0;
  int64_t augmentations = 0;
  for (int64_t k = 0; k < INSTANCES; k++) {
    wal_pricing_market market = draw(WAL_PRICING_UNIFORM, k, n, 1, false);
    wal_pricing_allocation x;
    wal_stability_report fault;
    int64_t count;
    check(wal_pricing_allocation_create(n, n, false, &x));
    double start = bench_cpu_seconds();
    check(wal_stable_edmonds_karp(&market, &x, &count));
    flow_time += bench_cpu_seconds() - start;
    augmentations += count;
    demand_stable(wal_stability_check(&market, x.x, WAL_CHECK_STABLE, 1e-9, &fault), &fault);
    const double revenue = wal_pricing_revenue(&market, x.x, NULL);
    start = bench_cpu_seconds();
    if (programs) {
      wal_pricing_allocation y;
      double best;
      check(wal_revenue_by_lp(&market, &y, &best));
      difference = fmax(difference, fabs(best / revenue - 1));
      wal_pricing_allocation_destroy(&y);
    }
    program_time += bench_cpu_seconds() - start;
    wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
  }
  printf("Algorithm 3     %4d x %-4d %9.6f s %6.0f augmentations", n, n, flow_time / INSTANCES,
         (double)augmentations / INSTANCES);
  if (programs)
    printf("   two programs %8.3f s, %5.0f times; revenues differ by %.0e", program_time / INSTANCES,
           program_time / flow_time, difference);
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  const int largest = argc > 1 ? atoi(argv[1]) : 1000;
  if (largest < 40) {
    fprintf(stderr, "usage: bench_pricing [largest >= 40; 1000]\n");
    return 1;
  }
  for (int kind = 0; kind < WAL_PRICING_KINDS; kind++) algorithm1((wal_pricing_kind)kind, 1, false, largest);
  algorithm1(WAL_PRICING_STRICT, 0.25, false, largest);
  algorithm1(WAL_PRICING_STRICT, 1, true, largest / 5);
  algorithm1(WAL_PRICING_STRICT, 0.25, true, largest / 5);
  algorithm1(WAL_PRICING_NATURAL, 1, true, largest / 5);
  for (int n = largest / 40; n <= largest; n *= 2) algorithm3(n, n <= largest / 5);
  return 0;
}
