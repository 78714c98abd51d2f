/* The markets of Appendix A, with what the paper says of them in closed form. */
#ifndef WAL_NASHWELFARE_EXAMPLES_H
#define WAL_NASHWELFARE_EXAMPLES_H

#include "models/nashwelfare/utility.h"

/* A.1 to A.10 as a market; number 1..10. n: the example's size where it has one (A.5, A.7-A.10), ignored
   otherwise. eps: its small number (A.2: 1e-10 printed, A.4, A.5, A.7, A.10); A.6: alpha. budget: A.4's
   second agent has budget - 1 (e printed), A.10's last agent has B. */
typedef struct {
  int n;
  double eps, budget;
} wal_example_size;
wal_status wal_example(int number, const wal_example_size *size, wal_nw_market *out);
/* The size that the paper, or our figures, use. */
wal_example_size wal_example_defaults(int number);

#endif
