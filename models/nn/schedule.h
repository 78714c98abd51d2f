/* Learning-rate schedules. */
#ifndef WAL_NN_SCHEDULE_H
#define WAL_NN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  double peak;    /* the learning rate after warm-up */
  int64_t warmup; /* steps of linear warm-up; 0: none */
  bool cosine;    /* after the warm-up: decay along half a cosine towards 0 at `steps`; false: constant */
  int64_t steps;  /* length of the run */
} wal_schedule;

/* The rate of step t = 0, 1, ..., steps - 1: peak (t+1)/warmup while t < warmup, then
   peak (1 + cos(pi (t-warmup)/(steps-warmup)))/2, or peak. Never 0 within the run. */
double wal_schedule_rate(const wal_schedule *schedule, int64_t t);

#endif
