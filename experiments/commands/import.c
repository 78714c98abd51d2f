/* walras import: markets of other formats as HDF5. */
#include "engine/command.h"
#include "experiments/commands/commands.h"
#include "experiments/commands/shared.h"
#include "experiments/files/course_bids.h"

static const wal_flag flags[] = {
    {"output", 'o', WAL_FLAG_TEXT, "MARKET.h5", NULL, "the file to write (needed)"},
};

static int run(const wal_args *args, wal_registry registry) {
  (void)registry;
  const char *in = wal_args_at(args, 0), *out = wal_args_text(args, "output");
  if (!out) return wal_exit_code(wal_fail(WAL_E_INPUT, "walras import needs -o MARKET.h5"));
  wal_course_bids bids = {0};
  wal_status status = wal_output_check(in, out);
  if (!status) status = wal_course_bids_read(in, stdout, &bids);
  if (!status) status = wal_course_bids_write(&bids, in, out);
  if (!status)
    printf(
        "Wrote %s: %d buyers with equal budgets, %d goods, linear values (alpha = 1)\n"
        "walras solve %s finds the equilibrium\n",
        out, bids.n, bids.m, out);
  wal_course_bids_free(&bids);
  return wal_exit_code(status);
}

const wal_command wal_command_import = {
    .name = "import",
    .usage = "FILE.json",
    .min_args = 1,
    .max_args = 1,
    .summary = "course bids in JSON as a market in HDF5",
    .doc =
        "Reads {\"valuations\": {BUYER: {GOOD: NUMBER}}, \"item_capacities\": {GOOD: NUMBER}}, as "
        "ariel-research/fairpyx\n"
        "keeps course bids. Buyers get equal budgets, goods their capacity as supply; other keys are named "
        "and "
        "ignored.",
    .examples = "  walras import bids.json -o bids.h5\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
