#include "experiments/commands/allocating.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "models/mechanism/pf.h"

bool wal_allocating_pf(const wal_allocating *w) { return strcmp(w->f->kind->name, "pf") == 0; }

/* ---- one block ---- */

/* The allocation with prices, certificate and uniqueness (eq. 4; eq. 9 with the file's z). */
static wal_status allocate_pf(wal_allocating *w, const wal_instances *in) {
  const wal_pf_options options = wal_pf_defaults();
  wal_allocation_block *q = &w->answer;
  const wal_pf_solution solution = {.a = q->a, .lambda = q->lambda, .kkt = q->kkt};
  bool *unique = malloc((size_t)in->count * sizeof *unique);
  if (!unique) return wal_fail(WAL_E_MEMORY, "no memory for %lld instances", (long long)in->count);
  wal_status status = wal_pf_solve(in, w->in.z, &options, &solution);
  if (status == WAL_OK) status = wal_pf_unique(in, w->in.z, q->a, unique);
  for (int64_t k = 0; status == WAL_OK && k < in->count; k++) q->unique[k] = unique[k];
  free(unique);
  return status;
}

/* sum_i w_i log u_i over the agents that take part: finite where the product is not. */
static double log_welfare(const wal_instances *in, const double *u, int64_t k) {
  double sum = 0;
  for (int i = 0; i < in->n; i++)
    if (wal_instance_takes_part(in, k, i)) sum += (in->w ? in->w[k * in->n + i] : 1) * log(u[k * in->n + i]);
  return sum;
}

/* log(exp(a) + p exp(b)) */
static double add_logs(double a, double b, double p) {
  const double c = b + log(p), most = fmax(a, c);
  return isfinite(most) ? most + log(exp(a - most) + exp(c - most)) : most;
}

/* Utilities and welfare of one of the mechanisms that lots are drawn from, whose allocation is q->a. */
static wal_status add_lot(wal_allocation_block *q, const wal_instances *in, double probability) {
  const int64_t agents = in->count * in->n;
  double *u = malloc((size_t)(agents + in->count) * sizeof *u), *welfare = u + agents;
  if (!u) return wal_fail(WAL_E_MEMORY, "no memory for %lld instances", (long long)in->count);
  wal_utilities(in, q->a, u);
  wal_nash_welfare(in, u, false, welfare);
  for (int64_t r = 0; r < agents; r++) q->u[r] += probability * u[r];
  for (int64_t k = 0; k < in->count; k++) {
    q->welfare[k] += probability * welfare[k];
    q->log_welfare[k] = add_logs(q->log_welfare[k], log_welfare(in, u, k), probability);
  }
  free(u);
  return WAL_OK;
}

/* The allocation, its utilities and welfare; of a mechanism that draws lots the means. */
static wal_status allocate(wal_allocating *w, const wal_instances *in) {
  wal_allocation_block *q = &w->answer;
  const wal_mechanism *part[WAL_LOTS];
  double probability[WAL_LOTS];
  const int lots = wal_mechanism_lots(w->f, part, probability);
  memset(q->u, 0, (size_t)(in->count * in->n) * sizeof *q->u);
  memset(q->welfare, 0, (size_t)in->count * sizeof *q->welfare);
  for (int64_t k = 0; k < in->count; k++) q->log_welfare[k] = -INFINITY;
  wal_status status = WAL_OK;
  for (int p = 0; p < lots && status == WAL_OK; p++) {
    status = wal_allocating_pf(w) ? allocate_pf(w, in) : wal_mechanism_allocate(part[p], in, q->a);
    if (status == WAL_OK) status = add_lot(q, in, probability[p]);
  }
  if (status == WAL_OK && lots > 1) status = wal_mechanism_allocate(w->f, in, q->a);
  if (status == WAL_OK) wal_efficiency(in, q->a, q->efficient);
  return status;
}

/* Orders of magnitude between positive numbers at which proportional fairness inside a mechanism, which has
   no certificate of its own, may lose its digits. */
static const double SPREAD = 1e10;

static wal_status far_apart(int64_t k, const char *what, int number, double spread) {
  return wal_fail(WAL_E_UNSUPPORTED,
                  "instance %lld: %s %d are %.2g times apart; expected at most %.0g with a mechanism that "
                  "certifies nothing (--mechanism pf says how exact it is)",
                  (long long)k, what, number, spread, SPREAD);
}

/* The positive numbers of a line of `count`, `stride` apart, none above `most`: largest / smallest. */
static double spread_of(const double *numbers, int count, int stride, double most) {
  double low = INFINITY, high = 0;
  for (int e = 0; e < count; e++) {
    const double is = fmin(numbers[(int64_t)e * stride], most);
    if (is > 0) low = fmin(low, is), high = fmax(high, is);
  }
  return high > 0 ? high / low : 1;
}

static wal_status check_spread(const wal_instances *in, int64_t k, int64_t first) {
  const double *v = in->v + k * in->n * in->m, *x = in->x + k * in->n * in->m;
  for (int i = 0; i < in->n; i++) {
    const double spread = spread_of(v + (int64_t)i * in->m, in->m, 1, INFINITY);
    if (spread > SPREAD) return far_apart(first + k, "the values of agent", i, spread);
  }
  for (int m = 0; m < in->m; m++) {
    const double spread = spread_of(x + m, in->n, in->m, in->b[k * in->m + m]);
    if (spread > SPREAD) return far_apart(first + k, "the demands of resource", m, spread);
  }
  return WAL_OK;
}

/* An answer that is none is no answer. */
static wal_status check_block(const wal_allocating *w, const wal_instances *in, int64_t first) {
  const double most = 1e-6; /* of a residual without units */
  const wal_allocation_block *q = &w->answer;
  for (int64_t k = 0; q->kkt && k < in->count; k++)
    if (!(q->kkt[k] <= most))
      return wal_fail(
          WAL_E_DIVERGED,
          "instance %lld: the optimality conditions hold to %.2g only; expected 1e-9 (demands and "
          "budgets of one resource, or values of one agent, may be too many orders of magnitude apart)",
          (long long)(first + k), fabs(q->kkt[k]));
  for (int64_t r = 0; r < in->count * in->n; r++)
    if (!isfinite(q->u[r]))
      return wal_fail(WAL_E_DIVERGED,
                      "instance %lld: agent %lld has the utility %g; expected a finite number",
                      (long long)(first + r / in->n), (long long)(r % in->n), q->u[r]);
  return WAL_OK;
}

static void scale(double *to, const double *from, int64_t count, double factor) {
  for (int64_t e = 0; e < count; e++) to[e] = from[e] * factor;
}

/* The attack searches reports in [low, 1]: values and demands in units of the file's largest. Gains and
   misreports go back to the file's units. */
static wal_status attack(wal_allocating *w, const wal_instances *in) {
  wal_allocation_block *q = &w->answer;
  wal_owned_instances unit;
  const int64_t cells = in->count * in->n * in->m;
  const double value = w->file.value[1] > 0 ? w->file.value[1] : 1;
  const double demand = w->file.demand[1] > 0 ? w->file.demand[1] : 1;
  wal_status status = wal_instances_create(in->count, in->n, in->m, in->w != NULL, &unit);
  if (status != WAL_OK) return status;
  scale(unit.v, in->v, cells, 1 / value);
  scale(unit.x, in->x, cells, 1 / demand);
  scale(unit.b, in->b, in->count * in->m, 1 / demand);
  if (in->w) scale(unit.w, in->w, in->count * in->n, 1);
  status =
      wal_attack(w->f, &unit.in, &w->attack, &(wal_attack_result){.gain = q->gain, .v = q->v, .x = q->x});
  scale(q->gain, q->gain, in->count * in->n, value * demand);
  scale(q->v, q->v, cells, value);
  scale(q->x, q->x, cells, demand);
  wal_instances_destroy(&unit);
  return status;
}

/* ---- totals ---- */

/* Agents that get nothing whatever the mechanism: without a weight, or nothing that is there, wanted and
   valued. */
static void count_idle(wal_allocation_totals *t, const wal_instances *in, int64_t k) {
  const int64_t before = t->idle;
  for (int i = 0; i < in->n; i++) {
    t->idle += !wal_instance_takes_part(in, k, i);
    t->unweighted += in->w && !(in->w[k * in->n + i] > 0);
  }
  t->with_idle += t->idle > before;
  for (int m = 0; m < in->m; m++) t->empty += !(in->b[k * in->m + m] > 0);
}

/* Adds sums, which end as means. */
static void add_totals(wal_allocating *w, const wal_instances *in, int64_t first) {
  wal_allocation_totals *t = &w->totals;
  const wal_allocation_block *q = &w->answer;
  for (int64_t k = 0; k < in->count; k++) {
    t->nsw += q->welfare[k];
    t->log_nsw += q->log_welfare[k];
    t->efficiency += q->efficient[k];
    count_idle(t, in, k);
    for (int i = 0; q->gain && i < in->n; i++) {
      t->expl += q->gain[k * in->n + i] / in->n;
      t->worst_gain = fmax(t->worst_gain, q->gain[k * in->n + i]);
    }
    if (q->kkt && !(q->kkt[k] <= t->worst_kkt)) t->worst_kkt = q->kkt[k], t->worst_instance = first + k;
    t->inexact += q->kkt && !(q->kkt[k] <= 1e-9);
    if (q->unique && !(q->unique[k] > 0) && t->ambiguous++ == 0) t->first_ambiguous = first + k;
  }
}

/* ---- all ---- */

static wal_status work_on(wal_allocating *w, wal_allocation_file *file, int64_t first, int64_t count) {
  char what[64];
  snprintf(what, sizeof what, "instance %lld of %lld", (long long)first + 1, (long long)w->file.count);
  wal_bar_show(&w->bar, (double)first / (double)w->file.count, what);
  wal_status status = wal_instances_block_read(&w->file, first, count, &w->in);
  if (status != WAL_OK) return status;
  const wal_instances *in = &w->in.own.in;
  const double begun = wal_now();
  for (int64_t k = 0; k < in->count && status == WAL_OK && !wal_allocating_pf(w); k++)
    status = check_spread(in, k, first);
  if (status != WAL_OK) return status;
  status = allocate(w, in);
  const double allocated = wal_now();
  if (status == WAL_OK && (status = check_block(w, in, first)) != WAL_OK) return status;
  if (status == WAL_OK && w->attacked) status = attack(w, in);
  w->totals.seconds += allocated - begun;
  w->totals.attack_seconds += wal_now() - allocated;
  if (status != WAL_OK && first > 0)
    return wal_fail_in(status, "instances from %lld on (counted from there): ", (long long)first);
  if (status == WAL_OK) add_totals(w, in, first);
  if (status == WAL_OK && file) status = wal_allocation_file_write(file, &w->file, first, count, &w->answer);
  return status;
}

wal_status wal_allocate_all(wal_allocating *w, const char *temporary, wal_allocation_file *file) {
  enum { ATTACKED = 512 }; /* instances at a time, so that the progress moves */
  wal_status status = wal_instances_block_create(&w->file, w->attacked ? ATTACKED : INT64_MAX, &w->in);
  if (status == WAL_OK)
    status = wal_allocation_block_create(&w->file, w->in.room, wal_allocating_pf(w), w->attacked, &w->answer);
  if (status == WAL_OK && file) status = wal_allocation_file_create(&w->file, &w->answer, temporary, file);
  for (int64_t first = 0; first < w->file.count && status == WAL_OK; first += w->in.room) {
    const int64_t left = w->file.count - first;
    status = work_on(w, file, first, left < w->in.room ? left : w->in.room);
  }
  wal_allocation_totals *t = &w->totals;
  double *const means[] = {&t->nsw, &t->log_nsw, &t->efficiency, &t->expl};
  for (int k = 0; k < 4; k++) *means[k] /= (double)w->file.count;
  return status;
}
