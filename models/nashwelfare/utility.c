/* The front door of utilities, their linear programs, and markets. */
#include "models/nashwelfare/utility.h"

#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/utility_kind.h"

double wal_utility_value(const wal_utility *u, const double *x) { return u->ops->value(u, x); }

wal_status wal_utility_supergradient(const wal_utility *u, const double *x, double *g) {
  return u->ops->supergradient(u, x, g);
}

bool wal_utility_is_network(const wal_utility *u) { return u->ops->network != NULL; }

wal_status wal_utility_network(const wal_utility *u, wal_network *out) {
  *out = (wal_network){0};
  if (!u->ops->network)
    return wal_fail(WAL_E_UNSUPPORTED, "a %s utility is not a generalised network (splc works)",
                    u->ops->name);
  return u->ops->network(u, out);
}

void wal_utility_destroy(wal_utility *u) {
  if (!u) return;
  wal_utility_lp_destroy((wal_utility_lp *)u->lp);
  free((void *)u->lp);
  u->ops->destroy(u);
}

wal_status wal_utility_finish(wal_utility *u, wal_utility **out) {
  *out = NULL;
  if (u->ops->lp) {
    wal_utility_lp *lp = calloc(1, sizeof *lp);
    u->lp = lp;
    const wal_status status = lp ? u->ops->lp(u, lp) : wal_utility_no_memory(u->m);
    if (status != WAL_OK) {
      wal_utility_destroy(u);
      return status;
    }
  }
  *out = u;
  return WAL_OK;
}

/* ---- checks that several kinds make ---- */

wal_status wal_utility_no_memory(int m) {
  return wal_fail(WAL_E_MEMORY, "no memory for a utility over %d goods", m);
}

wal_status wal_utility_goods_check(int m) {
  if (m >= 1) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "a utility over %d goods; expected at least 1 (2 works)", m);
}

wal_status wal_utility_amounts_check(int m, const double *values, const char *what, bool infinite) {
  for (int j = 0; j < m; j++) {
    if (values[j] >= 0 && (infinite || isfinite(values[j]))) continue;
    return wal_fail(WAL_E_INPUT, "good %d: %s is %g; expected %s (1 works)", j, what, values[j],
                    infinite ? "at least 0" : "at least 0 and finite");
  }
  return WAL_OK;
}

wal_status wal_utility_useless(const char *works) {
  return wal_fail(WAL_E_INPUT, "the utility is 0 whatever the agent gets; expected a use for some good (%s)",
                  works);
}

/* ---- sizes of things ---- */

void wal_network_destroy(wal_network *network) {
  if (!network) return;
  free(network->from);
  free(network->to);
  free(network->gain);
  free(network->capacity);
  *network = (wal_network){0};
}

wal_status wal_network_create(int m, int nodes, int sink, int arcs, wal_network *out) {
  const size_t count = arcs > 0 ? (size_t)arcs : 1;
  *out = (wal_network){.m = m,
                       .nodes = nodes,
                       .sink = sink,
                       .arcs = arcs,
                       .from = malloc(count * sizeof *out->from),
                       .to = malloc(count * sizeof *out->to),
                       .gain = malloc(count * sizeof *out->gain),
                       .capacity = malloc(count * sizeof *out->capacity)};
  if (out->from && out->to && out->gain && out->capacity) return WAL_OK;
  wal_network_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a network of %d arcs", arcs);
}

void wal_network_arc(wal_network *net, int arc, int from, int to, double gain, double capacity) {
  net->from[arc] = from;
  net->to[arc] = to;
  net->gain[arc] = gain;
  net->capacity[arc] = capacity;
}

wal_status wal_network_copy(const wal_network *net, wal_network *out) {
  const wal_status status = wal_network_create(net->m, net->nodes, net->sink, net->arcs, out);
  for (int e = 0; status == WAL_OK && e < net->arcs; e++)
    wal_network_arc(out, e, net->from[e], net->to[e], net->gain[e], net->capacity[e]);
  return status;
}

/* ---- markets ---- */

wal_status wal_nw_market_create(int n, int m, wal_nw_market *out) {
  *out = (wal_nw_market){0};
  if (n < 1 || m < 1)
    return wal_fail(WAL_E_INPUT, "a market of %d agents and %d goods; expected at least 1 of each (2 works)",
                    n, m);
  *out = (wal_nw_market){.n = n,
                         .m = m,
                         .budget = malloc((size_t)n * sizeof *out->budget),
                         .utility = calloc((size_t)n, sizeof *out->utility)};
  if (!out->budget || !out->utility) {
    wal_nw_market_destroy(out);
    return wal_fail(WAL_E_MEMORY, "no memory for a market of %d agents", n);
  }
  for (int i = 0; i < n; i++) out->budget[i] = 1;
  return WAL_OK;
}

void wal_nw_market_destroy(wal_nw_market *market) {
  if (!market) return;
  for (int i = 0; market->utility && i < market->n; i++) wal_utility_destroy(market->utility[i]);
  free(market->utility);
  free(market->budget);
  *market = (wal_nw_market){0};
}

wal_status wal_nw_market_check(const wal_nw_market *market) {
  if (market->n < 1 || market->m < 1)
    return wal_fail(WAL_E_INPUT, "a market of %d agents and %d goods; expected at least 1 of each (2 works)",
                    market->n, market->m);
  for (int i = 0; i < market->n; i++) {
    const double b = market->budget[i];
    const wal_utility *u = market->utility[i];
    if (!(b > 0) || !isfinite(b))
      return wal_fail(WAL_E_INPUT, "budget[%d] is %g; expected more than 0 and finite (1 works)", i, b);
    if (!u) return wal_fail(WAL_E_INPUT, "agents[%d] has no utility; expected one (a linear one works)", i);
    if (u->m != market->m)
      return wal_fail(WAL_E_INPUT, "agents[%d] has a utility over %d goods; expected the market's %d", i,
                      u->m, market->m);
  }
  return WAL_OK;
}

double wal_nw_log_welfare(const wal_nw_market *market, const double *u) {
  double sum = 0, budgets = 0;
  for (int i = 0; i < market->n; i++) {
    sum += market->budget[i] * log(u[i]);
    budgets += market->budget[i];
  }
  return sum / budgets;
}
