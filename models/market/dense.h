/* Small dense linear algebra for the exact solvers: a Cholesky of m x m, m the number of goods. Written out
   because it is this short, and because GSL's default error handler ends the program. Private to
   models/market. */
#ifndef WAL_MARKET_DENSE_H
#define WAL_MARKET_DENSE_H

#include <math.h>
#include <stdbool.h>

/* Solves a x = b for symmetric positive definite a[m, m] (lower triangle read, overwritten by its factor);
   b[m] becomes x. False where a is not positive definite. */
static inline bool wal_cholesky_solve(int m, double *a, double *b) {
  for (int j = 0; j < m; j++) {
    for (int k = 0; k <= j; k++) {
      double sum = a[j * m + k];
      for (int l = 0; l < k; l++) sum -= a[j * m + l] * a[k * m + l];
      if (k == j && !(sum > 0.0)) return false;
      a[j * m + k] = k == j ? sqrt(sum) : sum / a[k * m + k];
    }
  }
  for (int j = 0; j < m; j++) {
    for (int k = 0; k < j; k++) b[j] -= a[j * m + k] * b[k];
    b[j] /= a[j * m + j];
  }
  for (int j = m - 1; j >= 0; j--) {
    for (int k = j + 1; k < m; k++) b[j] -= a[k * m + j] * b[k];
    b[j] /= a[j * m + j];
  }
  return true;
}

#endif
