/* What the price-competition experiments share: the paper. */
#ifndef WAL_EXPERIMENTS_PRICECOMPETITION_H
#define WAL_EXPERIMENTS_PRICECOMPETITION_H

#define WAL_PRICECOMPETITION_PAPER \
  "J. Li, P. Tang: Price Competition in Linear Fisher Markets: Stability, Equilibrium and Personalization"

#endif
