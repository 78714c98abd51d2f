#include "models/pricing/two_buyers.h"

#include <math.h>
#include <stdbool.h>

typedef struct {
  double x, y;
} point;

/* A convex polygon, counterclockwise: the lowest corner (of these the leftmost) and the edges by angle, from
   0 to a whole turn. No edges: a point; two: a segment. */
enum { MOST_EDGES = 3 * WAL_TWO_BUYERS_ITEMS + 2 };
typedef struct {
  point start;
  point edge[MOST_EDGES];
  int count;
} polygon;

/* ---- sums of polygons ---- */

/* Grows with the angle of v, [0, 4). */
static double angle(point v) {
  const double size = fabs(v.x) + fabs(v.y);
  if (v.y >= 0) return v.x >= 0 ? v.y / size : 1 - v.x / size;
  return v.x < 0 ? 2 - v.y / size : 3 + v.x / size;
}

static void add_edge(polygon *sum, double x, double y) {
  if (x == 0 && y == 0) return;
  const point edge = {x, y};
  int at = sum->count++;
  for (; at > 0 && angle(sum->edge[at - 1]) > angle(edge); at--) sum->edge[at] = sum->edge[at - 1];
  sum->edge[at] = edge;
}

/* Spending p, q of the buyers on one item, all shares. full: sold out; zero: this buyer gets nothing. false:
   full without a buyer. */
static bool add_item(polygon *sum, double p, double q, bool full, const bool *zero) {
  if (full && zero[0] && zero[1]) return false;
  if (full) {
    sum->start.x += zero[0] ? 0 : p; /* the lowest corner */
    sum->start.y += zero[0] ? q : 0;
    if (zero[0] || zero[1]) return true;
    add_edge(sum, -p, q);
    add_edge(sum, p, -q);
    if (q == 0) sum->start.x -= p; /* flat: its left end */
    return true;
  }
  if (!zero[0]) add_edge(sum, p, 0);
  if (!zero[0] && !zero[1]) add_edge(sum, -p, q);
  if (!zero[1]) add_edge(sum, 0, -q);
  if (zero[0] && !zero[1]) add_edge(sum, 0, q);
  if (zero[1] && !zero[0]) add_edge(sum, -p, 0);
  return true;
}

/* ---- the intersection of one polygon with the reflection of another ---- */

typedef struct {
  point at[2 * MOST_EDGES + 8];
  int count;
} corners;

static void corners_of(const polygon *shape, corners *out) {
  out->count = 1;
  out->at[0] = shape->start;
  for (int k = 0; k + 1 < shape->count; k++) {
    const point last = out->at[out->count - 1];
    out->at[out->count++] = (point){last.x + shape->edge[k].x, last.y + shape->edge[k].y};
  }
}

/* Only what is on the left of the line through `on` along `edge`, to tol. */
static void cut(corners *shape, point on, point edge, double tol) {
  const double size = hypot(edge.x, edge.y);
  const corners old = *shape;
  double side[2 * MOST_EDGES + 8];
  bool all = true;
  for (int k = 0; k < old.count; k++) {
    side[k] = (edge.x * (old.at[k].y - on.y) - edge.y * (old.at[k].x - on.x)) / size;
    all = all && side[k] >= -tol;
  }
  if (all) return;
  shape->count = 0;
  for (int k = 0; k < old.count; k++) {
    const int next = (k + 1) % old.count;
    if (side[k] >= -tol) shape->at[shape->count++] = old.at[k];
    if ((side[k] > tol && side[next] < -tol) || (side[k] < -tol && side[next] > tol)) {
      const double part = side[k] / (side[k] - side[next]);
      shape->at[shape->count++] = (point){old.at[k].x + part * (old.at[next].x - old.at[k].x),
                                          old.at[k].y + part * (old.at[next].y - old.at[k].y)};
    }
  }
}

/* Corners of `own` that others' spending completes to the budgets: budget - own in `others`. */
static void complete(corners *own, const polygon *others, const double *budget, double tol) {
  point low = others->start, high = low, corner = low;
  for (int k = 0; k < others->count; k++) { /* the reflection has the edges reflected */
    const point edge = others->edge[k];
    low = (point){fmin(low.x, corner.x), fmin(low.y, corner.y)};
    high = (point){fmax(high.x, corner.x), fmax(high.y, corner.y)};
    cut(own, (point){budget[0] - corner.x, budget[1] - corner.y}, (point){-edge.x, -edge.y}, tol);
    corner = (point){corner.x + edge.x, corner.y + edge.y};
  }
  /* The box around it: ends of a segment, and a point. */
  const point least = {budget[0] - high.x, budget[1] - high.y}, most = {budget[0] - low.x, budget[1] - low.y};
  cut(own, least, (point){1, 0}, tol);
  cut(own, most, (point){0, 1}, tol);
  cut(own, most, (point){-1, 0}, tol);
  cut(own, least, (point){0, -1}, tol);
}

/* ---- cells: for each buyer the worst level that it may hold, or all is closed to it ---- */

static int levels_of(const wal_two_buyers *market, int i) {
  int most = -1;
  for (int j = 0; j < market->m; j++)
    if (market->level[i][j] > most) most = market->level[i][j];
  return most + 1;
}

/* What a cell asks of item j. */
static bool ask(const wal_two_buyers *market, const int *worst, int j, bool *zero) {
  bool full = false;
  zero[0] = zero[1] = false;
  for (int i = 0; i < 2; i++) {
    const int own = market->level[i][j];
    const bool closed = own >= 0 && own < worst[i];
    full = full || closed;
    if (closed && market->first[j] == i) zero[1 - i] = true;
    if (own < 0 || own > worst[i]) zero[i] = true;
  }
  return full;
}

static double magnitude(const wal_two_buyers *market) {
  double most = fmax(market->budget[0], market->budget[1]);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < market->m; j++) most = fmax(most, market->price[i][j]);
  return most;
}

/* Widens [low, high] by the revenue in one cell. */
static void cell_revenue(const wal_two_buyers *market, int seller, const int *worst, const int *levels,
                         double tol, double *low, double *high) {
  polygon own = {0}, others = {0};
  for (int j = 0; j < market->m; j++) {
    bool zero[2];
    const bool full = ask(market, worst, j, zero);
    if (!add_item(market->owner[j] == seller ? &own : &others, market->price[0][j], market->price[1][j], full,
                  zero))
      return;
  }
  for (int i = 0; i < 2; i++) /* money may be left to whom all is closed: as if another seller took it */
    if (worst[i] == levels[i]) {
      add_edge(&others, i == 0 ? market->budget[0] : 0, i == 1 ? market->budget[1] : 0);
      add_edge(&others, i == 0 ? -market->budget[0] : 0, i == 1 ? -market->budget[1] : 0);
    }
  corners shape;
  corners_of(&own, &shape);
  complete(&shape, &others, market->budget, tol);
  for (int k = 0; k < shape.count; k++) {
    *low = fmin(*low, shape.at[k].x + shape.at[k].y);
    *high = fmax(*high, shape.at[k].x + shape.at[k].y);
  }
}

wal_status wal_two_buyers_revenue(const wal_two_buyers *market, int seller, double *low, double *high) {
  const int levels[2] = {levels_of(market, 0), levels_of(market, 1)};
  const double tol = 1e-13 * magnitude(market);
  *low = INFINITY;
  *high = -INFINITY;
  for (int a = 0; a <= levels[0]; a++)
    for (int b = 0; b <= levels[1]; b++) cell_revenue(market, seller, (int[]){a, b}, levels, tol, low, high);
  if (*low <= *high) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED, "no stable allocation of two buyers and %d items to rounding", market->m);
}
