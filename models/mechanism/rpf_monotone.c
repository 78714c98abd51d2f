#include "models/mechanism/mechanisms.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  (void)n, (void)m, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "rpf_monotone is not there yet");
}

const wal_mechanism_kind wal_mechanism_rpf_monotone = {
    .name = "rpf_monotone",
    .title = "RPF-Net, structured monotone",
    .source = "ours: rpfnet, eq. 9, with a monotone network of the own report",
    .learned = true,
    .create = create,
};
