/* The reports that "candidates" tries (ours). What pays under PF is known by kind, so most reports are built:
   extreme ratios of values; ratios just beside those of another agent, where PF's allocation jumps; demands
   dropped, claimed or changed. The rest covers the box evenly. All are functions of the instance, its agent
   and options->seed alone, so that every mechanism meets the same ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/common/vmath.h"
#include "models/mechanism/attack_search.h"
#include "models/mechanism/pf_open.h"

/* Cliffs: the ratio of values of another agent, times 1 + step, the middle ones first. */
static const double steps[] = {1e-4, -1e-4, 0.03, -0.03, 0.1, -0.1, 1e-6, -1e-6};
enum { STEPS = sizeof steps / sizeof *steps, SUBSETS = 5 /* resources up to which all subsets are tried */ };
#define GOLDEN 0.6180339887498949

/* One agent and what its reports are made of. */
typedef struct {
  const wal_attack_options *options;
  int n, m, i;
  const double *v, *x; /* [N, M] the truth; the agent's row is i */
  double width;        /* log(high / low) */
  int rivals, extremes, cliffs;
  int spread;      /* free resources: 0 < spread < M, or 0 where that says nothing */
  double *shift;   /* [M + 2] where the even sequences begin: values, their scale, patterns of demands */
  double *step;    /* [M] and how they go on */
  double *log_v;   /* [M] log of its values, -infinity for 0 raised to the least */
  double *draft;   /* [M] log values of the report being made */
  double *is_free; /* [M] 1 where all demands fit */
  double *left;    /* [M] what the others leave of the budget */
  int *rival;      /* [N] the other agents that take part */
} liar;

static double fraction(double x) { return x - floor(x); }

/* Element h of the even sequence of a coordinate, in [0, 1). */
static double even(const liar *q, int coordinate, int64_t h) {
  return fraction(q->shift[coordinate] + (double)h * q->step[coordinate]);
}

/* The report with log values `draft`, up to a factor: at a height in the box that changes with h. */
static void place(const liar *q, int64_t h, double *v) {
  double top = -INFINITY, bottom = INFINITY;
  for (int m = 0; m < q->m; m++) top = fmax(top, q->draft[m]), bottom = fmin(bottom, q->draft[m]);
  const double room = fmax(q->width - (top - bottom), 0);
  const double down = room * fraction(q->shift[q->m] + (double)h * GOLDEN);
  for (int m = 0; m < q->m; m++)
    v[m] =
        fmin(fmax(q->options->high * wal_exp(q->draft[m] - top - down), q->options->low), q->options->high);
}

/* Some resources at the highest value, the others at the lowest. */
static void draft_extreme(const liar *q, int h) {
  for (int m = 0; m < q->m; m++) {
    const bool in = q->m == 1 ? h : q->m <= SUBSETS ? (h + 1) >> m & 1 : (h % q->m == m) != (h >= q->m);
    q->draft[m] = in ? q->width : 0;
  }
}

/* Pair number `pair` of resources first < second. */
static void pair_of(int m, int pair, int *first, int *second) {
  *first = 0;
  while (pair >= m - 1 - *first) pair -= m - 1 - (*first)++;
  *second = *first + 1 + pair;
}

/* The ratio of a rival on a pair of resources, and a step beside it; the other resources keep the agent's
   values, or, every second time, have the lowest if there is enough of them. */
static void draft_cliff(const liar *q, int h) {
  const int pairs = q->m * (q->m - 1) / 2, step = h / (q->rivals * pairs), rest = h % (q->rivals * pairs);
  const double *v = q->v + (int64_t)q->rival[rest % q->rivals] * q->m;
  int a, b;
  pair_of(q->m, rest / q->rivals, &a, &b);
  const double low = q->options->low;
  const double ratio = wal_log(fmax(v[a], low)) - wal_log(fmax(v[b], low)) + wal_log1p(steps[step % STEPS]);
  const double middle = (q->log_v[a] + q->log_v[b]) / 2;
  for (int m = 0; m < q->m; m++)
    q->draft[m] = step >= STEPS && q->is_free[m] ? middle - q->width : q->log_v[m];
  q->draft[a] = middle + ratio / 2;
  q->draft[b] = middle - ratio / 2;
}

/* Report h of `count` that cover the box: with two resources its ratios; with more, by turns the whole box,
   the truth with one value changed, and the truth with less for everything free. */
static void draft_even(const liar *q, int64_t h, int64_t count) {
  const int turn = q->m <= 2 ? 0 : (int)(h % 3);
  for (int m = 0; m < q->m; m++) q->draft[m] = q->log_v[m];
  if (q->m == 2) {
    const double t = q->width * (2 * ((double)h + q->shift[0]) / (double)count - 1);
    q->draft[0] = t / 2;
    q->draft[1] = -t / 2;
  } else if (turn == 1) {
    q->draft[h / 3 % q->m] += q->width * (2 * even(q, 0, h / 3) - 1);
  } else if (turn == 2 && q->spread) {
    for (int m = 0; m < q->m; m++) q->draft[m] -= q->is_free[m] * q->width * even(q, 0, h / 3);
  } else {
    for (int m = 0; m < q->m; m++) q->draft[m] = q->width * even(q, m, h);
  }
}

/* Lie h of `count` about values alone: built ones first, at most half; where that is not all, an even choice
   of the cliffs. */
static void lie_values(const liar *q, int64_t h, int64_t count, double *v) {
  const int64_t half = count / 2, extremes = q->extremes < half ? q->extremes : half;
  const int64_t cliffs = q->cliffs < half - extremes ? q->cliffs : half - extremes;
  if (h < extremes) {
    draft_extreme(q, (int)h);
  } else if (h < extremes + cliffs) {
    const double at = ((double)(h - extremes) + q->shift[0]) * q->cliffs / (double)cliffs;
    draft_cliff(q, cliffs == q->cliffs ? (int)(h - extremes) : (int)fmin(at, q->cliffs - 1));
  } else {
    draft_even(q, h - extremes - cliffs, count - extremes - cliffs);
  }
  place(q, h, v);
}

/* A demand between the ends: by turns just less and just more than the others leave of the budget (what is
   contested changes there), and anywhere. */
static double between(const liar *q, int m, int64_t h) {
  const wal_attack_options *o = q->options;
  const double share = even(q, q->m > 1 ? m : 0, h + 1);
  const double edge = q->left[m] * (1 + (h % 3 ? 1e-6 : -1e-6));
  const bool anywhere = h % 3 == 2 || !(edge >= o->low && edge <= o->high);
  return anywhere ? o->low + (o->high - o->low) * share : edge;
}

/* Each demand kept, raised to the highest, dropped (one of 0: claimed at the lowest) or between; pattern:
   four digits for each resource, not all kept. */
static void lie_demands(const liar *q, int64_t h, double *x) {
  const double *truth = q->x + (int64_t)q->i * q->m;
  const int digits = q->m < 8 ? q->m : 8;
  const int64_t patterns = ((int64_t)1 << 2 * digits) - 1;
  const double start = (double)patterns * fraction(q->shift[q->m + 1] + (double)h * GOLDEN);
  const int64_t pattern = 1 + (int64_t)start;
  for (int m = 0; m < q->m; m++) {
    const int code = (int)(pattern >> 2 * ((m + h / 16) % digits) & 3);
    x[m] = code == 0   ? truth[m]
           : code == 1 ? q->options->high
           : code == 2 ? (truth[m] > 0 ? 0 : q->options->low)
                       : between(q, m, h + m);
  }
}

static void make(const liar *q, double *v, double *x) {
  const int count = q->options->candidates, lie = q->options->lie;
  const int values = lie == WAL_LIE_VALUES ? count : lie == WAL_LIE_BOTH ? (count + 1) / 2 : 0;
  const size_t row = (size_t)q->m * sizeof *v;
  for (int h = 0; h < count; h++, v += q->m, x += q->m) {
    memcpy(v, q->v + (int64_t)q->i * q->m, row);
    memcpy(x, q->x + (int64_t)q->i * q->m, row);
    if (h < values) {
      lie_values(q, h, values, v);
      continue;
    }
    const int d = h - values;
    lie_demands(q, d, x);
    if (lie == WAL_LIE_BOTH && d % 2)
      lie_values(q, (int64_t)((double)values * fraction(q->shift[0] + d * GOLDEN)), values, v);
  }
}

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

static void look_around(liar *q, const wal_instances *in, int64_t k) {
  for (int j = 0; j < q->n; j++)
    if (j != q->i && wal_pf_takes_part(in, k, j)) q->rival[q->rivals++] = j;
  for (int m = 0; m < q->m; m++) {
    double asked = 0;
    for (int j = 0; j < q->n; j++) asked += wal_pf_takes_part(in, k, j) ? q->x[j * q->m + m] : 0;
    q->left[m] = in->b[k * q->m + m] - (asked - q->x[q->i * q->m + m]);
    q->is_free[m] = asked <= in->b[k * q->m + m];
    q->spread += (int)q->is_free[m];
    q->log_v[m] = wal_log(fmax(q->v[q->i * q->m + m], q->options->low));
  }
  if (q->spread == q->m) q->spread = 0;
  q->extremes = q->m == 1 ? 2 : q->m <= SUBSETS ? (1 << q->m) - 2 : 2 * q->m;
  q->cliffs = q->rivals * (q->m * (q->m - 1) / 2) * STEPS * (q->m > 2 && q->spread ? 2 : 1);
}

wal_status wal_attack_candidates(const wal_instances *in, int64_t k, int i, const wal_attack_options *options,
                                 double *v, double *x) {
  const int64_t n = in->n, m = in->m;
  double *room = malloc((size_t)(6 * m + 2) * sizeof *room);
  int *rival = malloc((size_t)n * sizeof *rival);
  liar q = {.options = options,
            .n = in->n,
            .m = in->m,
            .i = i,
            .v = in->v + k * n * m,
            .x = in->x + k * n * m,
            .width = wal_log(options->high / options->low),
            .shift = room,
            .step = room + m + 2,
            .log_v = room + 2 * m + 2,
            .draft = room + 3 * m + 2,
            .is_free = room + 4 * m + 2,
            .left = room + 5 * m + 2,
            .rival = rival};
  if (room && rival) {
    wal_rng_uniforms(options->seed ^ wal_attack_digest(in, k), WAL_STREAM_ATTACK, (uint64_t)(i * 2 * (m + 2)),
                     m + 2, q.shift);
    even_steps(in->m, q.step);
    look_around(&q, in, k);
    make(&q, v, x);
  }
  free(rival);
  const bool made = room && rival;
  free(room);
  return made ? WAL_OK
              : wal_fail(WAL_E_MEMORY, "no memory for the reports of an agent of %d x %d", in->n, in->m);
}
