/* What each kind is trained with unless told otherwise. */
#include <string.h>

#include "models/mechanism/training.h"

/* The members with one network for all entries: one small network learns fast; lies about demands, of which
   half of the candidates are, need more of these than lies about values. */
static void pooled_recipe(bool separable, wal_training_options *o) {
  o->steps = separable ? 6000 : 1500;
  o->batch = 24;
  o->lr = 8e-3;
  o->attack.candidates = 48;
}

/* At 2 x 2 a finite set of instances, whose best misreports are remembered: then some fifty candidates find
   what hundreds would, and the time goes into steps. The equivariant member, which sees the own report, hides
   gains between few candidates; the separable one sees it too, and takes more instances. */
static void small_recipe(bool equivariant, bool separable, wal_training_options *o) {
  o->samples = separable ? 49152 : 16384;
  o->around = 7;
  o->attack.candidates = equivariant ? 40 : 48;
  o->steps = equivariant ? 2000 : 4000;
  o->batch = 96;
  o->lr = 1e-2;
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
  const bool equivariant = strcmp(mechanism, "rpf_equivariant") == 0;
  const bool separable = strcmp(mechanism, "rpf_separable") == 0;
  if (!equivariant && !separable && strcmp(mechanism, "rpf_monotone") != 0) return o;
  if (n * m <= 4)
    small_recipe(equivariant, separable, &o);
  else
    pooled_recipe(separable, &o);
  return o;
}
