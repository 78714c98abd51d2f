/* A training of MarketFCNet in progress. Its parts: Adam steps on minibatches, by a device (fc_device.h; the
   CPU's are fc_step.c), multipliers (fc_multipliers.c), what the trace shows (fc_trace.c), epochs and solvers
   (marketfcnet.c). Private to models/market and gpu/market. */
#ifndef WAL_MARKET_FC_TRAINING_H
#define WAL_MARKET_FC_TRAINING_H

#include "models/market/fc_device.h"
#include "models/market/solver.h"
#include "models/nn/schedule.h"

struct wal_fc_training {
  const wal_fc_recipe *recipe;
  const wal_market *market;
  const wal_network_options *options;
  const wal_trace *trace; /* may be NULL */
  uint64_t seed;
  /* The rest is wal_fc_training_begin's. */
  wal_schedule schedule;
  int epoch;               /* 1, 2, ... */
  wal_fc_network *network; /* owned */
  wal_fc_work *work;       /* owned: the network's device's */
  double *lambda;          /* [m] the network's */
  const double *mean;      /* [m] Y_j / n, the network's */
  int64_t draws, steps;    /* buyers drawn and Adam steps made so far */
  wal_fc_pair pair;        /* its v and budget are the device's business */
  double *loss;            /* [inner] of the epoch's steps */
  /* Over the buyers of a pass, or of the epoch's minibatches: */
  double budget;    /* E[B] */
  double *demand;   /* [m] E[x_j] at the present lambda */
  double first_gap; /* Nash gap after the first epoch, as traced */
  /* Share output, over the epoch's minibatches: */
  double count;   /* buyers */
  double *spent;  /* [m] sum_i B_i s_ij, where s_ij = lambda_j x_ij / B_i */
  double *shares; /* [m, m] sum_i B_i s_ij s_ik, lower triangle */
  double *step;   /* [m] scratch */
};

/* A training of t's recipe, market, options and seed, the other members 0: checks them, makes the network and
   the first multipliers. wal_fc_training_end frees what it holds, half-begun ones too. */
wal_status wal_fc_training_begin(wal_fc_training *t);
void wal_fc_training_end(wal_fc_training *t);

/* WAL_E_DIVERGED: `what` is `value` in this epoch. */
wal_status wal_fc_diverged(const wal_fc_training *t, const char *what, double value);

/* The multipliers to begin with: options' lambda0, or one price for all goods. */
wal_status wal_fc_first_multipliers(wal_fc_training *t);
/* Before an epoch's steps: forgets the last epoch's buyers; share output: sets the alpha to train with. */
void wal_fc_begin_epoch(wal_fc_training *t);
/* After them: new multipliers, and estimates of the demand at these. */
wal_status wal_fc_update_multipliers(wal_fc_training *t);

/* The epoch's row of the trace. */
wal_status wal_fc_report(wal_fc_training *t, double loss);

#endif
