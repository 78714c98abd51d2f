/* The reports that "candidates" tries (ours). What pays under PF is known by kind, so most reports are built:
   extreme ratios of values; ratios just beside those of another agent, where PF's allocation jumps; demands
   dropped, claimed or changed. The rest covers the box evenly. All are functions of the instance, its agent
   and options->seed alone, so that every mechanism meets the same ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/common/vmath.h"
#include "models/mechanism/attack_report.h"
#include "models/mechanism/attack_search.h"
#include "models/mechanism/pf_open.h"

/* ---- what the reports are made of ---- */

static uint64_t digest(const double *entries, int64_t count, uint64_t sum) {
  for (int64_t e = 0; e < count; e++) {
    uint64_t bits;
    memcpy(&bits, &entries[e], sizeof bits);
    sum = (sum ^ bits) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 29;
  }
  return sum;
}

uint64_t wal_attack_digest(const wal_instances *in, int64_t k) {
  const int64_t m = in->m, nm = in->n * m;
  return digest(in->v + k * nm, nm, digest(in->x + k * nm, nm, digest(in->b + k * m, m, 0)));
}

/* r^-1, r^-2, ... with r^(M + 1) = r + 1 fill the box of M coordinates evenly; the golden ratio for M = 1. */
static void even_steps(int m, double *step) {
  double r = 1.5, power = 1;
  for (int turn = 0; turn < 60; turn++) r = pow(1 + r, 1.0 / (m + 1));
  for (int k = 0; k < m; k++) step[k] = power /= r;
}

static void look_around(wal_attack_liar *q, const wal_instances *in, int64_t k) {
  for (int j = 0; j < q->n; j++)
    if (j != q->i && wal_pf_takes_part(in, k, j)) q->rival[q->rivals++] = j;
  for (int m = 0; m < q->m; m++) {
    double asked = 0;
    for (int j = 0; j < q->n; j++) asked += wal_pf_takes_part(in, k, j) ? q->x[j * q->m + m] : 0;
    q->left[m] = in->b[k * q->m + m] - (asked - q->x[q->i * q->m + m]);
    q->is_free[m] = asked <= in->b[k * q->m + m];
    q->spread += (int)q->is_free[m];
    q->log_v[m] = wal_log(fmax(q->v[q->i * q->m + m], q->low));
  }
  if (q->spread == q->m) q->spread = 0;
  q->extremes = q->m == 1 ? 2 : q->m <= WAL_ATTACK_SUBSETS ? (1 << q->m) - 2 : 2 * q->m;
  q->cliffs = q->rivals * (q->m * (q->m - 1) / 2) * WAL_ATTACK_STEPS * (q->m > 2 && q->spread ? 2 : 1);
}

void wal_attack_look(const wal_instances *in, int64_t k, int i, const wal_attack_options *options,
                     double *numbers, double *step, int *rival, wal_attack_liar *out) {
  const int64_t n = in->n, m = in->m;
  *out = (wal_attack_liar){.n = in->n,
                           .m = in->m,
                           .i = i,
                           .lie = options->lie,
                           .candidates = options->candidates,
                           .low = options->low,
                           .high = options->high,
                           .width = wal_log(options->high / options->low),
                           .v = in->v + k * n * m,
                           .x = in->x + k * n * m,
                           .shift = numbers,
                           .step = step,
                           .log_v = numbers + m + 2,
                           .is_free = numbers + 2 * m + 2,
                           .left = numbers + 3 * m + 2,
                           .rival = rival};
  wal_rng_uniforms(options->seed ^ wal_attack_digest(in, k), WAL_STREAM_ATTACK, (uint64_t)(i * 2 * (m + 2)),
                   m + 2, out->shift);
  even_steps(in->m, step);
  look_around(out, in, k);
}

wal_status wal_attack_candidates(const wal_instances *in, int64_t k, int i, const wal_attack_options *options,
                                 double *v, double *x) {
  const int m = in->m;
  double *room = malloc((size_t)(6 * m + 2) * sizeof *room);
  int *rival = malloc((size_t)in->n * sizeof *rival);
  const bool made = room && rival;
  if (made) {
    double *step = room + 4 * m + 2, *draft = step + m;
    wal_attack_liar q;
    wal_attack_look(in, k, i, options, room, step, rival, &q);
    for (int h = 0; h < options->candidates; h++, v += m, x += m) wal_attack_report(&q, h, draft, v, x);
  }
  free(rival);
  free(room);
  return made ? WAL_OK
              : wal_fail(WAL_E_MEMORY, "no memory for the reports of an agent of %d x %d", in->n, in->m);
}
