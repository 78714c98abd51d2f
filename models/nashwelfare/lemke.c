#include "models/nashwelfare/lemke.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A dictionary: basic = rhs + sum over nonbasic of its entry times the variable. Variables: w_k is k, z_k is
   n + k, t is 2 n. Columns 0..n are nonbasic variables, column n + 1 the right-hand side. */
struct wal_lemke {
  int n;
  const wal_lcp *lcp;
  double *a;        /* [n, n + 2] */
  int *row;         /* [n] basic variable of a row */
  int *column;      /* [n + 1] nonbasic variable of a column */
  int *place;       /* [2 n + 1] the row of a basic variable; -1 - column of a nonbasic one */
  const int *order; /* [n] borrowed for one path */
  int sign;         /* of the product of the pivots so far */
};

enum { WAL_LEMKE_REBUILD = 60 }; /* pivots between two dictionaries made anew, at least */
static const double wal_lemke_pivot = 1e-9, wal_lemke_tie = 1e-10;

wal_status wal_lcp_create(int n, wal_lcp *out) {
  *out = (wal_lcp){.n = n};
  out->m = calloc((size_t)n * (size_t)n + 1, sizeof(double));
  out->q = calloc((size_t)n + 1, sizeof(double));
  if (out->m && out->q) return WAL_OK;
  wal_lcp_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a complementarity problem of %d rows", n);
}

void wal_lcp_destroy(wal_lcp *lcp) {
  if (!lcp) return;
  free(lcp->m);
  free(lcp->q);
  *lcp = (wal_lcp){0};
}

wal_status wal_lemke_end_create(int n, wal_lemke_end *out) {
  *out = (wal_lemke_end){0};
  out->basic = calloc((size_t)n + 1, sizeof(bool));
  out->z = calloc((size_t)n + 1, sizeof(double));
  out->slope = calloc((size_t)n + 1, sizeof(double));
  if (out->basic && out->z && out->slope) return WAL_OK;
  wal_lemke_end_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a solution of %d rows", n);
}

void wal_lemke_end_destroy(wal_lemke_end *end) {
  if (!end) return;
  free(end->basic);
  free(end->z);
  free(end->slope);
  *end = (wal_lemke_end){0};
}

wal_lemke *wal_lemke_create(const wal_lcp *lcp) {
  size_t n = (size_t)lcp->n;
  wal_lemke *lemke = calloc(1, sizeof *lemke);
  if (!lemke) return NULL;
  lemke->n = lcp->n;
  lemke->lcp = lcp;
  lemke->a = malloc(n * (n + 2) * sizeof(double) + 1);
  lemke->row = malloc((n + 1) * sizeof(int));
  lemke->column = malloc((n + 1) * sizeof(int));
  lemke->place = malloc((2 * n + 1) * sizeof(int));
  if (lemke->a && lemke->row && lemke->column && lemke->place) return lemke;
  wal_lemke_destroy(lemke);
  return NULL;
}

void wal_lemke_destroy(wal_lemke *lemke) {
  if (!lemke) return;
  free(lemke->a);
  free(lemke->row);
  free(lemke->column);
  free(lemke->place);
  free(lemke);
}

/* The dictionary where all w are basic. */
static void lemke_begin(wal_lemke *s, const double *d) {
  int n = s->n;
  for (int r = 0; r < n; r++) {
    double *row = s->a + (size_t)r * (size_t)(n + 2);
    memcpy(row, s->lcp->m + (size_t)r * (size_t)n, (size_t)n * sizeof(double));
    row[n] = d[r];
    row[n + 1] = s->lcp->q[r];
    s->row[r] = r;
    s->place[r] = r;
  }
  for (int c = 0; c <= n; c++) {
    s->column[c] = n + c;
    s->place[n + c] = -1 - c;
  }
  s->sign = 1;
}

/* Exchanges the basic variable of row r with the nonbasic one of column c. */
static void lemke_pivot(wal_lemke *s, int r, int c) {
  int n = s->n, width = n + 2;
  double *pivot_row = s->a + (size_t)r * (size_t)width, inverse = 1 / pivot_row[c];
  if (pivot_row[c] < 0) s->sign = -s->sign;
  for (int k = 0; k < width; k++) pivot_row[k] *= -inverse;
  pivot_row[c] = inverse;
  for (int i = 0; i < n; i++) {
    double *row = s->a + (size_t)i * (size_t)width, factor = row[c];
    if (i == r || factor == 0) continue;
    row[c] = 0;
#pragma omp simd
    for (int k = 0; k < width; k++) row[k] += factor * pivot_row[k];
  }
  int leaving = s->row[r], entering = s->column[c];
  s->row[r] = entering;
  s->column[c] = leaving;
  s->place[entering] = r;
  s->place[leaving] = -1 - c;
}

/* Makes the dictionary anew whose basis holds the variables v with wanted[v], column by column with the
   largest pivot of each. false: that basis is singular to working accuracy. */
static bool lemke_rebuild(wal_lemke *s, const double *d, const bool *wanted) {
  int n = s->n, width = n + 2;
  lemke_begin(s, d);
  for (int c = 0; c <= n; c++) {
    if (!wanted[s->column[c]]) continue;
    int best = -1;
    double most = 1e-13;
    for (int r = 0; r < n; r++) {
      double size = fabs(s->a[(size_t)r * (size_t)width + (size_t)c]);
      if (wanted[s->row[r]] || size <= most) continue;
      most = size;
      best = r;
    }
    if (best < 0) return false;
    lemke_pivot(s, best, c);
  }
  return true;
}

static bool lemke_refresh(wal_lemke *s, const double *d) {
  int n = s->n;
  bool *wanted = calloc(2 * (size_t)n + 1, sizeof(bool));
  if (!wanted) return false;
  for (int r = 0; r < n; r++) wanted[s->row[r]] = true;
  bool good = lemke_rebuild(s, d, wanted);
  free(wanted);
  return good;
}

/* The derivative of a row's right-hand side in q_k. */
static double lemke_sensitivity(const wal_lemke *s, int r, int k) {
  int place = s->place[k];
  if (place >= 0) return place == r ? 1 : 0;
  return -s->a[(size_t)r * (size_t)(s->n + 2) + (size_t)(-1 - place)];
}

/* Whether row r leaves before row i, both with the same ratio: the smaller perturbed ratio. */
static bool lemke_before(const wal_lemke *s, int r, int i, double slope_r, double slope_i) {
  for (int l = 0; l < s->n; l++) {
    int k = s->order[l];
    double a = lemke_sensitivity(s, r, k) / slope_r, b = lemke_sensitivity(s, i, k) / slope_i;
    if (fabs(a - b) > 1e-9 * (1 + fabs(a) + fabs(b))) return a < b;
  }
  return false;
}

/* The row that falls to 0 first as column c grows; t before all others. -1: none. */
static int lemke_leaving(const wal_lemke *s, int c) {
  int n = s->n, best = -1;
  double ratio = INFINITY;
  for (int r = 0; r < n; r++) {
    const double *row = s->a + (size_t)r * (size_t)(n + 2);
    if (row[c] > -wal_lemke_pivot) continue;
    double mine = fmax(0, row[n + 1]) / -row[c], tie = wal_lemke_tie * (1 + fmin(mine, ratio));
    if (mine > ratio + tie) continue;
    bool tied = best >= 0 && mine >= ratio - tie, is_t = s->row[r] == 2 * n;
    if (tied && s->row[best] == 2 * n) continue;
    if (tied && !is_t &&
        !lemke_before(s, r, best, -row[c], -s->a[(size_t)best * (size_t)(n + 2) + (size_t)c]))
      continue;
    best = r;
    ratio = tied ? fmin(mine, ratio) : mine;
  }
  return best;
}

/* The first exchange from the ray: t takes the place of the row that needs it most. */
static int lemke_first_row(const wal_lemke *s) {
  int n = s->n, best = -1;
  double most = 0;
  for (int r = 0; r < n; r++) {
    const double *row = s->a + (size_t)r * (size_t)(n + 2);
    if (row[n + 1] < 0 && row[n] > 0 && -row[n + 1] / row[n] > most) {
      most = -row[n + 1] / row[n];
      best = r;
    }
  }
  return best;
}

/* The sign of the determinant of M over the basic z, of a dictionary just made anew: of its pivots, and of
   which row each z came to stand in. */
static int lemke_index(const wal_lemke *s) {
  int n = s->n, sign = s->sign;
  for (int k = 0; k < n; k++)
    for (int l = 0; l < k; l++)
      if (s->place[n + k] >= 0 && s->place[n + l] > s->place[n + k]) sign = -sign;
  return sign;
}

/* The solution, of a dictionary just made anew. */
static void lemke_read(const wal_lemke *s, wal_lemke_end *end) {
  int n = s->n, t = -1 - s->place[2 * n];
  for (int k = 0; k < n; k++) {
    int r = s->place[n + k];
    const double *row = r >= 0 ? s->a + (size_t)r * (size_t)(n + 2) : NULL;
    end->basic[k] = row != NULL;
    end->z[k] = row ? row[n + 1] : 0;
    end->slope[k] = row ? row[t] : 0;
  }
  end->index = lemke_index(s);
}

wal_lemke_outcome wal_lemke_follow(wal_lemke *s, const double *d, const int *order, const bool *start,
                                   int pivots, wal_lemke_end *end) {
  int n = s->n, entering = 2 * n, rebuild = WAL_LEMKE_REBUILD + n;
  s->order = order;
  lemke_begin(s, d);
  if (start) {
    bool *wanted = calloc(2 * (size_t)n + 1, sizeof(bool));
    for (int k = 0; wanted && k < n; k++) wanted[start[k] ? n + k : k] = true;
    bool good = wanted && lemke_rebuild(s, d, wanted);
    free(wanted);
    if (!good) return WAL_LEMKE_LOST;
  }
  for (end->pivots = 0; end->pivots < pivots; end->pivots++) {
    int c = -1 - s->place[entering];
    int r = end->pivots || start ? lemke_leaving(s, c) : lemke_first_row(s);
    if (r < 0) return WAL_LEMKE_RAY;
    int leaving = s->row[r];
    lemke_pivot(s, r, c);
    if ((end->pivots + 1) % rebuild == 0 || leaving == 2 * n)
      if (!lemke_refresh(s, d)) return WAL_LEMKE_LOST;
    if (leaving == 2 * n) {
      lemke_read(s, end);
      return WAL_LEMKE_SOLVED;
    }
    entering = leaving < n ? leaving + n : leaving - n;
  }
  return WAL_LEMKE_LOST;
}
