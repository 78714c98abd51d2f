#include "models/mechanism/mechanisms.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  (void)n, (void)m, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "pf is not there yet");
}

const wal_mechanism_kind wal_mechanism_pf = {
    .name = "pf",
    .title = "Proportional fairness",
    .source = "rpfnet, eq. 4",
    .learned = false,
    .create = create,
};
