#include "models/nashwelfare/nash_welfare_program.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void block_destroy(wal_nw_block *a) {
  free(a->good);
  free(a->start);
  free(a->at);
  free(a->value);
  free(a->h);
  free(a->r);
}

void wal_nw_program_destroy(wal_nw_program *program) {
  if (!program) return;
  for (int i = 0; program->agent && i < program->n; i++) block_destroy(&program->agent[i]);
  free(program->agent);
  *program = (wal_nw_program){0};
}

/* ---- which rows and columns matter ---- */

/* An agent's program while it is read: columns of z, then a column for each good whose bundle needs one. */
typedef struct {
  const wal_utility_lp *lp;
  int m;
  int *supplies;  /* [rows] the good that the row is the supply of; -1: none */
  int *single;    /* [m] the row that is the supply of the good; -1: bundle a column of its own; -2: no use */
  double *factor; /* [rows] what one unit of the good adds to the row that is its supply */
  bool *fed;      /* [rows] something can be had in it */
  bool *wanted;   /* [rows] it is worth something */
  bool *alive;    /* [columns of z] */
  bool *needed;   /* [m] */
} reading;

static void reading_destroy(reading *d) {
  free(d->supplies);
  free(d->single);
  free(d->factor);
  free(d->fed);
  free(d->wanted);
  free(d->alive);
  free(d->needed);
}

static bool reading_create(const wal_utility_lp *lp, int m, reading *d) {
  const size_t rows = (size_t)lp->a.rows + 1, columns = (size_t)lp->a.columns + 1, goods = (size_t)m + 1;
  *d = (reading){.lp = lp, .m = m};
  d->supplies = malloc(rows * sizeof *d->supplies);
  d->single = malloc(goods * sizeof *d->single);
  d->factor = malloc(rows * sizeof *d->factor);
  d->fed = calloc(rows, sizeof *d->fed);
  d->wanted = calloc(rows, sizeof *d->wanted);
  d->alive = calloc(columns, sizeof *d->alive);
  d->needed = calloc(goods, sizeof *d->needed);
  return d->supplies && d->single && d->factor && d->fed && d->wanted && d->alive && d->needed;
}

/* Finds the rows that are supplies of a good. */
static void find_supplies(reading *d) {
  const wal_utility_lp *lp = d->lp;
  for (int row = 0; row < lp->a.rows; row++) d->supplies[row] = lp->r[row] == 0 ? -1 : -2;
  for (int e = 0; e < lp->a.start[lp->a.columns]; e++)
    if (lp->a.value[e] < 0) d->supplies[lp->a.row[e]] = -2;
  for (int j = 0; j < d->m; j++) /* rows of two goods */
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++) {
      int *s = &d->supplies[lp->b.row[e]];
      if (lp->b.value[e] > 0) *s = *s == -1 ? j : -2;
    }
  for (int j = 0; j < d->m; j++) {
    int count = 0, row = -1;
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++)
      if (lp->b.value[e] > 0) count++, row = lp->b.row[e], d->factor[row] = lp->b.value[e];
    const bool single = count == 1 && d->supplies[row] == j;
    d->single[j] = single ? row : count > 0 ? -1 : -2;
    for (int e = lp->b.start[j]; !single && e < lp->b.start[j + 1]; e++)
      if (d->supplies[lp->b.row[e]] == j) d->supplies[lp->b.row[e]] = -2;
  }
}

/* Column z is alive: all it takes can be had. Rows that it adds to are fed then. */
static bool feed(reading *d, int z) {
  const wal_sparse *a = &d->lp->a;
  bool more = false;
  for (int e = a->start[z]; e < a->start[z + 1]; e++)
    if (a->value[e] > 0 && !d->fed[a->row[e]]) return false;
  for (int e = a->start[z]; e < a->start[z + 1]; e++)
    if (a->value[e] < 0 && !d->fed[a->row[e]]) more = d->fed[a->row[e]] = true;
  d->alive[z] = true;
  return more;
}

/* Column z is of use: it makes utility or adds to a row that is wanted. Rows that it takes from are wanted
 * then. */
static bool want(reading *d, int z) {
  const wal_sparse *a = &d->lp->a;
  bool use = d->lp->c[z] > 0, more = false;
  for (int e = a->start[z]; e < a->start[z + 1]; e++) use = use || (a->value[e] < 0 && d->wanted[a->row[e]]);
  for (int e = a->start[z]; use && e < a->start[z + 1]; e++)
    if (a->value[e] > 0 && !d->wanted[a->row[e]]) more = d->wanted[a->row[e]] = true;
  return more;
}

static bool of_use(const reading *d, int z) {
  const wal_sparse *a = &d->lp->a;
  bool use = d->lp->c[z] > 0;
  for (int e = a->start[z]; e < a->start[z + 1]; e++) use = use || (a->value[e] < 0 && d->wanted[a->row[e]]);
  return use;
}

/* Leaves out columns that must be 0 (no flow can reach them) or that serve nothing, so that what is left has
 * an interior. */
static void find_alive(reading *d) {
  const wal_utility_lp *lp = d->lp;
  for (int row = 0; row < lp->a.rows; row++) d->fed[row] = lp->r[row] > 0;
  for (int j = 0; j < d->m; j++)
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++)
      if (lp->b.value[e] > 0) d->fed[lp->b.row[e]] = true;
  bool more = true;
  while (more) {
    more = false;
    for (int z = 0; z < lp->a.columns; z++)
      if (!d->alive[z] && lp->h[z] > 0) more = feed(d, z) || more;
  }
  for (more = true; more;) {
    more = false;
    for (int z = 0; z < lp->a.columns; z++)
      if (d->alive[z]) more = want(d, z) || more;
  }
  for (int z = 0; z < lp->a.columns; z++) d->alive[z] = d->alive[z] && of_use(d, z);
  for (int j = 0; j < d->m; j++)
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++)
      if (lp->b.value[e] > 0 && d->wanted[lp->b.row[e]]) d->needed[j] = true;
}

/* ---- the block ---- */

/* Rows of G: those wanted that are no supplies, numbered; the others have -1. Returns how many. */
static int number_rows(const reading *d, int *number) {
  int count = 0;
  for (int row = 0; row < d->lp->a.rows; row++)
    number[row] = d->wanted[row] && d->supplies[row] < 0 ? count++ : -1;
  return count;
}

static bool block_room(const reading *d, int inner, wal_nw_block *a) {
  int entries = 1;
  for (int z = 0; z < d->lp->a.columns; z++)
    if (d->alive[z]) entries += d->lp->a.start[z + 1] - d->lp->a.start[z] + 1, a->columns++;
  for (int j = 0; j < d->m; j++) {
    a->goods += d->needed[j];
    if (d->needed[j] && d->single[j] == -1)
      entries += d->lp->b.start[j + 1] - d->lp->b.start[j] + 1, a->columns++;
  }
  a->rows = inner + 1;
  a->good = malloc((size_t)(a->goods + 1) * sizeof *a->good);
  a->start = calloc((size_t)a->columns + 1, sizeof *a->start);
  a->at = malloc((size_t)entries * sizeof *a->at);
  a->value = malloc((size_t)entries * sizeof *a->value);
  a->h = malloc((size_t)(a->columns + 1) * sizeof *a->h);
  a->r = calloc((size_t)a->rows, sizeof *a->r);
  return a->good && a->start && a->at && a->value && a->h && a->r;
}

static void put(wal_nw_block *a, int *entries, int at, double value) {
  if (value == 0) return;
  a->at[*entries] = at;
  a->value[(*entries)++] = value;
}

/* local[m]: the place of a good among the agent's. */
static void fill_block(const reading *d, const int *number, const int *local, wal_nw_block *a) {
  const wal_utility_lp *lp = d->lp;
  int column = 0, entries = 0;
  for (int z = 0; z < lp->a.columns; z++) {
    if (!d->alive[z]) continue;
    for (int e = lp->a.start[z]; e < lp->a.start[z + 1]; e++) {
      const int row = lp->a.row[e], good = d->supplies[row];
      if (good >= 0 && d->wanted[row])
        put(a, &entries, local[good], lp->a.value[e] / d->factor[row]);
      else if (number[row] >= 0)
        put(a, &entries, a->goods + number[row], lp->a.value[e]);
    }
    put(a, &entries, a->goods + a->rows - 1, -lp->c[z]);
    a->h[column] = lp->h[z];
    a->start[++column] = entries;
  }
  for (int j = 0; j < d->m; j++) {
    if (!d->needed[j] || d->single[j] != -1) continue;
    put(a, &entries, local[j], 1);
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++)
      if (number[lp->b.row[e]] >= 0) put(a, &entries, a->goods + number[lp->b.row[e]], -lp->b.value[e]);
    a->h[column] = INFINITY;
    a->start[++column] = entries;
  }
  for (int row = 0; row < lp->a.rows; row++)
    if (number[row] >= 0) a->r[number[row]] = lp->r[row];
}

/* Entries of a column by rising row, so that those of goods come first. */
static void sort_entries(wal_nw_block *a) {
  for (int c = 0; c < a->columns; c++)
    for (int e = a->start[c] + 1; e < a->start[c + 1]; e++) {
      const int at = a->at[e];
      const double value = a->value[e];
      int f = e;
      for (; f > a->start[c] && a->at[f - 1] > at; f--)
        a->at[f] = a->at[f - 1], a->value[f] = a->value[f - 1];
      a->at[f] = at, a->value[f] = value;
    }
}

/* Divides each column by its largest entry outside of the utility row, then each row of G (but that one), a
 * few times. */
static void equilibrate(wal_nw_block *a, double *largest) {
  const int inner = a->goods + a->rows - 1;
  for (int round = 0; round < 4; round++) {
    for (int z = 0; z < a->columns; z++) {
      double most = 0;
      for (int e = a->start[z]; e < a->start[z + 1]; e++)
        if (a->at[e] < inner) most = fmax(most, fabs(a->value[e]));
      const double by = most > 0 ? 1 / most : 1;
      for (int e = a->start[z]; e < a->start[z + 1]; e++) a->value[e] *= by;
      a->h[z] /= by;
    }
    if (round == 3) break; /* columns last */
    for (int row = 0; row < a->rows; row++) largest[row] = 0;
    for (int e = 0; e < a->start[a->columns]; e++)
      if (a->at[e] >= a->goods && a->at[e] < inner)
        largest[a->at[e] - a->goods] = fmax(largest[a->at[e] - a->goods], fabs(a->value[e]));
    for (int e = 0; e < a->start[a->columns]; e++)
      if (a->at[e] >= a->goods && a->at[e] < inner) a->value[e] /= largest[a->at[e] - a->goods];
    for (int row = 0; row < a->rows - 1; row++)
      if (largest[row] > 0) a->r[row] /= largest[row];
  }
}

bool wal_nw_value_is_quick(const wal_utility *u, const wal_nw_block *a) {
  return a->rows == 1 || !wal_utility_is_network(u);
}

/* Divides utility by that of everything, or by what all columns would make, for which no program is needed.
 */
static void set_unit(const wal_utility *u, wal_nw_block *a, double *ones) {
  const int utility = a->goods + a->rows - 1;
  for (int j = 0; j < u->m; j++) ones[j] = 1;
  a->unit = wal_nw_value_is_quick(u, a) ? wal_utility_value(u, ones) : 0;
  for (int c = 0; c < a->columns && !wal_nw_value_is_quick(u, a); c++)
    for (int e = a->start[c]; e < a->start[c + 1]; e++)
      if (a->at[e] == utility) a->unit += fmax(0, -a->value[e]) * fmin(1, a->h[c]);
  for (int e = 0; e < a->start[a->columns]; e++)
    if (a->at[e] == utility) a->value[e] /= a->unit;
}

static wal_status read_block(const wal_utility *u, reading *d, wal_nw_block *a) {
  const int rows = d->lp->a.rows;
  int *number = malloc(((size_t)rows + (size_t)d->m + 1) * sizeof *number), *local = number + rows;
  double *room = malloc(((size_t)(rows > d->m ? rows : d->m) + 1) * sizeof *room);
  bool ok = number && room;
  if (ok) {
    find_supplies(d);
    find_alive(d);
    ok = block_room(d, number_rows(d, number), a);
  }
  if (ok) {
    for (int j = 0, count = 0; j < d->m; j++)
      if (d->needed[j]) a->good[count] = j, local[j] = count++;
    fill_block(d, number, local, a);
    sort_entries(a);
    equilibrate(a, room);
    set_unit(u, a, room);
  }
  free(number);
  free(room);
  return ok ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for an agent of %d goods", d->m);
}

static wal_status read_agent(const wal_nw_market *market, int i, wal_nw_block *a) {
  const wal_utility *u = market->utility[i];
  if (!u->lp)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "agent %d: its utility (%s) is not piecewise linear; maximum Nash welfare takes linear, "
                    "SPLC, Leontief, Leontief-free, network and piecewise-linear ones",
                    i, u->ops->name);
  reading d;
  wal_status status = reading_create(u->lp, market->m, &d)
                          ? read_block(u, &d, a)
                          : wal_fail(WAL_E_MEMORY, "no memory for agent %d", i);
  reading_destroy(&d);
  if (status == WAL_OK && !(a->unit > 0 && isfinite(a->unit)))
    status = wal_fail(
        WAL_E_INPUT,
        "agent %d: its utility of one unit of every good is %g; expected a positive and finite one (values "
        "near 1 work)",
        i, a->unit);
  return status;
}

wal_status wal_nw_program_create(const wal_nw_market *market, wal_nw_program *out) {
  *out = (wal_nw_program){.n = market->n, .m = market->m};
  out->agent = calloc((size_t)market->n, sizeof *out->agent);
  if (!out->agent) return wal_fail(WAL_E_MEMORY, "no memory for %d agents", market->n);
  double total = 0;
  for (int i = 0; i < market->n; i++) total += market->budget[i];
  wal_status status = WAL_OK;
  for (int i = 0; i < market->n && status == WAL_OK; i++) {
    wal_nw_block *a = &out->agent[i];
    status = read_agent(market, i, a);
    a->budget = market->budget[i] / total;
    a->column0 = out->columns, a->row0 = out->rows;
    out->columns += a->columns, out->rows += a->rows;
  }
  if (status != WAL_OK) wal_nw_program_destroy(out);
  return status;
}
