/* What the RPF-Net experiments share: the parameters of the instances, mechanisms, training and attacks, a
   trained mechanism and its measures at a point, labels and colours. */
#ifndef WAL_EXPERIMENTS_RPFNET_RPFNET_H
#define WAL_EXPERIMENTS_RPFNET_RPFNET_H

#include "engine/drawing.h"
#include "experiments/rpfnet/params.h"
#include "models/mechanism/attack.h"
#include "models/mechanism/mechanism.h"
#include "models/mechanism/training.h"

#define WAL_RPFNET_PAPER                                                                               \
  "S. Zeng, S. Bhatt, A. Koppel, S. Ganesh: Regularized Proportional Fairness Mechanism for Resource " \
  "Allocation Without Money (TMLR)"

/* ---- parameters and options ---- */

enum { WAL_RPFNET_PARAMS = 41, WAL_RPFNET_COLUMNS = 22 };
/* WAL_RPFNET_SHARED_PARAMS alone, for experiments without parameters of their own. */
extern const wal_param wal_rpfnet_params[WAL_RPFNET_PARAMS];
extern const wal_column wal_rpfnet_columns[WAL_RPFNET_COLUMNS];

/* Of any experiment whose parameters include the shared ones (the instances', the training's, the attack's).
 */
wal_law wal_rpfnet_law(const wal_point *point); /* held-out instances: law (17) */
void wal_rpfnet_mechanism_options(const wal_point *point, wal_mechanism_options *options);
void wal_rpfnet_training_options(const wal_point *point, wal_training_options *options);
wal_attack_options wal_rpfnet_attack_options(const wal_point *point);

/* ---- a mechanism ---- */

/* All that a mechanism depends on, as a text of lines, malloc'd: the kind and the options that count for it
   and, for a learned kind, its training. NULL: no memory. */
char *wal_rpfnet_key(const char *kind, int n, int m, const wal_mechanism_options *options,
                     const wal_training_options *training);
char *wal_rpfnet_point_key(const wal_point *point); /* of the point's mechanism */

/* The point's mechanism; a learned one is trained, or found already trained (same settings and seed, any
   experiment) through wal_sink_save/load; trace "train". train_s (may be NULL): wall time of its training. */
wal_status wal_rpfnet_mechanism(const wal_point *point, wal_sink *sink, wal_mechanism **out, double *train_s);
/* The same with settings given rather than read, for instances of the training law's shape. training (may be
   NULL where nothing is learned). */
wal_status wal_rpfnet_trained(const char *kind, int n, int m, const wal_mechanism_options *options,
                              const wal_training_options *training, wal_sink *sink, wal_mechanism **out,
                              double *train_s);

/* ---- its measures ---- */

/* One number per held-out instance and measure. The same instances for every mechanism: comparisons are
   paired. */
typedef struct {
  int64_t count;
  double *values;     /* [5, count], owned: the five below */
  double *nsw;        /* [count] product of utilities; of the random mechanism "mixture": its mean */
  double *nsw_active; /* [count] the same over agents with demand only */
  double *expl;       /* [count] mean over agents of what the attack finds */
  double *expl_weak;  /* [count] the same by one-start ascent; NaN: not asked, or no derivative to climb */
  double *efficiency; /* [count] */
} wal_rpfnet_samples;
void wal_rpfnet_samples_free(wal_rpfnet_samples *samples); /* accepts a zeroed struct */

/* Measures f on the first `count` instances of the law, in parallel; `weak` (may be NULL): a second attack.
   key (may be NULL: measured anew): wal_rpfnet_key of f, under which the samples are kept and found. */
wal_status wal_rpfnet_sample(wal_mechanism *f, const char *key, const wal_law *law, int64_t count,
                             const wal_attack_options *attack, const wal_attack_options *weak, wal_sink *sink,
                             wal_rpfnet_samples *out);
/* Those of plain PF: what ratios are against. */
wal_status wal_rpfnet_sample_pf(const wal_law *law, int64_t count, const wal_attack_options *attack,
                                const wal_attack_options *weak, wal_sink *sink, wal_rpfnet_samples *out);
/* The weak attack of a point: one-start ascent with its steps and rate; NULL in *weak when attack.weak is
   false. */
wal_attack_options *wal_rpfnet_weak_options(const wal_point *point, wal_attack_options *storage);

/* mean: of the samples; se: standard error of the mean; sd: over means of batches of 50, as the paper's +-
   seems to be. NaN where there are too few samples. */
typedef struct {
  double mean, se, batch_sd;
} wal_rpfnet_mean;
wal_rpfnet_mean wal_rpfnet_mean_of(const double *values, int64_t count);
/* mean(a) / mean(b), with a standard error for pairs (delta method); NaN where mean(b) is 0. batch_sd NaN. */
wal_rpfnet_mean wal_rpfnet_ratio_of(const double *a, const double *b, int64_t count);
/* The same of gains; NaN where PF's is of the size of the solver's tolerance, which is none to compare with.
 */
wal_rpfnet_mean wal_rpfnet_gain_ratio_of(const double *a, const double *pf, int64_t count);

/* Sends one row of wal_rpfnet_columns: measures of a, relative to pf. train_s NaN: nothing was trained. */
void wal_rpfnet_send(wal_sink *sink, const wal_rpfnet_samples *a, const wal_rpfnet_samples *pf,
                     double train_s, double measure_s);

/* run_point of the figures that measure one mechanism a point: wal_rpfnet_columns. */
wal_status wal_rpfnet_run_point(const wal_point *point, wal_sink *sink);

/* ---- drawing ---- */

/* A mechanism's name and colour of the palette, the same in every figure. */
const char *wal_rpfnet_label(const char *mechanism);
/* The name of a group's mechanism, with what it was trained for where that is swept and no recipe's. */
void wal_rpfnet_group_label(const wal_grouping *by, int group, char *out, size_t size);
int wal_rpfnet_colour(const char *mechanism);

/* Those of the wanted columns that the rows have (a parameter is one where it is swept); returns how many. */
int wal_rpfnet_keys(const wal_result *result, const char *const wanted[], int count, const char *found[]);
/* A number of a group's point: of its column, or the parameter where that is not swept. */
double wal_rpfnet_number(const wal_grouping *by, int group, const char *name);
const char *wal_rpfnet_word(const wal_grouping *by, int group, const char *name); /* a text */

/* A mean over seeds with its bar: from the smallest to the largest seed or, with one seed, +- se. */
void wal_rpfnet_add(wal_series *series, double x, wal_stat mean, wal_stat se);

/* Bars of a column over the categories 0, 1, ..., one for each group, with errors as above (column NAME_se),
   and hollow points where values are published. groups [count] */
void wal_rpfnet_bars(wal_panel *panel, const wal_grouping *by, const int *groups, int count,
                     const char *column, const char *name, int colour);
/* NSW over PF's as two sets of bars: of all agents, of those that take part. */
void wal_rpfnet_welfare_bars(wal_panel *panel, const wal_grouping *by, const int *groups, int count);
/* "truthful (17)", "perturbed (18)", "adversarial (19)"; "" for what is not trained. */
const char *wal_rpfnet_law_label(const wal_frame *rows, int64_t row);

#endif
