/* Training a mechanism (rpfnet, section 3.2): exploitability against Nash welfare, with a fixed weight or
   with the dual updates of Algorithm 1. */
#ifndef WAL_MECHANISM_TRAINING_H
#define WAL_MECHANISM_TRAINING_H

#include "models/mechanism/attack.h"

typedef struct {
  wal_law law;     /* of the training instances, on WAL_STREAM_TRAINING */
  int64_t samples; /* L: a finite training set, instances 0..L-1 of the law; 0: fresh ones at every step */
  int64_t steps;
  int welfare; /* instances of a step that welfare is measured on, drawn by PF's NSW, beside the batch that is
                  attacked (not with log); 0: the batch itself */
  int batch;   /* s: instances of a step */
  double lr;   /* Adam's */
  int warmup;
  bool cosine;
  char objective[16]; /* log: sum_i gamma_i expl_i - log NSW (eq. 10); product: the reported metrics,
                         gamma expl / expl(PF) - NSW / NSW(PF), with the logarithm instead of NSW in steps
                         where a mechanism is far below PF's; epsilon stays in units of expl. active: product
                         with NSW over the agents that take part. Over all it is 0 where one of them does not
                         (at 10 x 3 in 74% of law (17)), and what the others get there counts for nothing */
  double gamma;       /* weight of exploitability; with dual_rate > 0 its start */
  double epsilon;     /* Algorithm 1: exploitability allowed to each agent */
  double dual_rate;   /* beta of Algorithm 1; 0: gamma stays */
  bool contested;     /* mostly contested instances, with importance weights (sampler.h) */
  wal_attack_options
      attack;          /* the inner maximisation: candidates (with a gradient through the best), or ascent */
  int around;          /* with candidates and samples > 0: every agent's best misreport of an instance is kept
                          until the instance comes again, and tried then with so many around it; 0: none is */
  int64_t trace_every; /* steps between rows of the trace */
  int64_t save_every;  /* steps between checkpoints */
} wal_training_options;
wal_training_options wal_training_defaults(const char *mechanism, int n, int m);

/* Where training reports and keeps its state. Any callback may be NULL. */
typedef struct {
  void *context;
  void (*row)(void *context, int count, const char *const names[], const double values[]);
  void (*progress)(void *context, double fraction, const char *what);
  /* Keeps a checkpoint, replacing the last; gives the last one back, malloc'd (*bytes NULL: there is none).
   */
  wal_status (*save)(void *context, const void *bytes, int64_t size);
  wal_status (*load)(void *context, void **bytes, int64_t *size);
} wal_training_hooks;

/* Trains f in place. A run that was cut off goes on from its checkpoint to the same bits; a finished one is
   only loaded. seconds (may be NULL): wall time of the training, over all its parts. */
wal_status wal_mechanism_train(wal_mechanism *f, const wal_training_options *options,
                               const wal_training_hooks *hooks, double *seconds);

#endif
