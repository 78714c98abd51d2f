/* walras allocate: the work between its flags and its summary. Private to experiments/commands. */
#ifndef WAL_EXPERIMENTS_COMMANDS_ALLOCATING_H
#define WAL_EXPERIMENTS_COMMANDS_ALLOCATING_H

#include "experiments/commands/shared.h"
#include "experiments/files/allocation_file.h"
#include "models/mechanism/attack.h"

/* What the summary says, over all instances. */
typedef struct {
  double nsw, log_nsw, efficiency, expl; /* means over instances */
  double worst_gain;                     /* of any agent */
  double worst_kkt;
  int64_t inexact;         /* instances with a KKT residual over 1e-9 */
  int64_t worst_instance;  /* which one has it */
  int64_t idle, with_idle; /* agents that take no part; instances with one */
  int64_t unweighted;      /* of them, with a weight of 0 */
  int64_t empty;           /* budgets of 0 */
  int64_t ambiguous;       /* instances whose allocation is not unique */
  int64_t first_ambiguous; /* the first of them */
  double seconds;          /* allocating, wall time */
  double attack_seconds;   /* searching for misreports */
} wal_allocation_totals;

typedef struct {
  const char *path, *out; /* out NULL: print only */
  const char *model;      /* path; NULL: nothing is learned */
  int models;             /* version of the numbers that the model was trained with */
  wal_device_choice device;
  wal_settings settings;
  wal_instances_file file;
  wal_mechanism *f; /* owned */
  bool attacked;
  wal_attack_options attack; /* reports relative to the largest value and demand of the file */
  wal_instances_block in;    /* the instances last worked on */
  wal_allocation_block answer;
  wal_allocation_totals totals;
  wal_provenance texts;
  wal_bar bar;
} wal_allocating;

/* Is it plain or regularised PF, with prices and a certificate? */
bool wal_allocating_pf(const wal_allocating *w);
/* Allocates all instances block by block, into a new file at `temporary` where that is not NULL. */
wal_status wal_allocate_all(wal_allocating *w, const char *temporary, wal_allocation_file *file);
void wal_allocating_print(const wal_allocating *w);

#endif
