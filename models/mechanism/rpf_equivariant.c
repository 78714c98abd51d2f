#include "models/mechanism/mechanisms.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  (void)n, (void)m, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "rpf_equivariant is not there yet");
}

const wal_mechanism_kind wal_mechanism_rpf_equivariant = {
    .name = "rpf_equivariant",
    .title = "RPF-Net, equivariant",
    .source = "ours: rpfnet, eq. 9, with an equivariant network",
    .learned = true,
    .create = create,
};
