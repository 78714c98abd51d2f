/* walras list solvers: what each solver of markets takes. */
#include "experiments/commands/commands.h"
#include "models/market/solver.h"

static void print(FILE *out) {
  fprintf(out, "%-14s %-26s %-26s %-8s %-9s %-12s %s\n", "solver", "method", "alpha", "devices", "contexts",
          "quasilinear", "sizes");
  for (const wal_solver *const *s = wal_solvers; *s; s++)
    fprintf(out, "%-14s %-26s %-26s %-8s %-9s %-12s %s\n", (*s)->name, (*s)->title, (*s)->alpha,
            (*s)->devices, (*s)->contexts ? "needed" : "-", (*s)->quasilinear ? "yes" : "-", (*s)->sizes);
  fprintf(out, "\nSources:\n");
  for (const wal_solver *const *s = wal_solvers; *s; s++)
    fprintf(out, "  %-14s %s\n", (*s)->name, (*s)->source);
}

const wal_topic wal_topic_solvers = {"solvers", "every way to compute an equilibrium: alpha, sizes, devices",
                                     print};
