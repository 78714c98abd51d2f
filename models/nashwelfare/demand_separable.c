#include "models/nashwelfare/demand_separable.h"

#include <math.h>
#include <stdlib.h>

void wal_pieces_destroy(wal_pieces *pieces) {
  free(pieces->list);
  *pieces = (wal_pieces){0};
}

/* Good and share of every row: row <= share x_good; good -1: of several goods, or with r > 0. */
static void read_rows(const wal_utility_lp *form, int *good, double *share) {
  for (int i = 0; i < form->b.rows; i++) good[i] = -2, share[i] = 0;
  for (int j = 0; j < form->b.columns; j++)
    for (int k = form->b.start[j]; k < form->b.start[j + 1]; k++) {
      const int i = form->b.row[k];
      good[i] = good[i] == -2 && form->r[i] == 0 ? j : -1;
      share[i] = form->b.value[k];
    }
}

/* Column c as a segment; false: it is in several rows or in a row of several goods. */
static bool read_column(const wal_utility_lp *form, int c, const int *good, const double *share,
                        wal_piece *out) {
  const int k = form->a.start[c];
  if (form->a.start[c + 1] != k + 1) return false;
  const int i = form->a.row[k];
  if (good[i] < 0 || !(form->a.value[k] > 0)) return false;
  const double amount = form->a.value[k] / share[i]; /* of the good, a unit of the column */
  *out = (wal_piece){.good = good[i], .slope = form->c[c] / amount, .length = form->h[c] * amount};
  return true;
}

/* Column c makes more of what another may use, as an arc from good to good does. */
static bool feeds(const wal_utility_lp *form, int c) {
  for (int k = form->a.start[c]; k < form->a.start[c + 1]; k++)
    if (form->a.value[k] < 0) return true;
  return false;
}

wal_status wal_pieces_of(const wal_utility_lp *form, wal_pieces *out) {
  const int rows = form->b.rows, columns = form->a.columns;
  *out = (wal_pieces){.list = calloc((size_t)columns + 1, sizeof *out->list)};
  int *good = malloc(((size_t)rows + 1) * sizeof *good);
  double *share = malloc(((size_t)rows + 1) * sizeof *share);
  const bool room = out->list && good && share;
  if (room) read_rows(form, good, share);
  for (int c = 0; room && c < columns && out->count >= 0; c++) {
    if (form->c[c] == 0 && !feeds(form, c)) continue;
    out->count =
        form->c[c] != 0 && read_column(form, c, good, share, &out->list[out->count]) ? out->count + 1 : -1;
  }
  free(good);
  free(share);
  if (!room) wal_pieces_destroy(out);
  return room ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for a utility of %d segments", columns);
}

static int by_rate(const void *a, const void *b) {
  const wal_piece *one = a, *two = b;
  if (one->rate != two->rate) return one->rate < two->rate ? 1 : -1;
  return one->good - two->good;
}

void wal_pieces_sort(wal_pieces *pieces, const double *p) {
  for (int k = 0; k < pieces->count; k++) {
    wal_piece *piece = &pieces->list[k];
    piece->rate = p[piece->good] > 0 ? piece->slope / p[piece->good] : INFINITY;
  }
  qsort(pieces->list, (size_t)pieces->count, sizeof *pieces->list, by_rate);
}

wal_demand_set wal_pieces_buy(const wal_pieces *pieces, wal_pieces_until until, double limit) {
  wal_demand_set set = {0};
  for (int k = 0; k < pieces->count; k++) {
    const wal_piece *piece = &pieces->list[k];
    const double most = until == WAL_UNTIL_UTILITY ? limit - set.utility
                        : piece->rate == INFINITY  ? INFINITY
                        : until == WAL_UNTIL_MONEY ? (limit - set.cost) * piece->rate
                                                   : limit * piece->rate - set.utility;
    const double more = fmax(0, fmin(most, piece->slope * piece->length));
    set.utility += more;
    if (piece->rate < INFINITY) set.cost += more / piece->rate;
  }
  return set;
}
