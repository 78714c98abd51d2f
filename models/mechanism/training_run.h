/* One run of training: its state, buffers and checkpoints. Private to models/mechanism. */
#ifndef WAL_MECHANISM_TRAINING_RUN_H
#define WAL_MECHANISM_TRAINING_RUN_H

#include "models/mechanism/attack_search.h"
#include "models/mechanism/objective.h"
#include "models/mechanism/sampler.h"
#include "models/mechanism/training.h"

/* Instances on which the progress of training is seen, with PF's measures on the same ones. */
typedef struct {
  wal_owned_instances batch;
  double *importance;           /* [K] */
  wal_attack_options attack[2]; /* stronger than the one trained against; one-start ascent, the paper's */
  double pf[3];                 /* means under the law: NSW, exploitability by each */
} wal_validation;

typedef struct {
  wal_mechanism *f; /* borrowed, as the next two */
  const wal_training_options *o;
  const wal_training_hooks *hooks;
  bool active; /* NSW over the agents that take part: the objective active */

  /* ---- what a checkpoint keeps, beside the network ---- */
  int64_t step;            /* steps done */
  wal_sampler sampler;     /* its `next` */
  double pf_nsw, pf_expl;  /* scales of the objective: means of PF under the law, attacked the same way */
  double *gamma;           /* [N] dual variables */
  wal_objective_value sum; /* over the steps since the last row of the trace */
  double *rows;            /* [row_capacity, columns] the trace so far */
  int64_t row_count;
  double seconds;              /* wall time of training, s */
  double *memory_v, *memory_x; /* [L, N, M] best misreports so far of the training set; NULL: not kept */

  int columns;
  int64_t row_capacity;
  double begun; /* when this part of the run began, s */
  wal_validation validation;
  wal_mechanism *pf; /* proportional fairness itself */

  /* ---- buffers of a step: K = B + W instances, of which the first B are attacked ---- */
  wal_owned_instances reports; /* [K + B N]: the truth, then the lies */
  double *importance;          /* [B] */
  double *weight, *reference;  /* [K] of their welfare; PF's NSW */
  int welfare;                 /* W: the option, 0 for the objective log */
  int64_t drawn;               /* how many of the W there are */
  double rest;                 /* share of PF's welfare in instances whose demands fit */
  double *gain;                /* [B, N] */
  double *best_v, *best_x;     /* [B, N, M] best misreports */
  int64_t *origin;             /* [B] which instances of the training set these are */
  double *known_v, *known_x;   /* [B, N, M] their remembered misreports */
  int64_t *instance;           /* [B N] of a lie */
  int *agent;                  /* [B N] */
  double *a, *da;              /* [K + B N, N, M] */
  double *scratch;             /* [2, K, N] */
  double *expl;                /* [N] */
} wal_training_run;

/* Seconds on the monotonic clock. */
double wal_training_clock(void);

/* PF's measures on the validation instances and, where `scales` are wanted, under the law. */
wal_status wal_training_reference(wal_training_run *run, bool scales);
/* NSW and exploitability by a stronger attack and by the paper's on the validation instances, over those of
   PF, into ratio [3]. */
wal_status wal_training_validate(wal_training_run *run, double *ratio);
void wal_training_forget(wal_training_run *run); /* frees the validation instances */

/* The instances of this step's welfare behind the batch, with their weights. */
wal_status wal_training_draw_welfare(wal_training_run *run);

/* Room for the misreports of the training set: at first the truth. */
wal_status wal_training_memory_create(wal_training_run *run);
void wal_training_memory_destroy(wal_training_run *run);
/* The best misreports of the batch into best_v, best_x and gain, from the remembered ones on. */
wal_status wal_training_attack(wal_training_run *run, const wal_instances *truth,
                               const wal_attack_options *attack);
/* Numbers of the memory, memory_v then memory_x. */
int64_t wal_training_memory_size(const wal_training_run *run);

/* The state as bytes through hooks->save; nothing without it. */
wal_status wal_training_save(wal_training_run *run);
/* The state of the last checkpoint; *found: there was one. One of other settings is refused. */
wal_status wal_training_load(wal_training_run *run, bool *found);

#endif
