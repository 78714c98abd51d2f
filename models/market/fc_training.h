/* A training of MarketFCNet in progress. Its parts: Adam steps on minibatches (fc_step.c), multipliers
   (fc_multipliers.c), what the trace shows (fc_trace.c), epochs and solvers (marketfcnet.c). Private to
   models/market. */
#ifndef WAL_MARKET_FC_TRAINING_H
#define WAL_MARKET_FC_TRAINING_H

#include "models/market/fc_network.h"
#include "models/market/solver.h"
#include "models/nn/schedule.h"

/* A pair of minibatches, 2M buyers, and the network's work on them. */
typedef struct {
  float *in, *z, *dz;         /* [2M * network rows, inputs], [2M, m] twice */
  double *v, *budgets, *term; /* [2M, m], [2M], [2M] */
  double *x, *dx;             /* [2M, m] */
  double *excess;             /* [2, m] */
} wal_fc_batch;

typedef struct {
  const wal_fc_recipe *recipe;
  const wal_market *market;
  const wal_network_options *options;
  const wal_trace *trace;
  uint64_t seed;
  wal_schedule schedule;
  int epoch;               /* 1, 2, ... */
  wal_fc_network *network; /* owned */
  double *lambda;          /* [m] the network's */
  const double *mean;      /* [m] Y_j / n, the network's */
  int64_t draws, steps;    /* buyers drawn and Adam steps made so far */
  wal_fc_pair pair;
  wal_fc_batch batch;
  /* Over the buyers of a pass, or of the epoch's minibatches: */
  double budget;    /* E[B] */
  double *demand;   /* [m] E[x_j] at the present lambda */
  double first_gap; /* Nash gap after the first epoch, as traced */
  /* Share output, over the epoch's minibatches: */
  double count;   /* buyers */
  double *spent;  /* [m] sum_i B_i s_ij, where s_ij = lambda_j x_ij / B_i */
  double *shares; /* [m, m] sum_i B_i s_ij s_ik, lower triangle */
  double *step;   /* [m] scratch */
} wal_fc_training;

/* WAL_E_DIVERGED: `what` is `value` in this epoch. */
wal_status wal_fc_diverged(const wal_fc_training *t, const char *what, double value);

/* One Adam step on a fresh pair of minibatches; *loss is the estimated Lagrangian before it. */
wal_status wal_fc_step(wal_fc_training *t, double *loss);

/* The multipliers to begin with: options' lambda0, or one price for all goods. */
wal_status wal_fc_first_multipliers(wal_fc_training *t);
/* Before an epoch's steps: forgets the last epoch's buyers; share output: sets the alpha to train with. */
void wal_fc_begin_epoch(wal_fc_training *t);
/* After them: new multipliers, and estimates of the demand at these. */
wal_status wal_fc_update_multipliers(wal_fc_training *t);

/* The epoch's row of the trace. */
wal_status wal_fc_report(wal_fc_training *t, double loss);

#endif
