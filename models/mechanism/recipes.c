/* What each kind is trained with unless told otherwise. */
#include "models/mechanism/training.h"

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
