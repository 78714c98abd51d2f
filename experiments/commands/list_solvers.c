/* walras list solvers: what each solver of markets takes. */
#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"
#include "models/market/solver.h"

/* "cpu", "cpu, cuda": where the heavy part of it can run in this program. */
static void devices_of(const wal_solver *solver, char *out, size_t size) {
  size_t used = (size_t)snprintf(out, size, "cpu");
  for (const wal_device_offer *const *o = wal_cli_program()->devices; *o && used < size; o++)
    if ((*o)->device && wal_device_has((*o)->device, solver->seam))
      used += (size_t)snprintf(out + used, size - used, ", %s", (*o)->name);
}

static void print(FILE *out) {
  fprintf(out, "%-14s %-26s %-26s %-10s %-9s %-12s %s\n", "solver", "method", "alpha", "devices", "contexts",
          "quasilinear", "sizes");
  for (const wal_solver *const *s = wal_solvers; *s; s++) {
    char devices[64];
    devices_of(*s, devices, sizeof devices);
    fprintf(out, "%-14s %-26s %-26s %-10s %-9s %-12s %s\n", (*s)->name, (*s)->title, (*s)->alpha, devices,
            (*s)->contexts ? "needed" : "-", (*s)->quasilinear ? "yes" : "-", (*s)->sizes);
  }
  fprintf(out, "\nSources:\n");
  for (const wal_solver *const *s = wal_solvers; *s; s++)
    fprintf(out, "  %-14s %s\n", (*s)->name, (*s)->source);
}

const wal_topic wal_topic_solvers = {"solvers", "every way to compute an equilibrium: alpha, sizes, devices",
                                     print};
