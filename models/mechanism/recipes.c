/* What each kind is trained with unless told otherwise. */
#include <string.h>

#include "models/mechanism/training.h"

/* The members over pooled entries: one small network learns fast; lies about demands, of which half of the
   candidates are, need more of these than lies about values. */
static void pooled_recipe(int n, int m, wal_training_options *o) {
  const bool small = n * m <= 4;
  o->steps = 1500;
  o->batch = small ? 96 : 24;
  o->lr = small ? 5e-3 : 8e-3;
  o->attack.candidates = small ? 128 : 48;
}

wal_training_options wal_training_defaults(const char *mechanism, int n, int m) {
  wal_training_options o = {.law = wal_law_default(n, m, 1),
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
  if (n * m > 4) { /* a product of more utilities varies too much for the batch alone */
    o.welfare = 128;
    o.gamma = 0.1;
    o.batch = 32;
    o.attack.candidates = 64;
  }
  if (strcmp(mechanism, "rpf_monotone") == 0 || strcmp(mechanism, "rpf_equivariant") == 0)
    pooled_recipe(n, m, &o);
  return o;
}
