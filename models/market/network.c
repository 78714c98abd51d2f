#include "models/market/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/fc_network.h"
#include "models/market/solvers.h"

void wal_trained_network_destroy(wal_trained_network *network) {
  if (!network) return;
  free(network->goods);
  free(network->lambda);
  free(network->mean);
  free(network->parameters);
  *network = (wal_trained_network){0};
}

/* count * size bytes of `from`, malloc'd; NULL: no memory. */
static void *copied(const void *from, size_t count, size_t size) {
  void *to = malloc(count * size);
  return to ? memcpy(to, from, count * size) : NULL;
}

wal_status wal_trained_network_export(const wal_allocation *allocation, wal_trained_network *out) {
  *out = (wal_trained_network){0};
  const wal_fc_network *from = wal_fc_network_of(allocation);
  if (!from)
    return wal_fail(
        WAL_E_UNSUPPORTED,
        "an allocation of kind '%s' has no network; expected one that fc, fc_share or tower trained",
        allocation->ops->name);
  const wal_trained_network *about = &from->about;
  const size_t m = (size_t)about->m, count = (size_t)about->parameter_count;
  *out = *about;
  out->goods = copied(about->goods, m * (size_t)about->d, sizeof *out->goods);
  out->lambda = copied(about->lambda, m, sizeof *out->lambda);
  out->mean = copied(about->mean, m, sizeof *out->mean);
  out->parameters = malloc(count * sizeof *out->parameters);
  wal_status status = WAL_OK;
  if (!out->goods || !out->lambda || !out->mean || !out->parameters)
    status = wal_fail(WAL_E_MEMORY, "no memory for a network of %zu parameters", count);
  if (!status) status = from->net->ops->get(from->net, 0, out->parameters);
  if (!status) snprintf(out->engine, sizeof out->engine, "%s", from->net->ops->engine(from->net));
  if (status) wal_trained_network_destroy(out);
  return status;
}

/* Is the market one for the network: its goods, its alpha? */
static wal_status check_market(const wal_trained_network *network, const wal_market *market) {
  wal_status status = wal_fc_network_takes(network->recipe, market);
  if (status) return status;
  if (market->m != network->m || market->d != network->d)
    return wal_fail(
        WAL_E_INPUT,
        "the market has m = %d goods and contexts of d = %d elements; the network was trained with "
        "m = %d, d = %d",
        market->m, market->d, network->m, network->d);
  if (market->alpha != network->alpha)
    return wal_fail(WAL_E_INPUT, "the market's alpha is %g; the network was trained at alpha = %g",
                    market->alpha, network->alpha);
  for (int64_t k = 0; k < (int64_t)market->m * market->d; k++)
    if (market->goods[k] != network->goods[k])
      return wal_fail(WAL_E_INPUT,
                      "element %lld of good %lld is %g; the network was trained on goods where it is %g",
                      (long long)(k % market->d), (long long)(k / market->d), (double)market->goods[k],
                      (double)network->goods[k]);
  return WAL_OK;
}

/* The network for the market's buyers, without prices. */
static wal_status for_market(const wal_trained_network *network, const wal_market *market,
                             wal_fc_network **out) {
  *out = NULL;
  wal_status status = check_market(network, market);
  if (!status) status = wal_fc_network_create(network, market, 1, "float32", out);
  if (status) return status;
  const wal_fc_network *to = *out;
  if (to->about.parameter_count != network->parameter_count)
    status = wal_fail(WAL_E_INPUT, "the network has %lld parameters; width %d and depth %d ask for %lld",
                      (long long)network->parameter_count, network->width, network->depth,
                      (long long)to->about.parameter_count);
  if (!status) status = to->net->ops->set(to->net, 0, network->parameters);
  if (status) {
    wal_fc_network_destroy(*out);
    *out = NULL;
  }
  return status;
}

wal_status wal_trained_network_allocation(const wal_trained_network *network, const wal_market *market,
                                          const double *prices, wal_allocation **out) {
  wal_fc_network *made;
  const wal_status status = for_market(network, market, &made);
  if (!status) memcpy(made->about.lambda, prices, (size_t)market->m * sizeof *prices);
  *out = status ? NULL : &made->base;
  return status;
}

/* sum_i B_i s_ij into spent[m]: the demand at prices of 1. */
static wal_status spending(const wal_trained_network *network, const wal_market *market, double *spent) {
  wal_fc_network *made;
  wal_status status = for_market(network, market, &made);
  if (status) return status;
  for (int j = 0; j < market->m; j++) made->about.lambda[j] = 1;
  status = wal_fc_network_demand(made, market->n, spent);
  wal_fc_network_destroy(made);
  return status;
}

static wal_status scaled_multipliers(const wal_trained_network *network, const wal_market *market,
                                     double *prices) {
  double worth = 0, budget;
  wal_status status = check_market(network, market);
  if (!status) status = wal_total_budget(market, market->n, &budget);
  if (status) return status;
  for (int j = 0; j < market->m; j++) worth += network->lambda[j] * market->supply[j];
  if (!(worth > 0) || isinf(worth))
    return wal_fail(WAL_E_DIVERGED,
                    "the supply is worth %g at the network's multipliers; expected a positive finite sum",
                    worth);
  for (int j = 0; j < market->m; j++) prices[j] = network->lambda[j] * budget / worth;
  return WAL_OK;
}

wal_status wal_trained_network_prices(const wal_trained_network *network, const wal_market *market,
                                      double *prices) {
  if (strcmp(network->recipe, "fc") == 0) return scaled_multipliers(network, market, prices);
  const wal_status status = spending(network, market, prices);
  for (int j = 0; !status && j < market->m; j++) prices[j] /= market->supply[j];
  return status;
}
