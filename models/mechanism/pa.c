#include "models/mechanism/mechanisms.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  (void)n, (void)m, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "pa is not there yet");
}

const wal_mechanism_kind wal_mechanism_pa = {
    .name = "pa",
    .title = "Partial allocation",
    .source = "rpfnet, Appendix A; Cole, Gkatzelis and Goel (2013)",
    .learned = false,
    .create = create,
};
