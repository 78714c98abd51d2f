/* One report of "candidates" (attack_reports.c says what they are), as inline code that the CPU and a device
   share, and the seam of the search among them. Private to models/mechanism and gpu/mechanism. */
#ifndef WAL_MECHANISM_ATTACK_REPORT_H
#define WAL_MECHANISM_ATTACK_REPORT_H

#include "models/common/vmath.h"
#include "models/mechanism/attack.h"
#include "models/mechanism/pf.h"

/* Cliffs: steps from the ratio of values of another agent; resources up to which all subsets are tried. */
enum { WAL_ATTACK_STEPS = 8, WAL_ATTACK_SUBSETS = 5 };
#define WAL_ATTACK_GOLDEN 0.6180339887498949

/* One agent and what its reports are made of. */
typedef struct wal_attack_liar {
  int n, m, i;
  int lie, candidates; /* of the options */
  double low, high;
  double width; /* log(high / low) */
  int rivals, extremes, cliffs;
  int spread;          /* free resources: 0 < spread < M, or 0 where that says nothing */
  const double *v, *x; /* [N, M] the truth; the agent's row is i */
  double *shift;       /* [M + 2] where the even sequences begin: values, their scale, patterns of demands */
  double *step;        /* [M] and how they go on */
  double *log_v;       /* [M] log of its values, -infinity for 0 raised to the least */
  double *is_free;     /* [M] 1 where all demands fit */
  double *left;        /* [M] what the others leave of the budget */
  int *rival;          /* [N] the other agents that take part */
} wal_attack_liar;

/* Fills the liar of agent i of instance k: numbers [4 M + 2] for shift, log_v, is_free and left; step [M],
 * rival [N]. */
void wal_attack_look(const wal_instances *in, int64_t k, int i, const wal_attack_options *options,
                     double *numbers, double *step, int *rival, wal_attack_liar *out);

/* ---- the seam ---- */

typedef struct wal_search_ops {
  /* Under PF (pf.h), the best of the `candidates` reports of each agent in pair[count] (k N + i), others
     truthful: what it is worth by the truth into u [count], the report into v, x [count, M]; of equals the
     first. */
  wal_status (*best_of_candidates)(const wal_instances *in, const wal_attack_options *attack,
                                   const wal_pf_options *pf, const int64_t *pair, int64_t count, double *u,
                                   double *v, double *x);
} wal_search_ops;

/* ---- a report; draft [M] is scratch for log values, up to a factor ---- */

WAL_HD double wal_attack_fraction(double x) { return x - floor(x); }

/* Element h of the even sequence of a coordinate, in [0, 1). */
WAL_HD double wal_attack_even(const wal_attack_liar *q, int coordinate, int64_t h) {
  return wal_attack_fraction(q->shift[coordinate] + (double)h * q->step[coordinate]);
}

/* The report with log values `draft`, up to a factor: at a height in the box that changes with h. */
WAL_HD void wal_attack_place(const wal_attack_liar *q, int64_t h, const double *draft, double *v) {
  double top = -INFINITY, bottom = INFINITY;
  for (int m = 0; m < q->m; m++) top = fmax(top, draft[m]), bottom = fmin(bottom, draft[m]);
  const double room = fmax(q->width - (top - bottom), 0.0);
  const double down = room * wal_attack_fraction(q->shift[q->m] + (double)h * WAL_ATTACK_GOLDEN);
  for (int m = 0; m < q->m; m++) v[m] = fmin(fmax(q->high * wal_exp(draft[m] - top - down), q->low), q->high);
}

/* Some resources at the highest value, the others at the lowest. */
WAL_HD void wal_attack_draft_extreme(const wal_attack_liar *q, int h, double *draft) {
  for (int m = 0; m < q->m; m++) {
    const bool in = q->m == 1                    ? h
                    : q->m <= WAL_ATTACK_SUBSETS ? (h + 1) >> m & 1
                                                 : (h % q->m == m) != (h >= q->m);
    draft[m] = in ? q->width : 0;
  }
}

/* Pair number `pair` of resources first < second. */
WAL_HD void wal_attack_pair_of(int m, int pair, int *first, int *second) {
  *first = 0;
  while (pair >= m - 1 - *first) pair -= m - 1 - (*first)++;
  *second = *first + 1 + pair;
}

/* The ratio of a rival on a pair of resources, and a step beside it; the other resources keep the agent's
   values, or, every second time, have the lowest if there is enough of them. */
WAL_HD void wal_attack_draft_cliff(const wal_attack_liar *q, int h, double *draft) {
  const double steps[WAL_ATTACK_STEPS] = {1e-4, -1e-4, 0.03, -0.03,
                                          0.1,  -0.1,  1e-6, -1e-6}; /* the middle ones first */
  const int pairs = q->m * (q->m - 1) / 2, step = h / (q->rivals * pairs), rest = h % (q->rivals * pairs);
  const double *v = q->v + (int64_t)q->rival[rest % q->rivals] * q->m;
  int a, b;
  wal_attack_pair_of(q->m, rest / q->rivals, &a, &b);
  const double low = q->low;
  const double ratio =
      wal_log(fmax(v[a], low)) - wal_log(fmax(v[b], low)) + wal_log1p(steps[step % WAL_ATTACK_STEPS]);
  const double middle = (q->log_v[a] + q->log_v[b]) / 2;
  for (int m = 0; m < q->m; m++)
    draft[m] = step >= WAL_ATTACK_STEPS && q->is_free[m] ? middle - q->width : q->log_v[m];
  draft[a] = middle + ratio / 2;
  draft[b] = middle - ratio / 2;
}

/* Report h of `count` that cover the box: with two resources its ratios; with more, by turns the whole box,
   the truth with one value changed, and the truth with less for everything free. */
WAL_HD void wal_attack_draft_even(const wal_attack_liar *q, int64_t h, int64_t count, double *draft) {
  const int turn = q->m <= 2 ? 0 : (int)(h % 3);
  for (int m = 0; m < q->m; m++) draft[m] = q->log_v[m];
  if (q->m == 2) {
    const double t = q->width * (2 * ((double)h + q->shift[0]) / (double)count - 1);
    draft[0] = t / 2;
    draft[1] = -t / 2;
  } else if (turn == 1) {
    draft[h / 3 % q->m] += q->width * (2 * wal_attack_even(q, 0, h / 3) - 1);
  } else if (turn == 2 && q->spread) {
    for (int m = 0; m < q->m; m++) draft[m] -= q->is_free[m] * q->width * wal_attack_even(q, 0, h / 3);
  } else {
    for (int m = 0; m < q->m; m++) draft[m] = q->width * wal_attack_even(q, m, h);
  }
}

/* Lie h of `count` about values alone: built ones first, at most half; where that is not all, an even choice
   of the cliffs. */
WAL_HD void wal_attack_lie_values(const wal_attack_liar *q, int64_t h, int64_t count, double *draft,
                                  double *v) {
  const int64_t half = count / 2, extremes = q->extremes < half ? q->extremes : half;
  const int64_t cliffs = q->cliffs < half - extremes ? q->cliffs : half - extremes;
  if (h < extremes) {
    wal_attack_draft_extreme(q, (int)h, draft);
  } else if (h < extremes + cliffs) {
    const double at = ((double)(h - extremes) + q->shift[0]) * q->cliffs / (double)cliffs;
    wal_attack_draft_cliff(q, cliffs == q->cliffs ? (int)(h - extremes) : (int)fmin(at, q->cliffs - 1.0),
                           draft);
  } else {
    wal_attack_draft_even(q, h - extremes - cliffs, count - extremes - cliffs, draft);
  }
  wal_attack_place(q, h, draft, v);
}

/* A demand between the ends: by turns just less and just more than the others leave of the budget (what is
   contested changes there), and anywhere. */
WAL_HD double wal_attack_between(const wal_attack_liar *q, int m, int64_t h) {
  const double share = wal_attack_even(q, q->m > 1 ? m : 0, h + 1);
  const double edge = q->left[m] * (1 + (h % 3 ? 1e-6 : -1e-6));
  const bool anywhere = h % 3 == 2 || !(edge >= q->low && edge <= q->high);
  return anywhere ? q->low + (q->high - q->low) * share : edge;
}

/* Each demand kept, raised to the highest, dropped (one of 0: claimed at the lowest) or between; pattern:
   four digits for each resource, not all kept. */
WAL_HD void wal_attack_lie_demands(const wal_attack_liar *q, int64_t h, double *x) {
  const double *truth = q->x + (int64_t)q->i * q->m;
  const int digits = q->m < 8 ? q->m : 8;
  const int64_t patterns = ((int64_t)1 << 2 * digits) - 1;
  const double start =
      (double)patterns * wal_attack_fraction(q->shift[q->m + 1] + (double)h * WAL_ATTACK_GOLDEN);
  const int64_t pattern = 1 + (int64_t)start;
  for (int m = 0; m < q->m; m++) {
    const int code = (int)(pattern >> 2 * ((m + h / 16) % digits) & 3);
    x[m] = code == 0   ? truth[m]
           : code == 1 ? q->high
           : code == 2 ? (truth[m] > 0 ? 0 : q->low)
                       : wal_attack_between(q, m, h + m);
  }
}

/* Report h of the agent into v, x [M]: not the truth. */
WAL_HD void wal_attack_report(const wal_attack_liar *q, int h, double *draft, double *v, double *x) {
  const int count = q->candidates;
  const int values = q->lie == WAL_LIE_VALUES ? count : q->lie == WAL_LIE_BOTH ? (count + 1) / 2 : 0;
  for (int m = 0; m < q->m; m++) {
    v[m] = q->v[(int64_t)q->i * q->m + m];
    x[m] = q->x[(int64_t)q->i * q->m + m];
  }
  if (h < values) {
    wal_attack_lie_values(q, h, values, draft, v);
    return;
  }
  const int d = h - values;
  wal_attack_lie_demands(q, d, x);
  if (q->lie == WAL_LIE_BOTH && d % 2)
    wal_attack_lie_values(
        q, (int64_t)((double)values * wal_attack_fraction(q->shift[0] + d * WAL_ATTACK_GOLDEN)), values,
        draft, v);
}

#endif
