#include "models/mechanism/mechanisms.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  (void)n, (void)m, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "exs is not there yet");
}

const wal_mechanism_kind wal_mechanism_exs = {
    .name = "exs",
    .title = "ExS-Net",
    .source = "Zeng et al. (2024), as rpfnet, section 6 describes it",
    .learned = true,
    .create = create,
};
