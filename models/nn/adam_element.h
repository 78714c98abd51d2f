/* Adam for one parameter (Kingma and Ba, algorithm 1), b1 = 0.9, b2 = 0.999, eps = 1e-8: one source for every
   processor. */
#ifndef WAL_NN_ADAM_ELEMENT_H
#define WAL_NN_ADAM_ELEMENT_H

#include <math.h>
#include <stdint.h>

#include "models/common/vmath.h"

typedef struct {
  float rate;  /* the learning rate, with the bias of the first moment corrected */
  float scale; /* of the second moment's root, which corrects its bias */
} wal_adam_factors;

/* Those of step number t >= 1 at learning rate lr. */
WAL_HD wal_adam_factors wal_adam_correct(int64_t t, float lr) {
  wal_adam_factors f;
  f.rate = (float)(lr / (1 - pow(0.9, (double)t)));
  f.scale = (float)(1 / sqrt(1 - pow(0.999, (double)t)));
  return f;
}

/* Gradient g -> moments m, v and parameter p. */
WAL_HD void wal_adam_element(wal_adam_factors f, float g, float *m, float *v, float *p) {
  const float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
  *m = b1 * *m + (1 - b1) * g;
  *v = b2 * *v + (1 - b2) * (g * g);
  *p -= f.rate * *m / (sqrtf(*v) * f.scale + eps);
}

#endif
