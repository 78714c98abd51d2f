/* What the Nash-welfare experiments share: the paper, bounds, labels and colours of the families. */
#ifndef WAL_EXPERIMENTS_NASHWELFARE_NASHWELFARE_H
#define WAL_EXPERIMENTS_NASHWELFARE_NASHWELFARE_H

#define WAL_NASHWELFARE_PAPER \
  "J. Garg, Y. Tao, L. A. Vegh: Approximating Competitive Equilibrium by Nash Welfare (2024)"

/* Theorem 1.1: (1/e)^(1/e). */
#define WAL_NASHWELFARE_ANARCHY 0.69220062755534635387

/* The kinds of utilities as pictures name them; a kind's colour is its place. The first six are those of
   models/nashwelfare/families.h. */
typedef struct {
  const char *name, *label; /* "splc", "SPLC" */
} wal_nashwelfare_kind;
enum { WAL_NASHWELFARE_FAMILIES = 6, WAL_NASHWELFARE_KINDS = 9 };
extern const wal_nashwelfare_kind wal_nashwelfare_kinds[WAL_NASHWELFARE_KINDS];
const char *wal_nashwelfare_label(const char *name); /* of a kind; the name itself where there is none */

#endif
