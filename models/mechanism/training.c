#include "models/mechanism/training.h"

#include <stdio.h>

wal_training_options wal_training_defaults(const char *mechanism, int n, int m) {
  (void)mechanism;
  return (wal_training_options){.law = wal_law_default(n, m, 1),
                                .steps = 1000,
                                .batch = 128,
                                .lr = 3e-3,
                                .cosine = true,
                                .objective = "product",
                                .gamma = 0.06,
                                .contested = true,
                                .attack = wal_attack_defaults("candidates"),
                                .trace_every = 50,
                                .save_every = 200};
}

wal_status wal_mechanism_train(wal_mechanism *f, const wal_training_options *options,
                               const wal_training_hooks *hooks, double *seconds) {
  (void)f, (void)options, (void)hooks, (void)seconds;
  return wal_fail(WAL_E_UNSUPPORTED, "training is not there yet");
}
