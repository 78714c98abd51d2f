/* What the RPF-Net experiments share: the parameters of the instances, mechanisms, training and attacks, a
   trained mechanism and its measures at a point, labels and colours. */
#ifndef WAL_EXPERIMENTS_RPFNET_RPFNET_H
#define WAL_EXPERIMENTS_RPFNET_RPFNET_H

#include "engine/drawing.h"
#include "engine/experiment.h"
#include "models/mechanism/attack.h"
#include "models/mechanism/mechanism.h"
#include "models/mechanism/training.h"

#define WAL_RPFNET_PAPER                                                                               \
  "S. Zeng, S. Bhatt, A. Koppel, S. Ganesh: Regularized Proportional Fairness Mechanism for Resource " \
  "Allocation Without Money (TMLR)"

#define WAL_MECHANISM_CHOICES "pf|pa|mixture|clip|vtheta|exs|softmax|rpf|rpf_equivariant|rpf_monotone"

/* Shared parameters: mechanism, n, m, budget, demanded, seed, held_out (instances measured), those of the
   kinds (mixture.rho, vtheta.theta, clip.one, clip.both, net.width, net.depth), train.* and attack.*. In
   train.*, 0 or "own" means the kind's own recipe (wal_training_defaults). */
enum { WAL_RPFNET_PARAMS = 40, WAL_RPFNET_COLUMNS = 12 };
extern const wal_param wal_rpfnet_params[];
extern const wal_column wal_rpfnet_columns[];

wal_law wal_rpfnet_law(const wal_point *point); /* held-out instances: law (17) */
void wal_rpfnet_mechanism_options(const wal_point *point, wal_mechanism_options *options);
void wal_rpfnet_training_options(const wal_point *point, wal_training_options *options);
wal_attack_options wal_rpfnet_attack_options(const wal_point *point);

/* The point's mechanism; a learned one is trained, or found already trained (same settings and seed, any
   experiment) through wal_sink_save/load; trace "train". train_s (may be NULL): wall time of its training. */
wal_status wal_rpfnet_mechanism(const wal_point *point, wal_sink *sink, wal_mechanism **out, double *train_s);
/* The same with settings given rather than read. */
wal_status wal_rpfnet_trained(const char *kind, const wal_mechanism_options *options,
                              const wal_training_options *training, wal_sink *sink, wal_mechanism **out,
                              double *train_s);

/* Means over held-out instances, with the standard error of each mean. */
typedef struct {
  double nsw, nsw_se, nsw_active; /* product of utilities; over agents with demand only */
  double expl, expl_se;           /* mean over instances of the mean over agents, strong attack */
  double expl_weak;               /* one-start ascent, as the paper measured; NaN: not asked or no gradient */
  double efficiency;
  double nsw_batch_sd, expl_batch_sd,
      efficiency_batch_sd; /* sd over batches of 50, as the paper's +- seems to be */
} wal_rpfnet_measures;
/* Measures a mechanism on the first `count` held-out instances of the law, in parallel; `weak` asks for the
   second attack. The same instances for every mechanism: comparisons are paired. */
wal_status wal_rpfnet_measure(wal_mechanism *f, const wal_law *law, int64_t count,
                              const wal_attack_options *attack, bool weak, wal_sink *sink,
                              wal_rpfnet_measures *out);

/* run_point of the figures that measure one mechanism a point: wal_rpfnet_columns, also relative to PF
   measured on the same instances. */
wal_status wal_rpfnet_run_point(const wal_point *point, wal_sink *sink);

/* A mechanism's name and colour of the palette, the same in every figure. */
const char *wal_rpfnet_label(const char *mechanism);
int wal_rpfnet_colour(const char *mechanism);

#endif
