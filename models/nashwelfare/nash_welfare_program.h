/* Program (EG) of a whole market in one form: for each agent i a block of columns 0 <= z_i <= h_i and rows
     T_i z_i (what it takes of its goods),   G_i z_i + s_i = r_i,   sum_i T_i z_i + t = 1,
   the last row of G_i being -c_i' z_i + u_i = 0, so that the slack of that row is the agent's utility. All
   multipliers are q of the supply rows and pi of the blocks' rows, and the optimum is where
     G_i' pi_i + T_i' q >= 0 up to the bounds, every product of a slack and its multiplier is 0, and u_i w_i =
   b_i for the multiplier w_i of a utility row. A bundle x_ij is a column of its own only where the agent's
   program needs one: a row that alone takes good j, and takes nothing else, is the supply row. */
#ifndef WAL_NASHWELFARE_NASH_WELFARE_PROGRAM_H
#define WAL_NASHWELFARE_NASH_WELFARE_PROGRAM_H

#include <stdint.h>

#include "models/nashwelfare/utility.h"

/* One agent. Utilities are in units of about the agent's utility of everything. */
typedef struct {
  int goods, rows, columns; /* rows with the utility row, the last */
  int *good;                /* [goods] rising: the market's goods that the agent has a use for */
  int *start;               /* [columns + 1] entries of a column */
  int *at;                  /* [entries] rising in a column: row of T (below goods) or goods + row of G */
  double *value;            /* [entries] */
  double *h;                /* [columns] > 0, INFINITY: none */
  double *r;                /* [rows] >= 0, 0 for the utility row */
  double budget;            /* share of all budgets */
  double unit;              /* about u_i(1, ..., 1) */
  int64_t column0, row0;    /* of the agent's in arrays over all agents */
} wal_nw_block;

typedef struct {
  int n, m;
  int64_t columns, rows; /* of all agents */
  wal_nw_block *agent;   /* [n] owned */
} wal_nw_program;

/* WAL_E_UNSUPPORTED: an agent without a linear program; WAL_E_INPUT: one that can use nothing. */
wal_status wal_nw_program_create(const wal_nw_market *market, wal_nw_program *out);
/* Does wal_utility_value need no linear program? */
bool wal_nw_value_is_quick(const wal_utility *u, const wal_nw_block *a);
void wal_nw_program_destroy(wal_nw_program *program); /* accepts NULL and zeroed */

#endif
