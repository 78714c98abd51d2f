/* Measures of a mechanism on held-out instances (section 6), their means and their ratios to PF's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "experiments/rpfnet/rpfnet_private.h"
#include "models/common/parallel.h"

enum { MEASURES = 5, BLOCK = 128, BATCH = 50 };

/* ---- samples ---- */

static wal_status samples_create(int64_t count, wal_rpfnet_samples *out) {
  double *values = malloc(MEASURES * (size_t)count * sizeof *values);
  *out = (wal_rpfnet_samples){.count = count, .values = values};
  if (!values) return wal_fail(WAL_E_MEMORY, "no memory for measures of %lld instances", (long long)count);
  out->nsw = values;
  out->nsw_active = values + count;
  out->expl = values + 2 * count;
  out->expl_weak = values + 3 * count;
  out->efficiency = values + 4 * count;
  return WAL_OK;
}

void wal_rpfnet_samples_free(wal_rpfnet_samples *samples) {
  free(samples->values);
  *samples = (wal_rpfnet_samples){0};
}

/* One pass over the instances. */
typedef struct {
  wal_mechanism *f;
  wal_instances in; /* all of them */
  const wal_attack_options *attack, *weak;
  wal_sink *sink;
  wal_rpfnet_samples *out;
} pass;

/* Welfare and efficiency of instances [first, first + part->count). */
static wal_status measure_welfare(const pass *p, const wal_instances *part, int64_t first) {
  const int64_t k = part->count, nm = (int64_t)part->n * part->m;
  double *a = malloc((size_t)(k * (nm + part->n + 1)) * sizeof *a);
  if (!a) return wal_fail(WAL_E_MEMORY, "no memory for %lld allocations", (long long)k);
  double *u = a + k * nm, *nsw = u + k * part->n;
  memset(p->out->nsw + first, 0, (size_t)k * sizeof *nsw);
  memset(p->out->nsw_active + first, 0, (size_t)k * sizeof *nsw);
  memset(p->out->efficiency + first, 0, (size_t)k * sizeof *nsw);
  const wal_mechanism *lot[WAL_LOTS];
  double chance[WAL_LOTS];
  const int lots = wal_mechanism_lots(p->f, lot, chance);
  wal_status status = WAL_OK;
  for (int h = 0; h < lots && status == WAL_OK; h++) {
    status = wal_mechanism_allocate(lot[h], part, a);
    if (status == WAL_OK) wal_utilities(part, a, u);
    if (status == WAL_OK) wal_nash_welfare(part, u, false, nsw);
    for (int64_t e = 0; e < k && status == WAL_OK; e++) p->out->nsw[first + e] += chance[h] * nsw[e];
    if (status == WAL_OK) wal_nash_welfare(part, u, true, nsw);
    for (int64_t e = 0; e < k && status == WAL_OK; e++) p->out->nsw_active[first + e] += chance[h] * nsw[e];
    if (status == WAL_OK) wal_efficiency(part, a, nsw);
    for (int64_t e = 0; e < k && status == WAL_OK; e++) p->out->efficiency[first + e] += chance[h] * nsw[e];
  }
  free(a);
  return status;
}

static wal_status measure_attack(const pass *p, const wal_instances *part, const wal_attack_options *attack,
                                 double *expl) {
  double *gain = malloc((size_t)(part->count * part->n) * sizeof *gain);
  if (!gain)
    return wal_fail(WAL_E_MEMORY, "no memory for the gains of %lld instances", (long long)part->count);
  const wal_status status = wal_attack(p->f, part, attack, &(wal_attack_result){.gain = gain});
  if (status == WAL_OK) wal_exploitability(part, gain, expl);
  free(gain);
  return status;
}

/* Values only: safe from any thread. */
static wal_status measure_block(void *context, int64_t block) {
  const pass *p = context;
  const int64_t first = block * BLOCK, left = p->in.count - first;
  const wal_instances part = wal_instances_part(&p->in, first, left < BLOCK ? left : BLOCK);
  const wal_status status = measure_welfare(p, &part, first);
  if (status != WAL_OK || strcmp(p->attack->method, "ascent") == 0) return status;
  return measure_attack(p, &part, p->attack, p->out->expl + first);
}

/* An ascent needs gradients, for which the network has one memory: block after block. */
static wal_status measure_ascent(pass *p, const wal_attack_options *attack, double *expl) {
  wal_status status = WAL_OK;
  for (int64_t first = 0; first < p->in.count && status == WAL_OK; first += 8 * BLOCK) {
    const int64_t left = p->in.count - first;
    const wal_instances part = wal_instances_part(&p->in, first, left < 8 * BLOCK ? left : 8 * BLOCK);
    wal_sink_progress(p->sink, (double)first / (double)p->in.count, "measuring by ascent");
    status = measure_attack(p, &part, attack, expl + first);
  }
  return status;
}

/* In rounds, so that the progress moves. */
static wal_status measure_blocks(pass *p) {
  const int64_t blocks = (p->in.count + BLOCK - 1) / BLOCK, round = (blocks + 19) / 20;
  wal_status status = WAL_OK;
  for (int64_t b = 0; b < blocks && status == WAL_OK; b += round) {
    pass part = *p;
    const int64_t count = b + round < blocks ? round : blocks - b;
    wal_rpfnet_samples out = *p->out;
    const int64_t shift = b * BLOCK, left = p->in.count - shift;
    part.in = wal_instances_part(&p->in, shift, left < count * BLOCK ? left : count * BLOCK);
    out.nsw += shift, out.nsw_active += shift, out.expl += shift, out.efficiency += shift;
    part.out = &out;
    wal_sink_progress(p->sink, (double)b / (double)blocks, "measuring");
    status = wal_for_tasks(count, measure_block, &part);
  }
  return status;
}

static wal_status measure_all(pass *p) {
  wal_status status = measure_blocks(p);
  if (status == WAL_OK && strcmp(p->attack->method, "ascent") == 0)
    status = measure_ascent(p, p->attack, p->out->expl);
  for (int64_t k = 0; k < p->in.count; k++) p->out->expl_weak[k] = NAN;
  const bool climbs = p->f->kind->vjp != NULL;
  if (status == WAL_OK && p->weak && climbs) status = measure_ascent(p, p->weak, p->out->expl_weak);
  return status;
}

static wal_status measure(wal_mechanism *f, const wal_law *law, const wal_attack_options *attack,
                          const wal_attack_options *weak, wal_sink *sink, wal_rpfnet_samples *out) {
  wal_owned_instances drawn = {0};
  wal_status status = wal_instances_create(out->count, f->n, f->m, false, &drawn);
  if (status == WAL_OK) status = wal_law_draw(law, 0, &drawn);
  pass p = {.f = f, .in = drawn.in, .attack = attack, .weak = weak, .sink = sink, .out = out};
  if (status == WAL_OK) status = measure_all(&p);
  wal_instances_destroy(&drawn);
  return status;
}

/* The samples that an earlier point kept; false: none. */
static bool find_kept(wal_sink *sink, const char *key, wal_rpfnet_samples *out) {
  void *bytes = NULL;
  int64_t size = 0;
  const int64_t expected = MEASURES * out->count * (int64_t)sizeof *out->values;
  const bool found = wal_sink_load(sink, key, &bytes, &size) == WAL_OK && bytes && size == expected;
  if (found) memcpy(out->values, bytes, (size_t)size);
  free(bytes);
  return found;
}

wal_status wal_rpfnet_sample(wal_mechanism *f, const char *key, const wal_law *law, int64_t count,
                             const wal_attack_options *attack, const wal_attack_options *weak, wal_sink *sink,
                             wal_rpfnet_samples *out) {
  wal_status status = samples_create(count, out);
  if (status != WAL_OK) return status;
  char *kept = key ? wal_rpfnet_samples_key(key, f->options.polish, law, count, attack, weak) : NULL;
  if (key && !kept)
    status = wal_fail(WAL_E_MEMORY, "no memory for the key of %lld samples", (long long)count);
  if (status == WAL_OK && !(kept && find_kept(sink, kept, out))) {
    status = measure(f, law, attack, weak, sink, out);
    if (status == WAL_OK && kept)
      status = wal_sink_save(sink, kept, out->values, MEASURES * count * (int64_t)sizeof *out->values);
  }
  free(kept);
  if (status != WAL_OK) wal_rpfnet_samples_free(out);
  return status;
}

wal_status wal_rpfnet_sample_pf(const wal_law *law, int64_t count, const wal_attack_options *attack,
                                const wal_attack_options *weak, wal_sink *sink, wal_rpfnet_samples *out) {
  wal_mechanism_options options = wal_mechanism_defaults();
  options.polish = false;
  wal_mechanism *pf = NULL;
  *out = (wal_rpfnet_samples){0};
  wal_status status = wal_mechanism_create("pf", law->n, law->m, &options, &pf);
  char *key = wal_rpfnet_key("pf", law->n, law->m, &options, NULL);
  if (status == WAL_OK) status = wal_rpfnet_sample(pf, key, law, count, attack, weak, sink, out);
  free(key);
  wal_mechanism_destroy(pf);
  return status;
}

/* ---- means ---- */

/* Standard deviation (n - 1) of `count` numbers; NaN for fewer than two. */
static double deviation(const double *values, int64_t count, double mean) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += (values[k] - mean) * (values[k] - mean);
  return count > 1 ? sqrt(sum / (double)(count - 1)) : NAN;
}

static double mean_of(const double *values, int64_t count) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += values[k];
  return sum / (double)count;
}

/* Of the means of whole batches: Welford's recurrence. */
static double batch_deviation(const double *values, int64_t count) {
  double mean = 0, square = 0;
  int64_t batches = 0;
  for (int64_t first = 0; first + BATCH <= count; first += BATCH) {
    const double x = mean_of(values + first, BATCH), step = x - mean;
    mean += step / (double)++batches;
    square += step * (x - mean);
  }
  return batches > 1 ? sqrt(square / (double)(batches - 1)) : NAN;
}

wal_rpfnet_mean wal_rpfnet_mean_of(const double *values, int64_t count) {
  const double mean = mean_of(values, count);
  return (wal_rpfnet_mean){.mean = mean,
                           .se = deviation(values, count, mean) / sqrt((double)count),
                           .batch_sd = batch_deviation(values, count)};
}

wal_rpfnet_mean wal_rpfnet_ratio_of(const double *a, const double *b, int64_t count) {
  const double over = mean_of(b, count), ratio = mean_of(a, count) / over;
  if (!(over > 0)) return (wal_rpfnet_mean){.mean = NAN, .se = NAN, .batch_sd = NAN};
  double sum = 0;
  for (int64_t k = 0; k < count; k++) {
    const double left = a[k] - ratio * b[k]; /* its mean is 0 */
    sum += left * left;
  }
  const double se = count > 1 ? sqrt(sum / (double)(count - 1) / (double)count) / over : NAN;
  return (wal_rpfnet_mean){.mean = ratio, .se = se, .batch_sd = NAN};
}

/* ---- rows ---- */

/* What does not exist is left missing. */
static void send_real(wal_sink *sink, const char *column, double value) {
  if (!isnan(value)) wal_sink_real(sink, column, value);
}

wal_rpfnet_mean wal_rpfnet_gain_ratio_of(const double *a, const double *pf, int64_t count) {
  if (wal_exploitable(mean_of(pf, count))) return wal_rpfnet_ratio_of(a, pf, count);
  return (wal_rpfnet_mean){.mean = NAN, .se = NAN, .batch_sd = NAN};
}

void wal_rpfnet_send(wal_sink *sink, const wal_rpfnet_samples *a, const wal_rpfnet_samples *pf,
                     double train_s, double measure_s) {
  const int64_t k = a->count;
  const wal_rpfnet_mean nsw = wal_rpfnet_mean_of(a->nsw, k), expl = wal_rpfnet_mean_of(a->expl, k),
                        efficiency = wal_rpfnet_mean_of(a->efficiency, k),
                        nsw_ratio = wal_rpfnet_ratio_of(a->nsw, pf->nsw, k),
                        active_ratio = wal_rpfnet_ratio_of(a->nsw_active, pf->nsw_active, k),
                        expl_ratio = wal_rpfnet_gain_ratio_of(a->expl, pf->expl, k),
                        weak_ratio = wal_rpfnet_gain_ratio_of(a->expl_weak, pf->expl_weak, k),
                        efficiency_ratio = wal_rpfnet_ratio_of(a->efficiency, pf->efficiency, k);
  wal_sink_row(sink);
  wal_sink_real(sink, "nsw", nsw.mean);
  send_real(sink, "nsw_se", nsw.se);
  send_real(sink, "nsw_sd", nsw.batch_sd);
  wal_sink_real(sink, "nsw_active", wal_rpfnet_mean_of(a->nsw_active, k).mean);
  send_real(sink, "nsw_ratio", nsw_ratio.mean);
  send_real(sink, "nsw_ratio_se", nsw_ratio.se);
  send_real(sink, "nsw_active_ratio", active_ratio.mean);
  send_real(sink, "nsw_active_ratio_se", active_ratio.se);
  wal_sink_real(sink, "expl", expl.mean);
  send_real(sink, "expl_se", expl.se);
  send_real(sink, "expl_sd", expl.batch_sd);
  send_real(sink, "expl_ratio", expl_ratio.mean);
  send_real(sink, "expl_ratio_se", expl_ratio.se);
  send_real(sink, "expl_weak", wal_rpfnet_mean_of(a->expl_weak, k).mean);
  send_real(sink, "expl_weak_ratio", weak_ratio.mean);
  send_real(sink, "expl_weak_ratio_se", weak_ratio.se);
  wal_sink_real(sink, "efficiency", efficiency.mean);
  send_real(sink, "efficiency_sd", efficiency.batch_sd);
  send_real(sink, "efficiency_ratio", efficiency_ratio.mean);
  send_real(sink, "efficiency_ratio_se", efficiency_ratio.se);
  send_real(sink, "train_s", train_s);
  wal_sink_real(sink, "measure_s", measure_s);
}

wal_status wal_rpfnet_run_point(const wal_point *point, wal_sink *sink) {
  const wal_law law = wal_rpfnet_law(point);
  const int64_t count = wal_point_int(point, "held_out");
  const wal_attack_options attack = wal_rpfnet_attack_options(point);
  wal_attack_options storage, *weak = wal_rpfnet_weak_options(point, &storage);
  wal_mechanism *f = NULL;
  wal_rpfnet_samples a = {0}, pf = {0};
  double train_s = NAN;
  /* PF to the solver's tolerance: half of the time, the same measures to 6 digits. */
  wal_status status = wal_rpfnet_mechanism_to(point, false, sink, &f, &train_s);
  const double begun = wal_now();
  char *key = wal_rpfnet_point_key(point);
  if (status == WAL_OK) status = wal_rpfnet_sample(f, key, &law, count, &attack, weak, sink, &a);
  const double measured = wal_now();
  if (status == WAL_OK) status = wal_rpfnet_sample_pf(&law, count, &attack, weak, sink, &pf);
  if (status == WAL_OK) wal_rpfnet_send(sink, &a, &pf, f->kind->learned ? train_s : NAN, measured - begun);
  free(key);
  wal_rpfnet_samples_free(&a);
  wal_rpfnet_samples_free(&pf);
  wal_mechanism_destroy(f);
  return status;
}
