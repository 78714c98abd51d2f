/* Adam over arrays, on one thread; the formula is in adam_element.h. */
#ifndef WAL_NN_ADAM_H
#define WAL_NN_ADAM_H

#include <stdint.h>

/* Step number t >= 1 at learning rate lr over `count` parameters: gradient g -> first moment m, second moment
   v, parameters p, all [count]. */
void wal_adam_step(int64_t count, int64_t t, float lr, const float *restrict g, float *restrict m,
                   float *restrict v, float *restrict p);

#endif
