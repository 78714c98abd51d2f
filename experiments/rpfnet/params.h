/* The rows of the parameter table that every RPF-Net experiment begins with, as initialisers: an experiment
   with parameters of its own writes them after these. */
#ifndef WAL_EXPERIMENTS_RPFNET_PARAMS_H
#define WAL_EXPERIMENTS_RPFNET_PARAMS_H

#include <math.h>

#include "engine/experiment.h"
#include "engine/precision.h"

#define WAL_MECHANISM_CHOICES \
  "pf|pa|mixture|clip|vtheta|uniform|exs|softmax|rpf|rpf_equivariant|rpf_monotone|rpf_separable"
#define WAL_LEARNED_ONLY "mechanism=exs|softmax|rpf|rpf_equivariant|rpf_monotone|rpf_separable"

/* The instances of law (17), and the mechanism with the options of its kind. */
#define WAL_RPFNET_INSTANCE_PARAMS                                                                     \
  {"mechanism", WAL_TEXT,     "pf", 0, 0, WAL_MECHANISM_CHOICES, "1", "how resources are allocated",   \
   NULL,        WAL_PARAM_KEY},                                                                        \
      {"n", WAL_INT, "2", 1, 1000, NULL, "agents", "number of agents", NULL, WAL_PARAM_KEY},           \
      {"m", WAL_INT, "2", 1, 200, NULL, "resources", "number of resources", NULL, WAL_PARAM_KEY},      \
      {"budget", WAL_REAL, "0.5", 0, 1e3, NULL, "1/agent", "budget of each resource, a fraction of n", \
       NULL,     0},                                                                                   \
      {"demanded", WAL_REAL, "0.5", 0, 1, NULL, "1", "probability that a demand is not 0", NULL, 0},   \
      {"seed",                                                                                         \
       WAL_INT,                                                                                        \
       "1",                                                                                            \
       0,                                                                                              \
       9007199254740992.0,                                                                             \
       NULL,                                                                                           \
       "1",                                                                                            \
       "key of every random number of the point: held-out and training instances, initial weights",    \
       NULL,                                                                                           \
       WAL_PARAM_KEY},                                                                                 \
      {"held_out", WAL_INT, "20000", 1, 1e9, NULL, "instances", "instances measured, none trained on", \
       NULL,       0},                                                                                 \
      {"mixture.rho", WAL_REAL, "0.5", 0, 1, NULL, "1", "share of PF", "mechanism=mixture", 0},        \
      {"vtheta.theta",     WAL_REAL, "0.35", 0, 1, NULL, "1", "values enter PF to this power",         \
       "mechanism=vtheta", 0},                                                                         \
      {"clip.one",                                                                                     \
       WAL_REAL,                                                                                       \
       "0.35",                                                                                         \
       0,                                                                                              \
       100,                                                                                            \
       NULL,                                                                                           \
       "nats",                                                                                         \
       "limit of the log value ratio where one resource is contested",                                 \
       "mechanism=clip",                                                                               \
       0},                                                                                             \
      {"clip.both",                                                                                    \
       WAL_REAL,                                                                                       \
       "0.4",                                                                                          \
       0,                                                                                              \
       100,                                                                                            \
       NULL,                                                                                           \
       "nats",                                                                                         \
       "limit of the log value ratio where several resources are contested",                           \
       "mechanism=clip",                                                                               \
       0},                                                                                             \
      {"net.width",      WAL_INT, "0", 0, 4096, NULL, "units", "hidden width; 0: the kind's own",      \
       WAL_LEARNED_ONLY, 0},                                                                           \
      {"net.depth",      WAL_INT, "0", 0, 32, NULL, "layers", "linear layers; 0: the kind's own",      \
       WAL_LEARNED_ONLY, 0},                                                                           \
      WAL_PRECISION_PARAM("net.precision", WAL_LEARNED_ONLY), {                                        \
    "net.activation", WAL_TEXT, "own", 0, 0, "own|relu|tanh|silu", "1", "hidden activation",           \
        WAL_LEARNED_ONLY, 0                                                                            \
  }

/* One number of a recipe. */
#define WAL_RPFNET_TRAIN(NAME, TYPE, MAX, UNIT, DOC) \
  { "train." NAME, TYPE, "-1", -1, MAX, NULL, UNIT, DOC "; -1: the kind's own", WAL_LEARNED_ONLY, 0 }

/* Training: -1 and "own" leave the kind's recipe (wal_training_defaults). */
#define WAL_RPFNET_TRAIN_PARAMS                                                                            \
  {"train.law",                                                                                            \
   WAL_TEXT,                                                                                               \
   "uniform",                                                                                              \
   0,                                                                                                      \
   0,                                                                                                      \
   "uniform|perturbed|adversarial",                                                                        \
   "1",                                                                                                    \
   "of the training instances: eqs. 17, 18 or 19",                                                         \
   WAL_LEARNED_ONLY,                                                                                       \
   0},                                                                                                     \
      {"train.scale",    WAL_REAL, "0.01", 0, 1e3, NULL, "1", "of the Cauchy perturbation of eq. 18",      \
       WAL_LEARNED_ONLY, 0},                                                                               \
      WAL_RPFNET_TRAIN("samples", WAL_INT, 1e12, "instances",                                              \
                       "L: size of the training set; 0: fresh instances at every step"),                   \
      WAL_RPFNET_TRAIN("steps", WAL_INT, 1e9, "steps", "Adam steps"),                                      \
      WAL_RPFNET_TRAIN("batch", WAL_INT, 1e6, "instances", "s: instances of a step"),                      \
      WAL_RPFNET_TRAIN("lr", WAL_REAL, 1, "1", "Adam's learning rate"),                                    \
      WAL_RPFNET_TRAIN("warmup", WAL_INT, 1e6, "steps", "linear warm-up of the rate"),                     \
      WAL_RPFNET_TRAIN("gamma", WAL_REAL, 1e9, "1", "weight of exploitability; with dual_rate its start"), \
      WAL_RPFNET_TRAIN("epsilon", WAL_REAL, 1e9, "1", "exploitability that Algorithm 1 allows an agent"),  \
      WAL_RPFNET_TRAIN("dual_rate", WAL_REAL, 1e9, "1", "beta of Algorithm 1; 0: gamma stays"),            \
      WAL_RPFNET_TRAIN("around", WAL_INT, 1e6, "1", "tried around the remembered lie; 0: no memory"),      \
      WAL_RPFNET_TRAIN("candidates", WAL_INT, 1e6, "1", "reports tried per agent and step"),               \
      {"train.objective",                                                                                  \
       WAL_TEXT,                                                                                           \
       "own",                                                                                              \
       0,                                                                                                  \
       0,                                                                                                  \
       "own|log|product|active",                                                                           \
       "1",                                                                                                \
       "eq. 10's logarithm of NSW, the reported metrics themselves, or these with NSW of the agents that " \
       "take part",                                                                                        \
       WAL_LEARNED_ONLY,                                                                                   \
       0},                                                                                                 \
      {"train.cosine",   WAL_TEXT, "own", 0, 0, "own|yes|no", "1", "decay the rate to 0 by a cosine",      \
       WAL_LEARNED_ONLY, 0},                                                                               \
      {"train.contested",                                                                                  \
       WAL_TEXT,                                                                                           \
       "own",                                                                                              \
       0,                                                                                                  \
       0,                                                                                                  \
       "own|yes|no",                                                                                       \
       "1",                                                                                                \
       "train on contested instances only, with importance weights",                                       \
       WAL_LEARNED_ONLY,                                                                                   \
       0},                                                                                                 \
      {"train.attack",           WAL_TEXT,         "own", 0, 0, "own|candidates|ascent", "1",              \
       "the inner maximisation", WAL_LEARNED_ONLY, 0},                                                     \
  {                                                                                                        \
    "train.lie", WAL_TEXT, "own", 0, 0, "own|values|demands|both", "1",                                    \
        "what the inner maximisation may misreport", WAL_LEARNED_ONLY, 0                                   \
  }

/* The search for misreports that measures exploitability. */
#define WAL_RPFNET_ATTACK_PARAMS                                                                              \
  {"attack.method",                                                                                           \
   WAL_TEXT,                                                                                                  \
   "strong",                                                                                                  \
   0,                                                                                                         \
   0,                                                                                                         \
   "ascent|candidates|strong|grid",                                                                           \
   "1",                                                                                                       \
   "search for the best misreport",                                                                           \
   NULL,                                                                                                      \
   0},                                                                                                        \
      {"attack.lie", WAL_TEXT, "both", 0, 0, "values|demands|both", "1", "what may be misreported", NULL, 0}, \
      {"attack.candidates",                                                                                   \
       WAL_INT,                                                                                               \
       "600",                                                                                                 \
       1,                                                                                                     \
       1e7,                                                                                                   \
       NULL,                                                                                                  \
       "1",                                                                                                   \
       "reports tried per agent",                                                                             \
       "attack.method=candidates|strong",                                                                     \
       0},                                                                                                    \
      {"attack.refine",        WAL_INT, "12", 0, 1e4, NULL, "1", "rounds of the local search",                \
       "attack.method=strong", 0},                                                                            \
      {"attack.starts",        WAL_INT, "1", 1, 1e4, NULL, "1", "starting points, the truth first",           \
       "attack.method=ascent", 0},                                                                            \
      {"attack.grid", WAL_INT, "64", 2, 1e4, NULL, "1", "points per free number", "attack.method=grid", 0},   \
      {"attack.steps", WAL_INT, "100", 1, 1e6, NULL, "steps", "of an ascent, also of the weak attack",        \
       NULL,           0},                                                                                    \
      {"attack.rate", WAL_REAL, "0.3", 0, 100, NULL, "1", "of an ascent, also of the weak attack", NULL, 0},  \
  {                                                                                                           \
    "attack.weak", WAL_BOOL, "false", 0, 1, NULL, "1",                                                        \
        "also measure by subgradient ascent from the truth alone, as the paper did", NULL, 0                  \
  }

#define WAL_RPFNET_SHARED_PARAMS WAL_RPFNET_INSTANCE_PARAMS, WAL_RPFNET_TRAIN_PARAMS, WAL_RPFNET_ATTACK_PARAMS

#endif
