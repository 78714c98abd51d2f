/* The markets of Appendix A, with what the paper says of them in closed form (corrected: docs/errata.md). */
#ifndef WAL_NASHWELFARE_EXAMPLES_H
#define WAL_NASHWELFARE_EXAMPLES_H

#include "models/nashwelfare/utility.h"

enum { WAL_EXAMPLES = 10 };

typedef struct {
  int n;         /* of A.5, A.7, A.8 (n^2 + n + 1 agents), A.9, A.10 */
  double eps;    /* A.2 (1e-10 in print), A.4, A.5, A.7, A.10 */
  double alpha;  /* A.6 */
  double budget; /* A.4: of both agents together (e in print); A.10: of the last agent, 0: twice what its
                    bundle in the stated equilibrium costs */
  bool printed;  /* A.6: beta, A.9: v_11 = 0, as printed */
} wal_example_size;
/* The sizes that the paper gives, or ours where it leaves them open. */
wal_example_size wal_example_defaults(int number);

/* A.1 to A.10 as a market; number 1..10. */
wal_status wal_example(int number, const wal_example_size *size, wal_nw_market *out);
/* The agent of whom the example speaks. */
int wal_example_agent(int number, const wal_example_size *size);

/* How many equilibria are known in closed form (A.1's third is not in the paper); A.3 and A.6: none. */
int wal_example_equilibria(int number);
/* Prices p[m] and allocation x[n, m] of equilibrium 0, 1, ... */
wal_status wal_example_equilibrium(int number, const wal_example_size *size, int which, double *p, double *x);
/* Utilities u[n] of maximum Nash welfare. WAL_E_UNSUPPORTED outside of the sizes that the closed form is for,
   and for A.3. */
wal_status wal_example_nash(int number, const wal_example_size *size, double *u);

/* Prices q[2] of A.3. */
enum { WAL_A3_LOWER, WAL_A3_HIGHER, WAL_A3_PRINTED }; /* q, q' corrected, q' as printed */
void wal_example_a3_prices(int which, double *q);
/* beta of A.6: corrected alpha / (alpha - 1), printed (alpha - 1) / (alpha - 2). */
double wal_example_beta(const wal_example_size *size);
/* k of A.8: n / (1 + n k + n/(n+1)) + n / (1 + k) = n / (1 - k/n). */
double wal_example_k(int n);

#endif
