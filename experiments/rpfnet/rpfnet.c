/* Parameters and options of the RPF-Net experiments, and a mechanism by its settings. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/util.h"
#include "experiments/rpfnet/rpfnet_private.h"
#include "models/common/rng.h"
#include "models/common/version.h"

const wal_param wal_rpfnet_params[WAL_RPFNET_PARAMS] = {WAL_RPFNET_SHARED_PARAMS};

/* Learned numbers may move a little across machines: float32 training takes other roads. */
#define NSW_TOL 5e-3, 1e-12
#define EXPL_TOL 0.2, 1e-6
#define SPREAD_TOL 0.2, 1e-6
const wal_column wal_rpfnet_columns[WAL_RPFNET_COLUMNS] = {
    {"nsw", WAL_REAL, "1", "Nash social welfare: mean product of utilities (eq. 2)", 0, NSW_TOL},
    {"nsw_se", WAL_REAL, "1", "standard error of nsw", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"nsw_sd", WAL_REAL, "1", "standard deviation over means of batches of 50", WAL_COLUMN_OPTIONAL,
     SPREAD_TOL},
    {"nsw_active", WAL_REAL, "1", "the same product over agents with demand only", 0, NSW_TOL},
    {"nsw_ratio", WAL_REAL, "1", "nsw over that of PF on the same instances", WAL_COLUMN_OPTIONAL, NSW_TOL},
    {"nsw_ratio_se", WAL_REAL, "1", "its standard error (pairs)", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"nsw_active_ratio", WAL_REAL, "1", "nsw_active over that of PF on the same instances",
     WAL_COLUMN_OPTIONAL, NSW_TOL},
    {"nsw_active_ratio_se", WAL_REAL, "1", "its standard error (pairs)", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"expl", WAL_REAL, "1", "exploitability: mean gain of the best misreport found", 0, EXPL_TOL},
    {"expl_se", WAL_REAL, "1", "standard error of expl", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"expl_sd", WAL_REAL, "1", "standard deviation over means of batches of 50", WAL_COLUMN_OPTIONAL,
     SPREAD_TOL},
    {"expl_ratio", WAL_REAL, "1", "expl over that of PF on the same instances", WAL_COLUMN_OPTIONAL,
     EXPL_TOL},
    {"expl_ratio_se", WAL_REAL, "1", "its standard error (pairs)", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"expl_weak", WAL_REAL, "1", "what one-start subgradient ascent finds, as the paper measured",
     WAL_COLUMN_OPTIONAL, EXPL_TOL},
    {"expl_weak_ratio", WAL_REAL, "1", "expl_weak over PF's by the same ascent", WAL_COLUMN_OPTIONAL,
     EXPL_TOL},
    {"expl_weak_ratio_se", WAL_REAL, "1", "its standard error (pairs)", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"efficiency", WAL_REAL, "1", "share of the budgets that is allocated", 0, NSW_TOL},
    {"efficiency_sd", WAL_REAL, "1", "standard deviation over means of batches of 50", WAL_COLUMN_OPTIONAL,
     SPREAD_TOL},
    {"efficiency_ratio", WAL_REAL, "1", "efficiency over that of PF on the same instances",
     WAL_COLUMN_OPTIONAL, NSW_TOL},
    {"efficiency_ratio_se", WAL_REAL, "1", "its standard error (pairs)", WAL_COLUMN_OPTIONAL, SPREAD_TOL},
    {"train_s", WAL_REAL, "s", "wall time of the training, also when it was done earlier",
     WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL, 0, 0},
    {"measure_s", WAL_REAL, "s", "wall time of measuring, also when it was done earlier", WAL_COLUMN_TIMING,
     0, 0},
};

/* ---- options ---- */

static int whole(const wal_point *point, const char *name) { return (int)wal_point_int(point, name); }

wal_law wal_rpfnet_law(const wal_point *point) {
  wal_law law = wal_law_default(whole(point, "n"), whole(point, "m"), (uint64_t)wal_point_int(point, "seed"));
  law.budget = wal_point_real(point, "budget");
  law.demanded = wal_point_real(point, "demanded");
  return law;
}

/* A text parameter into out unless it is "own". */
static void read_text(const wal_point *point, const char *name, char *out, size_t size) {
  const char *text = wal_point_text(point, name);
  if (strcmp(text, "own")) snprintf(out, size, "%s", text);
}

void wal_rpfnet_mechanism_options(const wal_point *point, wal_mechanism_options *o) {
  *o = wal_mechanism_defaults();
  o->rho = wal_point_real(point, "mixture.rho");
  o->theta = wal_point_real(point, "vtheta.theta");
  o->clip_one = wal_point_real(point, "clip.one");
  o->clip_both = wal_point_real(point, "clip.both");
  o->width = whole(point, "net.width");
  o->depth = whole(point, "net.depth");
  read_text(point, "net.activation", o->activation, sizeof o->activation);
  wal_precision_parse(wal_point_text(point, "net.precision"),
                      &o->precision); /* one of the choices: cannot fail */
  o->seed = (uint64_t)wal_point_int(point, "seed");
}

static void own_int(const wal_point *point, const char *name, int *out) {
  if (wal_point_int(point, name) >= 0) *out = whole(point, name);
}

static void own_count(const wal_point *point, const char *name, int64_t *out) {
  if (wal_point_int(point, name) >= 0) *out = wal_point_int(point, name);
}

/* -1 alone leaves the kind's own: the training refuses other negative numbers. */
static void own_real(const wal_point *point, const char *name, double *out) {
  if (wal_point_real(point, name) != -1) *out = wal_point_real(point, name);
}

static void own_bool(const wal_point *point, const char *name, bool *out) {
  const char *text = wal_point_text(point, name);
  if (strcmp(text, "own")) *out = strcmp(text, "yes") == 0;
}

static wal_lie lie_of(const char *name) {
  return strcmp(name, "values") == 0 ? WAL_LIE_VALUES
         : strcmp(name, "demands")   ? WAL_LIE_BOTH
                                     : WAL_LIE_DEMANDS;
}

void wal_rpfnet_training_options(const wal_point *point, wal_training_options *o) {
  *o = wal_training_defaults(wal_point_text(point, "mechanism"), whole(point, "n"), whole(point, "m"));
  o->law = wal_rpfnet_law(point);
  o->law.stream = WAL_STREAM_TRAINING;
  o->law.scale = wal_point_real(point, "train.scale");
  wal_law_parse(wal_point_text(point, "train.law"), &o->law.kind); /* one of the choices: cannot fail */
  own_count(point, "train.samples", &o->samples);
  own_count(point, "train.steps", &o->steps);
  own_int(point, "train.batch", &o->batch);
  own_real(point, "train.lr", &o->lr);
  own_int(point, "train.warmup", &o->warmup);
  own_bool(point, "train.cosine", &o->cosine);
  own_real(point, "train.gamma", &o->gamma);
  own_real(point, "train.epsilon", &o->epsilon);
  own_real(point, "train.dual_rate", &o->dual_rate);
  own_bool(point, "train.contested", &o->contested);
  own_int(point, "train.candidates", &o->attack.candidates);
  own_int(point, "train.around", &o->around);
  read_text(point, "train.objective", o->objective, sizeof o->objective);
  read_text(point, "train.attack", o->attack.method, sizeof o->attack.method);
  const char *lie = wal_point_text(point, "train.lie");
  if (strcmp(lie, "own")) o->attack.lie = lie_of(lie);
}

wal_attack_options wal_rpfnet_attack_options(const wal_point *point) {
  wal_attack_options o = wal_attack_defaults(wal_point_text(point, "attack.method"));
  o.lie = lie_of(wal_point_text(point, "attack.lie"));
  o.candidates = whole(point, "attack.candidates");
  o.refine = whole(point, "attack.refine");
  o.starts = whole(point, "attack.starts");
  o.grid = whole(point, "attack.grid");
  o.steps = whole(point, "attack.steps");
  o.rate = wal_point_real(point, "attack.rate");
  return o;
}

wal_attack_options *wal_rpfnet_weak_options(const wal_point *point, wal_attack_options *storage) {
  *storage = wal_attack_defaults("ascent");
  storage->lie = lie_of(wal_point_text(point, "attack.lie"));
  storage->starts = 1;
  storage->steps = whole(point, "attack.steps");
  storage->rate = wal_point_real(point, "attack.rate");
  return wal_point_bool(point, "attack.weak") ? storage : NULL;
}

/* ---- keys ---- */

static void key_law(wal_text *key, const wal_law *law) {
  wal_text_add(key, "law %d %d %d seed %" PRIu64 " stream %u\n", (int)law->kind, law->n, law->m, law->seed,
               (unsigned)law->stream);
  wal_text_add(key, "range %.17g %.17g demanded %.17g budget %.17g scale %.17g\n", law->low, law->high,
               law->demanded, law->budget, law->kind == WAL_LAW_PERTURBED ? law->scale : 0);
}

static void key_attack(wal_text *key, const wal_attack_options *o) {
  wal_text_add(key, "attack %s lie %d range %.17g %.17g seed %" PRIu64 "\n", o->method, (int)o->lie, o->low,
               o->high, o->seed);
  wal_text_add(key, "candidates %d refine %d starts %d steps %d rate %.17g grid %d\n", o->candidates,
               o->refine, o->starts, o->steps, o->rate, o->grid);
}

static void key_training(wal_text *key, const wal_training_options *o) {
  key_law(key, &o->law);
  wal_text_add(key, "samples %" PRId64 " steps %" PRId64 " batch %d lr %.17g warmup %d cosine %d\n",
               o->samples, o->steps, o->batch, o->lr, o->warmup, (int)o->cosine);
  wal_text_add(key, "objective %s gamma %.17g epsilon %.17g dual_rate %.17g contested %d around %d\n",
               o->objective, o->gamma, o->epsilon, o->dual_rate, (int)o->contested, o->around);
  if (o->welfare) wal_text_add(key, "welfare %d\n", o->welfare);
  key_attack(key, &o->attack);
}

char *wal_rpfnet_key(const char *kind, int n, int m, const wal_mechanism_options *o,
                     const wal_training_options *training) {
  const wal_mechanism_kind *k = wal_mechanism_find(kind);
  wal_text key = {0};
  wal_text_add(&key, "rpfnet mechanism\nmodels %d\nkind %s\nshape %d %d\n", WAL_MODELS_VERSION, kind, n, m);
  if (strcmp(kind, "mixture") == 0) wal_text_add(&key, "rho %.17g\n", o->rho);
  if (strcmp(kind, "vtheta") == 0) wal_text_add(&key, "theta %.17g\n", o->theta);
  if (strcmp(kind, "clip") == 0) wal_text_add(&key, "clip %.17g %.17g\n", o->clip_one, o->clip_both);
  if (k && k->learned)
    wal_text_add(&key, "net %d %d %s seed %" PRIu64 "\n", o->width, o->depth, o->activation, o->seed);
  if (k && k->learned && o->precision != WAL_FLOAT32)
    wal_text_add(&key, "precision %s\n", wal_precision_name(o->precision));
  if (k && k->learned && training) key_training(&key, training);
  return wal_text_steal(&key);
}

char *wal_rpfnet_point_key(const wal_point *point) {
  wal_mechanism_options options;
  wal_training_options training;
  wal_rpfnet_mechanism_options(point, &options);
  wal_rpfnet_training_options(point, &training);
  return wal_rpfnet_key(wal_point_text(point, "mechanism"), whole(point, "n"), whole(point, "m"), &options,
                        &training);
}

char *wal_rpfnet_samples_key(const char *mechanism, bool polish, const wal_law *law, int64_t count,
                             const wal_attack_options *attack, const wal_attack_options *weak) {
  wal_text key = {0};
  wal_text_add(&key, "rpfnet samples\ncount %" PRId64 " polish %d\n%s", count, (int)polish, mechanism);
  key_law(&key, law);
  key_attack(&key, attack);
  if (weak) key_attack(&key, weak);
  return wal_text_steal(&key);
}

/* ---- a trained mechanism ---- */

typedef struct {
  wal_sink *sink;
  const char *key;
} keeper;

static void on_row(void *context, int count, const char *const names[], const double values[]) {
  wal_sink_trace(((keeper *)context)->sink, "train", count, names, values);
}

static void on_progress(void *context, double fraction, const char *what) {
  wal_sink_progress(((keeper *)context)->sink, fraction, what);
}

static wal_status on_save(void *context, const void *bytes, int64_t size) {
  const keeper *k = context;
  return wal_sink_save(k->sink, k->key, bytes, size);
}

static wal_status on_load(void *context, void **bytes, int64_t *size) {
  const keeper *k = context;
  return wal_sink_load(k->sink, k->key, bytes, size);
}

wal_status wal_rpfnet_trained(const char *kind, int n, int m, const wal_mechanism_options *options,
                              const wal_training_options *training, wal_sink *sink, wal_mechanism **out,
                              double *train_s) {
  double seconds = 0;
  wal_status status = wal_mechanism_create(kind, n, m, options, out);
  if (status == WAL_OK && (*out)->kind->learned) {
    char *key = wal_rpfnet_key(kind, n, m, options, training);
    keeper k = {.sink = sink, .key = key};
    const wal_training_hooks hooks = {
        .context = &k, .row = on_row, .progress = on_progress, .save = on_save, .load = on_load};
    status = key ? wal_mechanism_train(*out, training, &hooks, &seconds)
                 : wal_fail(WAL_E_MEMORY, "no memory for the settings of %s", kind);
    free(key);
  }
  if (status != WAL_OK) {
    wal_mechanism_destroy(*out);
    *out = NULL;
  }
  if (train_s) *train_s = seconds;
  return status;
}

wal_status wal_rpfnet_mechanism_to(const wal_point *point, bool polish, wal_sink *sink, wal_mechanism **out,
                                   double *train_s) {
  const wal_attack_options attack = wal_rpfnet_attack_options(point);
  const int n = whole(point, "n"), m = whole(point, "m");
  wal_mechanism_options options;
  wal_training_options training;
  const wal_status status = wal_attack_check(&attack, n, m); /* before a training that would be for nothing */
  *out = NULL;
  if (status != WAL_OK) return status;
  wal_rpfnet_mechanism_options(point, &options);
  wal_rpfnet_training_options(point, &training);
  options.polish = polish;
  return wal_rpfnet_trained(wal_point_text(point, "mechanism"), n, m, &options, &training, sink, out,
                            train_s);
}

wal_status wal_rpfnet_mechanism(const wal_point *point, wal_sink *sink, wal_mechanism **out,
                                double *train_s) {
  return wal_rpfnet_mechanism_to(point, wal_mechanism_defaults().polish, sink, out, train_s);
}
