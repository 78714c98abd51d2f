#include "models/mechanism/mechanisms.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  (void)n, (void)m, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "vtheta is not there yet");
}

const wal_mechanism_kind wal_mechanism_vtheta = {
    .name = "vtheta",
    .title = "PF of values^theta",
    .source = "ours: a control without a network",
    .learned = false,
    .create = create,
};
