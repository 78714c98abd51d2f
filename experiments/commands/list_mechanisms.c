/* walras list mechanisms: every way to allocate resources without money. */
#include "experiments/commands/commands.h"
#include "models/mechanism/mechanism.h"

static void print(FILE *out) {
  fprintf(out, "%-18s %-42s %-9s %s\n", "mechanism", "method", "learned", "derivative");
  for (const wal_mechanism_kind *const *k = wal_mechanism_kinds; *k; k++)
    fprintf(out, "%-18s %-42s %-9s %s\n", (*k)->name, (*k)->title, (*k)->learned ? "yes" : "-",
            (*k)->vjp ? "yes" : "-");
  fprintf(out, "\nSources:\n");
  for (const wal_mechanism_kind *const *k = wal_mechanism_kinds; *k; k++)
    fprintf(out, "  %-18s %s\n", (*k)->name, (*k)->source);
  fprintf(out,
          "\nLearned ones are trained by walras train --mechanism NAME -o MODEL.h5, and used by walras "
          "allocate\n--mechanism NAME:MODEL.h5.\n");
}

const wal_topic wal_topic_mechanisms = {"mechanisms", "every way to allocate resources without money", print};
