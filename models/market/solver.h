/* The seam `solver`: every way to compute a market equilibrium, behind one call. */
#ifndef WAL_MARKET_SOLVER_H
#define WAL_MARKET_SOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "models/market/market.h"

/* Where a running solver reports. Any callback may be NULL. */
typedef struct {
  void *context;
  /* One line of the convergence trace: `count` named numbers, the same names at every call. */
  void (*row)(void *context, int count, const char *const names[], const double values[]);
  /* fraction in [0, 1]; what: a few words. */
  void (*progress)(void *context, double fraction, const char *what);
  /* The iterate after `iteration` of the method's own unit: allocation and prices [m], borrowed for the call.
     Networks and gradient methods call it once an epoch, the others once a step. */
  void (*state)(void *context, int64_t iteration, const wal_allocation *allocation, const double *price);
} wal_trace;

/* One recipe of MarketFCNet (section 4, C.2). */
typedef struct {
  int width, depth;     /* hidden width; number of linear layers */
  int batch;            /* M: buyers per minibatch; two independent minibatches a step */
  int epochs, inner;    /* lambda updates; Adam steps between them (K) */
  double lr;            /* Adam's learning rate */
  int warmup;           /* linear warm-up steps; 0: none */
  bool cosine;          /* cosine decay to 0 over the run */
  double rho, lambda0;  /* augmented-Lagrangian weight; initial multipliers */
  int64_t price_buyers; /* buyers whose demand sets lambda, after every epoch (fc) or the last (share outputs,
                           which use the minibatches' buyers before); 0: the whole population */
  char activation[16];  /* relu | tanh | silu */
  char estimator[16];   /* of the squared excess (eq. 5): diagonal | product | u_statistic */
  char precision[16];   /* of a device's matrix products: float32 | tf32 | bf16; the CPU: float32 */
} wal_network_options;

typedef struct {
  uint64_t seed;   /* key of every random number the solver draws */
  struct {         /* exact dual Newton */
    int max_steps; /* of a stage */
    double tol;    /* on |NG| of the one-pass certificate, nats */
    bool single;   /* values in float32, sums in double, nothing kept: NG about 1e-15, VoA about 1e-8, half of
                      the time; alpha in [-10, 0.95] */
    const double
        *start; /* [m] prices to begin at, borrowed; NULL: those of the first buyers; -inf < alpha < 1 */
  } newton;
  struct {         /* Newton with conjugate gradients: no m x m matrix */
    int max_steps; /* Newton steps */
    int max_inner; /* conjugate-gradient steps of each */
    double tol;    /* on the certified gap, nats */
  } newton_cg;
  struct {
    int64_t buyers; /* newton_sample: how many buyers, drawn without repetition; solved by newton's options */
  } newton_sample;
  struct { /* proportional response */
    int max_steps;
    double tol; /* on the certified gap, nats */
  } pr;
  struct { /* tatonnement */
    int max_steps;
    double tol;
    double
        gamma;  /* log p_j += gamma log(demand/supply); 0: 1 - alpha, or 1 for alpha < 0: always converges */
    int memory; /* Anderson acceleration over so many steps; 0: none */
  } tatonnement;
  struct {         /* block-coordinate proximal updates */
    int max_steps; /* passes over the buyers */
    double tol;
    int64_t block; /* buyers updated together; 0: our rule, n/128 from 1 to 1024 */
  } block;
  struct {         /* PACE: buyers and one item at a time */
    int64_t items; /* items that arrive; 0: as many as reach tol, at most 2^30 */
    double tol;
  } pace;
  struct { /* EG, EG-m (marketfcnet C.1, C.2) */
    int epochs,
        inner;   /* lambda updates; gradient steps between them (0: paper's rule, 1000 if n>1000 else 100) */
    double step; /* 0: paper's rule 1e3 (alpha<1) | 1e2 (alpha=1) for n>1000, else 1 | 0.1 */
    double momentum; /* EG-m only */
    double rho;      /* augmented-Lagrangian weight */
    double lambda0;  /* initial multipliers */
    bool early_stop; /* stop at NG < stop_gap, as the paper states */
    double stop_gap;
    int64_t
        as_if_n; /* scales the step by n / as_if_n, so that a buyer moves as it would among as_if_n; 0: no */
  } eg;
  struct { /* EG whose step is per buyer, not per population */
    int max_steps;
    double tol;  /* on the certified gap, nats */
    double step; /* of a buyer's own gradient; 0: 2/max(1, 1 - alpha) */
    double momentum;
  } eg_scaled;
  wal_network_options fc;       /* MarketFCNet, the paper's recipe */
  wal_network_options fc_share; /* MarketFCNet with the share output; lambda0 is not used */
  wal_network_options tower;    /* share output from a network of the buyer alone, one output per good */
} wal_solver_options;

/* Every default in one place: the paper's values, and our choices where it is silent (docs in solver.c). */
void wal_solver_defaults(wal_solver_options *options);

typedef struct {
  double *price;              /* [m] owned; raw lambda, not projected */
  wal_allocation *allocation; /* owned */
  int64_t iterations;         /* the method's own unit: Newton steps, gradient steps, Adam steps */
  double certified_gap;       /* the solver's own bound on NG when it has one, else NaN */
} wal_solution;
void wal_solution_destroy(wal_solution *solution); /* frees the members; accepts a zeroed struct */

typedef struct {
  const char *name;   /* "newton" */
  const char *title;  /* "Exact (dual log-Newton)" */
  const char *source; /* where it comes from: paper, equation, appendix */
  const char *alpha;  /* which alpha it takes, numbers and intervals: "-inf, [-300, 0.9999], 1" */
  const char *sizes;  /* which n and m, and what memory, in a few words */
  const char *seam;   /* "dual": of models/common/device.h, what a device computes of it; "": nothing */
  bool contexts;      /* needs buyers and goods with contexts */
  bool quasilinear;   /* takes quasilinear utilities too */
  wal_status (*solve)(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                      wal_solution *solution); /* of a market that it takes: see wal_solver_solve */
} wal_solver;

/* Whether the solver's table row says that it takes such a market: alpha, contexts, quasilinear. */
bool wal_solver_takes(const wal_solver *solver, const wal_market *market);
/* The front door: solve() of a market that the solver takes, else WAL_E_UNSUPPORTED naming those that do. */
wal_status wal_solver_solve(const wal_solver *solver, const wal_market *market,
                            const wal_solver_options *options, const wal_trace *trace,
                            wal_solution *solution);

/* The members, in the order of tables; NULL-terminated. */
extern const wal_solver *const wal_solvers[];
/* NULL when there is none of that name. */
const wal_solver *wal_solver_find(const char *name);

#endif
