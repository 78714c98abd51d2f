#include "models/nashwelfare/nash_welfare_interior.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- points ---- */

static bool point_create(const wal_nw_program *p, wal_nw_point *x) {
  const size_t columns = (size_t)p->columns, rows = (size_t)p->rows, m = (size_t)p->m;
  double *room = calloc(4 * columns + 2 * rows + 2 * m + 1, sizeof *room);
  *x = (wal_nw_point){.z = room};
  if (!room) return false;
  x->v = x->z + columns, x->l = x->v + columns, x->k = x->l + columns;
  x->s = x->k + columns, x->pi = x->s + rows;
  x->t = x->pi + rows, x->q = x->t + m;
  return true;
}

void wal_nw_point_destroy(wal_nw_point *x) {
  if (!x) return;
  free(x->z);
  *x = (wal_nw_point){0};
}

static void point_copy(const wal_nw_program *p, const wal_nw_point *from, wal_nw_point *to) {
  memcpy(to->z, from->z, (size_t)(4 * p->columns + 2 * p->rows + 2 * (int64_t)p->m) * sizeof *to->z);
}

/* Column e of [T; G] times (q, pi). */
static double price(const wal_nw_block *a, const double *q, const double *pi, int column) {
  double sum = 0;
  for (int e = a->start[column]; e < a->start[column + 1]; e++)
    sum += a->value[e] * (a->at[e] < a->goods ? q[a->good[a->at[e]]] : pi[a->at[e] - a->goods]);
  return sum;
}

/* The same of all columns with the agent's own (q, pi)[goods + rows]; prices[columns]. */
static void own_prices(const wal_nw_block *a, const double *own, double *prices) {
  for (int c = 0, e = 0; c < a->columns; c++) {
    double sum = 0;
    for (; e < a->start[c + 1]; e++) sum += a->value[e] * own[a->at[e]];
    prices[c] = sum;
  }
}

static void own_multipliers(const wal_nw_block *a, const double *q, const double *pi, double *own) {
  for (int j = 0; j < a->goods; j++) own[j] = q[a->good[j]];
  memcpy(own + a->goods, pi, (size_t)a->rows * sizeof *own);
}

/* Adds by times column c of [T; G] to sum[goods + rows]. */
static void add_column(const wal_nw_block *a, int c, double by, double *sum) {
  for (int e = a->start[c]; e < a->start[c + 1]; e++) sum[a->at[e]] += a->value[e] * by;
}

/* ---- the dual bound ---- */

/* Columns without bound that make no utility must not be worth more than they cost: raises what they take. */
static bool raise_inner(const wal_nw_block *a, double *q, double *pi) {
  const int utility = a->goods + a->rows - 1;
  for (int round = 0; round < 2 * a->rows + 4; round++) {
    bool done = true;
    for (int c = 0; c < a->columns; c++) {
      const int end = a->start[c + 1];
      if (isfinite(a->h[c]) || (a->at[end - 1] == utility && a->value[end - 1] < 0)) continue;
      const double short_of = -price(a, q, pi, c);
      if (!(short_of > 0)) continue;
      int most = -1;
      double terms = 0;
      for (int e = a->start[c]; e < end; e++) {
        const int at = a->at[e];
        terms += fabs(a->value[e]) * (at < a->goods ? q[a->good[at]] : pi[at - a->goods]);
        if (at < utility && a->value[e] > 0 && (most < 0 || a->value[e] > a->value[most])) most = e;
      }
      if (short_of <= 0x1p-51 * terms) continue; /* rounding */
      if (most < 0) return false;
      double *raised = a->at[most] < a->goods ? &q[a->good[a->at[most]]] : &pi[a->at[most] - a->goods];
      *raised += short_of / a->value[most];
      done = false;
    }
    if (done) return true;
  }
  return false;
}

/* The most w for which columns without bound are not worth more than they cost. */
static double largest_weight(const wal_nw_block *a, const double *q, double *pi) {
  const int utility = a->goods + a->rows - 1;
  double w = pi[a->rows - 1];
  pi[a->rows - 1] = 0;
  for (int c = 0; c < a->columns; c++) {
    const int last = a->start[c + 1] - 1;
    if (isfinite(a->h[c]) || last < a->start[c] || a->at[last] != utility || !(a->value[last] < 0)) continue;
    w = fmin(w, price(a, q, pi, c) / -a->value[last]);
  }
  return w;
}

double wal_nw_dual_gap(const wal_nw_program *p, const double *u, double *q, double *pi) {
  double value = 0, gap = 0;
  for (int i = 0; i < p->n; i++)
    if (!raise_inner(&p->agent[i], q, pi + p->agent[i].row0)) return INFINITY;
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    double *own = pi + a->row0, w = largest_weight(a, q, own), sum = 0;
    if (!(w > 0) || !(u[i] > 0)) return INFINITY;
    own[a->rows - 1] = w;
    for (int row = 0; row < a->rows; row++) sum += a->r[row] * own[row];
    for (int c = 0; c < a->columns; c++)
      if (isfinite(a->h[c])) sum += a->h[c] * fmax(0, -price(a, q, own, c));
    value += sum;
    gap += a->budget * log(a->budget / (w * u[i]));
  }
  for (int j = 0; j < p->m; j++) value += q[j];
  if (!(value > 0)) return INFINITY;
  for (int j = 0; j < p->m; j++) q[j] /= value;
  for (int64_t row = 0; row < p->rows; row++) pi[row] /= value;
  return fmax(0, gap + log(value));
}

/* ---- Newton's equations ---- */

/* Per agent N = G D^-1 G' + s/pi = L L', W = L^-1 G D^-1 T'; for the supplies S = T D^-1 T' + t/q - sum W'W.
 */
/* Right sides of Newton's equations: residuals of columns, rows and supplies, targets less products. */
typedef struct {
  double *dual, *z, *v; /* [columns] */
  double *inner, *s;    /* [rows] */
  double *supply, *t;   /* [m] */
} sides;

typedef struct {
  const wal_nw_program *p;
  wal_nw_point x, step, change, best;
  sides right, left_over; /* left_over: of rows and supplies after a solution, 0 elsewhere */
  double *g;              /* [columns] the columns' right side */
  double *id, *iz, *iv;   /* [columns] 1/D, 1/z, and 1/v where there is a bound, else 0 */
  int64_t pairs;          /* slacks and multipliers whose products are to vanish */
  double *rho;            /* [rows] */
  double *low;            /* L of all agents, rows^2 each */
  double *w;              /* W of all agents, [rows, goods] each */
  double *own;            /* [goods + rows] of an agent */
  int64_t *low0, *w0;     /* [n] where an agent's begin */
  double *s;              /* [m, m] */
  double *line;           /* [PANEL, m] */
  double *u, *q, *pi;     /* [n], [m], [rows]: of the dual bound */
} newton;

enum { PANEL = 8, REFINEMENTS = 3, STALE = 30 };

static void newton_destroy(newton *w) {
  wal_nw_point_destroy(&w->x);
  wal_nw_point_destroy(&w->step);
  wal_nw_point_destroy(&w->change);
  wal_nw_point_destroy(&w->best);
  free(w->right.dual);
  free(w->left_over.dual);
  free(w->g);
  free(w->low);
  free(w->low0);
}

static bool sides_create(const wal_nw_program *p, sides *r) {
  const size_t columns = (size_t)p->columns, rows = (size_t)p->rows, m = (size_t)p->m;
  r->dual = calloc(3 * columns + 2 * rows + 2 * m + 1, sizeof *r->dual);
  if (!r->dual) return false;
  r->z = r->dual + columns, r->v = r->z + columns, r->inner = r->v + columns;
  r->s = r->inner + rows, r->supply = r->s + rows, r->t = r->supply + m;
  return true;
}

static bool newton_create(const wal_nw_program *p, newton *w) {
  *w = (newton){.p = p};
  const size_t columns = (size_t)p->columns, rows = (size_t)p->rows, m = (size_t)p->m, n = (size_t)p->n;
  size_t low = 0, wide = 0, own = 0;
  w->low0 = malloc(2 * n * sizeof *w->low0);
  if (!w->low0) return false;
  w->w0 = w->low0 + n;
  for (int i = 0; i < p->n; i++) {
    const size_t inner = (size_t)p->agent[i].rows, goods = (size_t)p->agent[i].goods;
    w->low0[i] = (int64_t)low, w->w0[i] = (int64_t)wide;
    low += inner * inner, wide += inner * goods;
    if (own < inner + goods) own = inner + goods;
  }
  w->g = malloc((4 * columns + 2 * rows + m + n + own) * sizeof *w->g);
  w->low = malloc((low + wide + m * m + (size_t)PANEL * m) * sizeof *w->low);
  if (!w->g || !w->low || !sides_create(p, &w->right) || !sides_create(p, &w->left_over)) return false;
  w->id = w->g + columns, w->iz = w->id + columns, w->iv = w->iz + columns;
  w->rho = w->iv + columns, w->pi = w->rho + rows, w->q = w->pi + rows;
  w->u = w->q + m, w->own = w->u + n;
  w->w = w->low + low, w->s = w->w + wide, w->line = w->s + m * m;
  return point_create(p, &w->x) && point_create(p, &w->step) && point_create(p, &w->change) &&
         point_create(p, &w->best);
}

/* Eight partial sums, however wide the machine's vectors are, so that its sums do not depend on them. */
typedef double lanes __attribute__((vector_size(64)));
typedef double lanes_unaligned __attribute__((vector_size(64), aligned(8), may_alias));
enum { LANES = sizeof(lanes) / sizeof(double) };

static const lanes_unaligned *lane(const double *x) { return (const lanes_unaligned *)x; }

static double sum_lanes(const lanes *a) {
  return (((*a)[0] + (*a)[4]) + ((*a)[1] + (*a)[5])) + (((*a)[2] + (*a)[6]) + ((*a)[3] + (*a)[7]));
}

static double dot(const double *x, const double *y, int count) {
  lanes sums = {0};
  int e = 0;
  for (; e + LANES <= count; e += LANES) sums += *lane(x + e) * *lane(y + e);
  double sum = count < LANES ? 0 : sum_lanes(&sums);
  for (; e < count; e++) sum += x[e] * y[e];
  return sum;
}

/* Lower Cholesky factor in place; a pivot that rounding has made small or negative fixes its variable. */
static void factor(double *a, int n) {
  for (int j = 0; j < n; j++) {
    double *row = a + (int64_t)j * n;
    for (int k = 0; k < j; k++) {
      const double *other = a + (int64_t)k * n;
      row[k] = (row[k] - dot(row, other, k)) / other[k];
    }
    const double whole = row[j], pivot = whole - dot(row, row, j);
    row[j] = pivot > 1e-30 * whole ? sqrt(pivot) : 1e64;
  }
}

static void forward(const double *a, int n, double *x) {
  for (int j = 0; j < n; j++) {
    const double *row = a + (int64_t)j * n;
    double sum = x[j];
    for (int k = 0; k < j; k++) sum -= row[k] * x[k];
    x[j] = sum / row[j];
  }
}

static void backward(const double *a, int n, double *x) {
  for (int j = n; j-- > 0;) {
    const double *row = a + (int64_t)j * n;
    x[j] /= row[j];
    for (int k = 0; k < j; k++) x[k] -= row[k] * x[j];
  }
}

/* S -= sum of the panel's rows' squares, in its lower half and a little beyond; lines missing are 0. */
static void flush(newton *w, int rows) {
  const int64_t m = w->p->m;
  const double *line = w->line;
  memset(w->line + rows * m, 0, (size_t)((PANEL - rows) * m) * sizeof *w->line);
  for (int64_t j = 0; j < m; j++) {
    double *s = w->s + j * m;
    int64_t k = 0;
    for (; k <= j && k + LANES <= m; k += LANES) {
      lanes sums = *lane(s + k);
#pragma GCC unroll 8
      for (int r = 0; r < PANEL; r++) sums -= line[r * m + j] * *lane(line + r * m + k);
      *(lanes_unaligned *)(s + k) = sums;
    }
    for (; k <= j; k++)
      for (int r = 0; r < PANEL; r++) s[k] -= line[r * m + j] * line[r * m + k];
  }
}

/* The agent's N and G D^-1 T' from its columns, which also go to S. */
static void gather(newton *w, const wal_nw_block *a, double *low, double *wide) {
  const int m = w->p->m;
  memset(low, 0, (size_t)a->rows * (size_t)a->rows * sizeof *low);
  memset(wide, 0, (size_t)a->rows * (size_t)a->goods * sizeof *wide);
  for (int c = 0; c < a->columns; c++) {
    const double inverse = w->id[a->column0 + c];
    int e = a->start[c], inner = e;
    for (; e < a->start[c + 1] && a->at[e] < a->goods; inner = ++e)
      for (int f = a->start[c]; f <= e; f++)
        w->s[(int64_t)a->good[a->at[e]] * m + a->good[a->at[f]]] += a->value[e] * inverse * a->value[f];
    for (; e < a->start[c + 1]; e++) {
      const int64_t row = a->at[e] - a->goods;
      const double value = a->value[e] * inverse;
      for (int f = a->start[c]; f < inner; f++) wide[row * a->goods + a->at[f]] += value * a->value[f];
      for (int f = inner; f <= e; f++) low[row * a->rows + a->at[f] - a->goods] += value * a->value[f];
    }
  }
  for (int row = 0; row < a->rows; row++)
    low[(int64_t)row * (a->rows + 1)] += w->x.s[a->row0 + row] / w->x.pi[a->row0 + row];
}

/* wide = L^-1 wide. */
static void forward_rows(const wal_nw_block *a, const double *low, double *wide) {
  for (int row = 0; row < a->rows; row++) {
    double *own = wide + (int64_t)row * a->goods;
    for (int k = 0; k < row; k++) {
      const double by = low[(int64_t)row * a->rows + k], *other = wide + (int64_t)k * a->goods;
      if (by == 0) continue;
      for (int j = 0; j < a->goods; j++) own[j] -= by * other[j];
    }
    const double pivot = 1 / low[(int64_t)row * (a->rows + 1)];
    for (int j = 0; j < a->goods; j++) own[j] *= pivot;
  }
}

/* The most that a column takes of a good. */
static double intake(const wal_nw_block *a, const double *z) {
  double most = 0;
  for (int c = 0; c < a->columns; c++)
    for (int e = a->start[c]; e < a->start[c + 1]; e++)
      if (a->at[e] < a->goods && a->value[e] * z[c] > most) most = a->value[e] * z[c];
  return most;
}

/* 1/D, with D where there are inner rows a little more, so that flow in circles does not grow without end:
   next to what the agent takes. */
static void weigh(newton *w, const wal_nw_block *a, double mu) {
  const double most = a->rows > 1 ? intake(a, w->x.z + a->column0) : INFINITY,
               more = 1e-5 * mu / (most * most);
#pragma omp simd
  for (int64_t c = a->column0; c < a->column0 + a->columns; c++) {
    w->iz[c] = 1 / w->x.z[c];
    w->iv[c] = w->x.k[c] > 0 ? 1 / w->x.v[c] : 0;
    w->id[c] = 1 / (w->x.l[c] * w->iz[c] + w->x.k[c] * w->iv[c] + more);
  }
}

static void factor_all(newton *w, double mu) {
  const wal_nw_program *p = w->p;
  const int64_t m = p->m;
  int filled = 0;
  for (int i = 0; i < p->n; i++) weigh(w, &p->agent[i], mu);
  memset(w->s, 0, (size_t)(m * m) * sizeof *w->s);
  for (int64_t j = 0; j < m; j++) w->s[j * (m + 1)] = w->x.t[j] / w->x.q[j];
  for (int i = 0; i < p->n; i++) gather(w, &p->agent[i], w->low + w->low0[i], w->w + w->w0[i]);
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    double *low = w->low + w->low0[i], *wide = w->w + w->w0[i];
    factor(low, a->rows);
    forward_rows(a, low, wide);
    for (int row = 0; row < a->rows; row++) {
      double *line = w->line + filled * m;
      memset(line, 0, (size_t)m * sizeof *line);
      for (int j = 0; j < a->goods; j++) line[a->good[j]] = wide[(int64_t)row * a->goods + j];
      if (++filled == PANEL) flush(w, PANEL), filled = 0;
    }
  }
  flush(w, filled);
  factor(w->s, p->m);
}

/* ---- right sides and steps ---- */

/* [T; G] z of an agent into own. */
static void take(newton *w, const wal_nw_block *a, const double *z) {
  memset(w->own, 0, (size_t)(a->goods + a->rows) * sizeof *w->own);
  for (int c = 0; c < a->columns; c++) add_column(a, c, z[a->column0 + c], w->own);
}

/* inner[rows] and supply[m]: what rows and supplies lack at (z, s, t); 0 is right of them, or r and 1. */
static void lacking(newton *w, const wal_nw_point *x, double right, double *inner, double *supply) {
  const wal_nw_program *p = w->p;
  memset(supply, 0, (size_t)p->m * sizeof *supply);
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    take(w, a, x->z);
    for (int j = 0; j < a->goods; j++) supply[a->good[j]] += w->own[j];
    for (int row = 0; row < a->rows; row++)
      inner[a->row0 + row] = right * a->r[row] - x->s[a->row0 + row] - w->own[a->goods + row];
  }
  for (int j = 0; j < p->m; j++) supply[j] = right - x->t[j] - supply[j];
}

static void residuals(newton *w) {
  const wal_nw_program *p = w->p;
  lacking(w, &w->x, 1, w->right.inner, w->right.supply);
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    own_multipliers(a, w->x.q, w->x.pi + a->row0, w->own);
    own_prices(a, w->own, w->right.dual + a->column0);
#pragma omp simd
    for (int64_t c = a->column0; c < a->column0 + a->columns; c++)
      w->right.dual[c] = w->x.l[c] - w->x.k[c] - w->right.dual[c];
  }
}

/* Targets mu (b at utility rows) less products, less `by` times the products of the predictor's steps. */
static void targets(newton *w, double mu, double by) {
  const wal_nw_program *p = w->p;
  const wal_nw_point *x = &w->x, *d = &w->step;
  const sides *to = &w->right;
#pragma omp simd
  for (int64_t c = 0; c < p->columns; c++) {
    to->z[c] = mu - x->z[c] * x->l[c] - by * d->z[c] * d->l[c];
    to->v[c] = mu - x->v[c] * x->k[c] + by * d->z[c] * d->k[c];
  }
  for (int64_t row = 0; row < p->rows; row++)
    to->s[row] = mu - x->s[row] * x->pi[row] - by * d->s[row] * d->pi[row];
  for (int i = 0; i < p->n; i++) to->s[p->agent[i].row0 + p->agent[i].rows - 1] += p->agent[i].budget - mu;
  for (int j = 0; j < p->m; j++) to->t[j] = mu - x->t[j] * x->q[j] - by * d->t[j] * d->q[j];
}

/* Adds T D^-1 g - W' L^-1 rho to the supplies' right side; rho becomes L^-1 rho. */
static void reduce(newton *w, const wal_nw_block *a, const sides *of, const double *low, const double *wide,
                   double *rhs) {
  double *rho = w->rho + a->row0;
  memset(w->own, 0, (size_t)(a->goods + a->rows) * sizeof *w->own);
#pragma omp simd
  for (int64_t c = a->column0; c < a->column0 + a->columns; c++)
    w->g[c] = of->dual[c] + of->z[c] * w->iz[c] - of->v[c] * w->iv[c];
  for (int c = 0; c < a->columns; c++) add_column(a, c, w->g[a->column0 + c] * w->id[a->column0 + c], w->own);
  for (int row = 0; row < a->rows; row++)
    rho[row] =
        of->s[a->row0 + row] / w->x.pi[a->row0 + row] - of->inner[a->row0 + row] + w->own[a->goods + row];
  forward(low, a->rows, rho);
  for (int row = 0; row < a->rows; row++)
    for (int j = 0; j < a->goods; j++) w->own[j] -= wide[(int64_t)row * a->goods + j] * rho[row];
  for (int j = 0; j < a->goods; j++) rhs[a->good[j]] += w->own[j];
}

/* The agent's steps from dq. */
static void expand(newton *w, const wal_nw_block *a, const sides *of, const double *low, const double *wide,
                   const wal_nw_point *d) {
  const wal_nw_point *x = &w->x;
  double *pi = d->pi + a->row0;
  own_multipliers(a, d->q, pi, w->own);
  for (int row = 0; row < a->rows; row++)
    pi[row] = w->rho[a->row0 + row] - dot(wide + (int64_t)row * a->goods, w->own, a->goods);
  backward(low, a->rows, pi);
  memcpy(w->own + a->goods, pi, (size_t)a->rows * sizeof *pi);
  for (int64_t row = a->row0; row < a->row0 + a->rows; row++)
    d->s[row] = (of->s[row] - x->s[row] * d->pi[row]) / x->pi[row];
  own_prices(a, w->own, d->z + a->column0);
#pragma omp simd
  for (int64_t c = a->column0; c < a->column0 + a->columns; c++) {
    d->z[c] = (w->g[c] - d->z[c]) * w->id[c];
    d->l[c] = (of->z[c] - x->l[c] * d->z[c]) * w->iz[c];
    d->v[c] = x->k[c] > 0 ? -d->z[c] : 0;
    d->k[c] = (of->v[c] + x->k[c] * d->z[c]) * w->iv[c];
  }
}

static void solve(newton *w, const sides *of, const wal_nw_point *d) {
  const wal_nw_program *p = w->p;
  for (int j = 0; j < p->m; j++) d->q[j] = of->t[j] / w->x.q[j] - of->supply[j];
  for (int i = 0; i < p->n; i++) reduce(w, &p->agent[i], of, w->low + w->low0[i], w->w + w->w0[i], d->q);
  forward(w->s, p->m, d->q);
  backward(w->s, p->m, d->q);
  for (int i = 0; i < p->n; i++) expand(w, &p->agent[i], of, w->low + w->low0[i], w->w + w->w0[i], d);
  for (int j = 0; j < p->m; j++) d->t[j] = (of->t[j] - w->x.t[j] * d->q[j]) / w->x.q[j];
}

static void add(const wal_nw_program *p, const wal_nw_point *x, const wal_nw_point *d, double primal,
                double dual) {
#pragma omp simd
  for (int64_t c = 0; c < p->columns; c++) {
    x->z[c] += primal * d->z[c], x->v[c] += primal * d->v[c];
    x->l[c] += dual * d->l[c], x->k[c] += dual * d->k[c];
  }
  for (int64_t row = 0; row < p->rows; row++)
    x->s[row] += primal * d->s[row], x->pi[row] += dual * d->pi[row];
  for (int j = 0; j < p->m; j++) x->t[j] += primal * d->t[j], x->q[j] += dual * d->q[j];
}

static double largest(const double *a, int64_t count, double most) {
  for (int64_t e = 0; e < count; e++)
    if (fabs(a[e]) > most) most = fabs(a[e]);
  return most;
}

/* Refines Newton's step until rows and supplies lack at most `most`: elimination loses their digits once
   products are small. */
static void refine(newton *w, double most) {
  const wal_nw_program *p = w->p;
  const sides *left = &w->left_over;
  double before = INFINITY;
  for (int round = 0; round < REFINEMENTS; round++) {
    lacking(w, &w->step, 0, left->inner, left->supply);
    for (int64_t row = 0; row < p->rows; row++) left->inner[row] += w->right.inner[row];
    for (int j = 0; j < p->m; j++) left->supply[j] += w->right.supply[j];
    const double now = largest(left->supply, p->m, largest(left->inner, p->rows, 0));
    if (now <= most || now > before / 2) break;
    before = now;
    solve(w, left, &w->change);
    add(p, &w->step, &w->change, 1, 1);
  }
}

/* The longest step in [0, most] that keeps x + step d >= 0. */
static double limit(const double *x, const double *d, int64_t count, double most) {
  for (int64_t begin = 0; begin < count; begin += 64) {
    const int64_t end = begin + 64 < count ? begin + 64 : count;
    int64_t beyond = 0; /* seldom any: looked for all at once */
#pragma omp simd reduction(+ : beyond)
    for (int64_t e = begin; e < end; e++) beyond += x[e] + most * d[e] < 0;
    for (int64_t e = begin; beyond > 0 && e < end; e++)
      if (x[e] + most * d[e] < 0) most = -x[e] / d[e];
  }
  return most;
}

static void lengths(const newton *w, double most, double *primal, double *dual) {
  const wal_nw_program *p = w->p;
  const wal_nw_point *x = &w->x, *d = &w->step;
  *primal = limit(x->v, d->v, p->columns, limit(x->z, d->z, p->columns, most));
  *primal = limit(x->t, d->t, p->m, limit(x->s, d->s, p->rows, *primal));
  *dual = limit(x->l, d->l, p->columns, limit(x->k, d->k, p->columns, most));
  *dual = limit(x->q, d->q, p->m, limit(x->pi, d->pi, p->rows, *dual));
}

/* Sum of x y after steps. */
static double products(const double *x, const double *dx, double primal, const double *y, const double *dy,
                       double dual, int64_t count) {
  lanes sums = {0};
  int64_t e = 0;
  for (; e + LANES <= count; e += LANES)
    sums += (*lane(x + e) + primal * *lane(dx + e)) * (*lane(y + e) + dual * *lane(dy + e));
  double sum = sum_lanes(&sums);
  for (; e < count; e++) sum += (x[e] + primal * dx[e]) * (y[e] + dual * dy[e]);
  return sum;
}

/* Mean of the products that are to vanish, after steps of these lengths. */
static double mean_product(const newton *w, double primal, double dual) {
  const wal_nw_program *p = w->p;
  const wal_nw_point *x = &w->x, *d = &w->step;
  double sum = products(x->z, d->z, primal, x->l, d->l, dual, p->columns) +
               products(x->v, d->v, primal, x->k, d->k, dual, p->columns) +
               products(x->t, d->t, primal, x->q, d->q, dual, p->m);
  for (int i = 0; i < p->n; i++) {
    const int64_t row = p->agent[i].row0;
    sum += products(x->s + row, d->s + row, primal, x->pi + row, d->pi + row, dual, p->agent[i].rows - 1);
  }
  return sum / (double)w->pairs;
}

/* ---- the method ---- */

/* Everyone asks for about 2/n of a good, or half of what a column can hold. */
static void start(newton *w, double product) {
  const wal_nw_program *p = w->p;
  wal_nw_point *x = &w->x;
  const double share = 2.0 / p->n, mu = product / p->m;
  w->pairs = p->columns + p->rows - p->n + p->m;
  for (int j = 0; j < p->m; j++) x->t[j] = 0.5, x->q[j] = 1.0 / p->m;
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    for (int c = 0; c < a->columns; c++) {
      const int64_t at = a->column0 + c;
      x->z[at] = fmin(a->h[c] / 2, share);
      x->l[at] = mu / x->z[at];
      x->v[at] = isfinite(a->h[c]) ? a->h[c] - x->z[at] : 1;
      x->k[at] = isfinite(a->h[c]) ? mu / x->v[at] : 0;
      w->pairs += isfinite(a->h[c]);
    }
    take(w, a, x->z);
    for (int row = 0; row < a->rows; row++) {
      const double free_ = a->r[row] - w->own[a->goods + row];
      const bool utility = row == a->rows - 1;
      x->s[a->row0 + row] = utility ? fmax(free_, share * 1e-3) : fmax(free_, share);
      x->pi[a->row0 + row] = (utility ? a->budget : mu) / x->s[a->row0 + row];
    }
  }
}

/* The gap, and what rows and supplies lack at their prices: what it will be once nothing is oversold. While
   products of mean mu are far from 0, their sum. */
static double gap_now(newton *w, double mu) {
  const wal_nw_program *p = w->p;
  const double sum = mu * (double)(p->columns + p->rows + p->m);
  double lacks = 0;
  if (sum > 1e-4) return sum;
  for (int i = 0; i < p->n; i++) w->u[i] = w->x.s[p->agent[i].row0 + p->agent[i].rows - 1];
  for (int j = 0; j < p->m; j++) lacks += w->x.q[j] * fabs(w->right.supply[j]);
  for (int64_t row = 0; row < p->rows; row++) lacks += w->x.pi[row] * fabs(w->right.inner[row]);
  memcpy(w->q, w->x.q, (size_t)p->m * sizeof *w->q);
  memcpy(w->pi, w->x.pi, (size_t)p->rows * sizeof *w->pi);
  return wal_nw_dual_gap(p, w->u, w->q, w->pi) + lacks;
}

/* Mehrotra's predictor and corrector. */
static void iterate(newton *w, double mu) {
  double primal, dual;
  factor_all(w, mu);
  targets(w, 0, 0);
  solve(w, &w->right, &w->step);
  lengths(w, 1, &primal, &dual);
  const double ratio = mean_product(w, primal, dual) / mu;
  targets(w, fmax(fmin(ratio * ratio, 1), 1e-6) * mu, primal * dual);
  solve(w, &w->right, &w->step);
  if (mu < 1e-6) refine(w, fmax(1e-15, 1e-3 * mu));
  const double part = 1 - fmin(0.005, fmax(2e-4, w->p->m * mu)); /* of the way to the boundary */
  lengths(w, 1 / part, &primal, &dual);
  add(w->p, &w->x, &w->step, fmin(1, part * primal), fmin(1, part * dual));
}

wal_status wal_nw_interior(const wal_nw_program *p, const wal_nw_interior_options *options,
                           wal_nw_point *point, double *gap, int *iterations) {
  newton w;
  double mark = INFINITY;
  int stale = 0; /* iterations since the gap halved to mark */
  *gap = INFINITY;
  if (!newton_create(p, &w)) {
    newton_destroy(&w);
    return wal_fail(WAL_E_MEMORY, "no memory for a program of %lld columns", (long long)p->columns);
  }
  start(&w, options->start);
  for (*iterations = 0;; ++*iterations) {
    residuals(&w);
    const double mu = mean_product(&w, 0, 0), now = gap_now(&w, mu);
    if (!(mu > 0) || *iterations == options->iterations) break;
    stale = now < mark / 2 ? 0 : stale + 1;
    if (stale == 0) mark = now;
    if (now < *gap) {
      *gap = now;
      point_copy(p, &w.x, &w.best);
    }
    if (*gap < fmin(0.01 * options->tol, 1e-12) || stale == (*gap <= options->tol ? 2 : STALE)) break;
    iterate(&w, mu);
  }
  *point = w.best;
  w.best = (wal_nw_point){0};
  newton_destroy(&w);
  return WAL_OK;
}
