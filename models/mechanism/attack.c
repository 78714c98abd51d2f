#include "models/mechanism/attack.h"

#include <stdio.h>

wal_attack_options wal_attack_defaults(const char *method) {
  wal_attack_options options = {.lie = WAL_LIE_BOTH,
                                .candidates = 600,
                                .starts = 1,
                                .steps = 100,
                                .rate = 0.05,
                                .grid = 64,
                                .refine = 3,
                                .low = 0.1,
                                .high = 1,
                                .seed = 1};
  snprintf(options.method, sizeof options.method, "%s", method);
  return options;
}

wal_status wal_attack(wal_mechanism *f, const wal_instances *in, const wal_attack_options *options,
                      const wal_attack_result *out) {
  (void)f, (void)in, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "the search for misreports is not there yet");
}

void wal_exploitability(const wal_instances *in, const double *gain, double *expl) {
  for (int64_t k = 0; k < in->count; k++) {
    double sum = 0;
    for (int i = 0; i < in->n; i++) sum += gain[k * in->n + i];
    expl[k] = sum / in->n;
  }
}
