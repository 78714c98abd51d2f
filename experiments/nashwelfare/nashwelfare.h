/* What the Nash-welfare experiments share: the paper, bounds, labels and colours of the families. */
#ifndef WAL_EXPERIMENTS_NASHWELFARE_NASHWELFARE_H
#define WAL_EXPERIMENTS_NASHWELFARE_NASHWELFARE_H

#define WAL_NASHWELFARE_PAPER \
  "J. Garg, Y. Tao, L. A. Vegh: Approximating Competitive Equilibrium by Nash Welfare (2024)"

/* Theorem 1.1: (1/e)^(1/e). */
#define WAL_NASHWELFARE_ANARCHY 0.69220062755534635387

#endif
