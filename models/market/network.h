/* A trained MarketFCNet as plain data: what `walras train` saves, `walras show` prints and `walras apply`
   uses on other buyers. */
#ifndef WAL_MARKET_NETWORK_H
#define WAL_MARKET_NETWORK_H

#include "models/market/market.h"

typedef struct {
  char recipe[16];     /* the solver that trained it: "fc", "fc_share", "tower" */
  int m, d;            /* goods; dimension of a context */
  double alpha;        /* of the market it was trained on */
  int width, depth;    /* hidden width; linear layers */
  char activation[16]; /* relu | tanh | silu */
  char engine[96];     /* what computed its layers in training, "cpu"; "" when read from a file */
  uint64_t seed;       /* of the training */
  int64_t steps;       /* Adam steps made */
  float *goods;        /* [m, d] owned: the goods it knows */
  double *lambda;      /* [m] owned: multipliers at the end of training, the prices per buyer's supply */
  double *mean;        /* [m] owned: supply per buyer Y_j / n of the training market */
  int64_t parameter_count;
  float *parameters; /* [parameter_count] owned, as wal_mlp_ops.get(0) has them */
} wal_trained_network;
void wal_trained_network_destroy(
    wal_trained_network *network); /* frees the members; accepts a zeroed struct */

/* The network behind an allocation that fc, fc_share or tower returned (or wal_trained_network_allocation;
   lambda and mean are then that market's), copied. WAL_E_UNSUPPORTED for any other. */
wal_status wal_trained_network_export(const wal_allocation *allocation, wal_trained_network *out);

/* The allocation that the network gives to a market's buyers at prices[m] (the share outputs spend the
   budget at them): any number of buyers, any law of contexts, any supplies, the goods it was trained on.
   Copies the network, borrows the market. WAL_E_INPUT names what differs (m, d, alpha, a good) and both
   numbers. */
wal_status wal_trained_network_allocation(const wal_trained_network *network, const wal_market *market,
                                          const double *prices, wal_allocation **out);

/* Prices at which the network's demand clears the market, without training, into prices[m]: for share outputs
   lambda_j = sum_i B_i s_ij / Y_j, one streamed pass; for "fc" the multipliers of training, scaled to
   sum_j Y_j lambda_j = sum_i B_i. */
wal_status wal_trained_network_prices(const wal_trained_network *network, const wal_market *market,
                                      double *prices);

#endif
