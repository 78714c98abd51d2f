#include "models/mechanism/pooled.h"

#include <math.h>
#include <string.h>

#include "models/common/vmath.h"

/* ---- Shares ---- */

/* What an agent's shares are made of: scales, so that nothing overflows, and the sum. */
typedef struct {
  double value, demand, sum;
} whole;

static double raw(const wal_instances *in, int64_t row, const double *b, const whole *w, int m) {
  if (!wal_pooled_wants(in, row, b, m)) return 0;
  return in->v[row + m] / w->value * (fmin(in->x[row + m], b[m]) / w->demand);
}

static whole whole_of(const wal_instances *in, int64_t row, const double *b) {
  whole w = {0};
  for (int m = 0; m < in->m; m++) {
    if (!wal_pooled_wants(in, row, b, m)) continue;
    w.value = fmax(w.value, in->v[row + m]);
    w.demand = fmax(w.demand, fmin(in->x[row + m], b[m]));
  }
  for (int m = 0; m < in->m; m++) w.sum += raw(in, row, b, &w, m);
  return w;
}

static double share_of(const wal_instances *in, int64_t row, const double *b, const whole *w, int m) {
  return w->sum > 0 ? raw(in, row, b, w, m) / w->sum : 0;
}

void wal_pooled_shares(const wal_instances *in, int64_t row, const double *b, double *s) {
  const whole w = whole_of(in, row, b);
  for (int m = 0; m < in->m; m++) s[m] = share_of(in, row, b, &w, m);
}

/* Adds what a gradient g in log s'_m, the share before it is divided by the sum, does. */
static void push(const wal_instances *in, int64_t row, const double *b, int m, double g, double *dv,
                 double *dx) {
  if (!wal_pooled_wants(in, row, b, m)) return;
  dv[m] += g / in->v[row + m];
  if (in->x[row + m] < b[m]) dx[m] += g / in->x[row + m];
}

/* d s_m / d log s'_l = s_m ([m = l] - s_l). */
void wal_pooled_shares_vjp(const wal_instances *in, int64_t row, const double *b, const double *s,
                           const double *ds, double *dv, double *dx) {
  double mean = 0;
  for (int m = 0; m < in->m; m++) mean += s[m] * ds[m];
  for (int m = 0; m < in->m; m++) push(in, row, b, m, s[m] * (ds[m] - mean), dv, dx);
}

double wal_pooled_share(const wal_instances *in, int64_t row, const double *b, int m) {
  const whole w = whole_of(in, row, b);
  return share_of(in, row, b, &w, m);
}

void wal_pooled_share_vjp(const wal_instances *in, int64_t row, const double *b, int m, double ds, double *dv,
                          double *dx) {
  const whole w = whole_of(in, row, b);
  const double s = share_of(in, row, b, &w, m);
  for (int l = 0; l < in->m; l++)
    push(in, row, b, l, ds * s * ((l == m) - share_of(in, row, b, &w, l)), dv, dx);
}

double wal_pooled_logit(double s, double *slope) {
  const double c = wal_log(s / (1 - s)), most = WAL_POOLED_LOGIT;
  *slope = c > -most && c < most ? 1 / (s * (1 - s)) : 0;
  return fmin(fmax(c, -most), most);
}

/* ---- Rows ---- */

static double part_of(const wal_instances *in, int64_t row, const double *b, int m) {
  return wal_pooled_wants(in, row, b, m) ? fmin(in->x[row + m], b[m]) / b[m] : 0;
}

/* What one resource's agents ask for and would spend. */
typedef struct {
  double asked, spent, both; /* sums of d, of s and of d s */
  int most, next;            /* who has the largest share, and the second largest; -1: nobody */
  double first, second;      /* these */
} crowd;

static const crowd nobody = {.most = -1, .next = -1};

static void join(crowd *c, int i, double d, double share) {
  c->asked += d;
  c->spent += share;
  c->both += d * share;
  if (share > c->first) {
    c->second = c->first, c->next = c->most;
    c->first = share, c->most = i;
  } else if (share > c->second) {
    c->second = share, c->next = i;
  }
}

/* Keeps a quotient finite where nobody else asks. */
static const double little = 1e-3;

/* The inputs of entry (i, m) that are of this resource only. */
static void encode_entry(const wal_instances *in, const crowd *c, int i, double d, double share, float *row) {
  const double half = 0.5 * in->n, asked = fmax(0, c->asked - d), secure = fmin(d, fmax(0, 1 - asked));
  row[WAL_POOLED_SECURE] = (float)(half * secure);
  row[WAL_POOLED_DISPUTED] = (float)(half * (d - secure));
  row[WAL_POOLED_ASKED] = (float)asked;
  row[WAL_POOLED_SPENT] = (float)((c->spent - share) / half);
  row[WAL_POOLED_MEAN] = (float)((c->both - d * share) / (asked + little));
  row[WAL_POOLED_MOST] = (float)(c->most == i ? c->second : c->first);
}

/* The inputs of agent i's entries that are of its other resources. */
static void encode_beside(int m, int stride, float *rows) {
  float secure = 0, disputed = 0, spent = 0;
  for (int j = 0; j < m; j++) {
    const float *row = rows + j * stride;
    secure += row[WAL_POOLED_SECURE];
    disputed += row[WAL_POOLED_DISPUTED];
    spent += row[WAL_POOLED_DISPUTED] * row[WAL_POOLED_SPENT];
  }
  for (int j = 0; j < m; j++) {
    float *row = rows + j * stride;
    row[WAL_POOLED_SECURE_BESIDE] = secure - row[WAL_POOLED_SECURE];
    row[WAL_POOLED_DISPUTED_BESIDE] = disputed - row[WAL_POOLED_DISPUTED];
    row[WAL_POOLED_SPENT_BESIDE] = spent - row[WAL_POOLED_DISPUTED] * row[WAL_POOLED_SPENT];
  }
}

/* One instance. Shares wait in SPENT until their resource's rows are made. */
static void encode_one(const wal_instances *in, int stride, float *rows) {
  const int n = in->n, m = in->m;
  for (int i = 0; i < n; i++) {
    const whole w = whole_of(in, i * m, in->b);
    for (int j = 0; j < m; j++)
      rows[(i * m + j) * stride + WAL_POOLED_SPENT] = (float)share_of(in, i * m, in->b, &w, j);
  }
  for (int j = 0; j < m; j++) {
    crowd c = nobody;
    for (int i = 0; i < n; i++)
      join(&c, i, part_of(in, i * m, in->b, j), rows[(i * m + j) * stride + WAL_POOLED_SPENT]);
    for (int i = 0; i < n; i++) {
      float *row = rows + (i * m + j) * stride;
      if (wal_pooled_wants(in, i * m, in->b, j))
        encode_entry(in, &c, i, part_of(in, i * m, in->b, j), row[WAL_POOLED_SPENT], row);
      else
        memset(row, 0, WAL_POOLED_INPUTS * sizeof *row);
    }
  }
  for (int i = 0; i < n; i++) encode_beside(m, stride, rows + i * m * stride);
}

void wal_pooled_encode(const wal_instances *in, int stride, float *rows) {
  for (int64_t k = 0; k < in->count; k++) {
    const wal_instances one = wal_instances_part(in, k, 1);
    encode_one(&one, stride, rows + k * in->n * in->m * stride);
  }
}

/* ---- The way back ---- */

/* What entry (i, m) sends to the others that ask for m, and `own`, to its own demand. */
typedef struct {
  double asked, spent, both, most, own;
} toll;

/* The gradient in an input of entry `at`'s, from the rows of the agent's other entries. */
static double beside(const float *drows, int m, int at, int stride, int input) {
  double sum = 0;
  for (int j = 0; j < m; j++)
    if (j != at) sum += drows[j * stride + input];
  return sum;
}

/* drows [M, stride]: of the agent; d, share: of its entry `at`. */
static toll toll_of(const wal_instances *in, const crowd *c, const float *drows, int at, int stride, double d,
                    double share) {
  const float *drow = drows + at * stride;
  const double half = 0.5 * in->n, asked = fmax(0, c->asked - d), rest = 1 - asked;
  const double disputed = half * (d - fmin(d, fmax(0, rest))), spent = (c->spent - share) / half;
  const double product = beside(drows, in->m, at, stride, WAL_POOLED_SPENT_BESIDE);
  const double dsecure = drow[WAL_POOLED_SECURE] + beside(drows, in->m, at, stride, WAL_POOLED_SECURE_BESIDE);
  const double ddisputed = drow[WAL_POOLED_DISPUTED] +
                           beside(drows, in->m, at, stride, WAL_POOLED_DISPUTED_BESIDE) + product * spent;
  const double weight = asked + little, mean = (c->both - d * share) / weight;
  const double least = half * (dsecure - ddisputed); /* in min(d, max(0, rest)) */
  return (toll){.asked = drow[WAL_POOLED_ASKED] - drow[WAL_POOLED_MEAN] * mean / weight -
                         (d > rest && rest > 0 ? least : 0),
                .spent = (drow[WAL_POOLED_SPENT] + product * disputed) / half,
                .both = drow[WAL_POOLED_MEAN] / weight,
                .most = drow[WAL_POOLED_MOST],
                .own = half * ddisputed + (d <= rest ? least : 0)};
}

/* One resource of one instance. */
static void resource_vjp(const wal_instances *in, int j, int stride, const float *drows, double *dv,
                         double *dx) {
  const int n = in->n, m = in->m;
  crowd c = nobody;
  toll all = {0};
  double to_next = 0; /* from the one with the largest share */
  for (int pass = 0; pass < 3; pass++)
    for (int i = 0; i < n; i++) {
      if (!wal_pooled_wants(in, i * m, in->b, j)) continue;
      const whole w = whole_of(in, i * m, in->b);
      const double d = part_of(in, i * m, in->b, j), share = share_of(in, i * m, in->b, &w, j);
      if (pass == 0) {
        join(&c, i, d, share);
        continue;
      }
      const toll t = toll_of(in, &c, drows + i * m * stride, j, stride, d, share);
      if (pass == 1) {
        all.asked += t.asked, all.spent += t.spent, all.both += t.both;
        *(i == c.most ? &to_next : &all.most) += t.most;
        continue;
      }
      const double both = all.both - t.both;
      const double most = i == c.most ? all.most : i == c.next ? to_next : 0;
      wal_pooled_share_vjp(in, i * m, in->b, j, all.spent - t.spent + both * d + most, dv + i * m,
                           dx + i * m);
      if (in->x[i * m + j] < in->b[j])
        dx[i * m + j] += (t.own + all.asked - t.asked + both * share) / in->b[j];
    }
}

void wal_pooled_vjp(const wal_instances *in, int stride, const float *drows, double *dv, double *dx) {
  const int64_t nm = (int64_t)in->n * in->m;
  for (int64_t k = 0; k < in->count; k++) {
    const wal_instances one = wal_instances_part(in, k, 1);
    for (int j = 0; j < in->m; j++)
      resource_vjp(&one, j, stride, drows + k * nm * stride, dv + k * nm, dx + k * nm);
  }
}
