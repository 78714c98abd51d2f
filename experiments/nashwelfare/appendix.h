/* What the figures of Appendix A's examples share: parameters, columns, and the row of an equilibrium. */
#ifndef WAL_EXPERIMENTS_NASHWELFARE_APPENDIX_H
#define WAL_EXPERIMENTS_NASHWELFARE_APPENDIX_H

#include "engine/drawing.h"
#include "experiments/nashwelfare/nashwelfare.h"
#include "models/nashwelfare/demand.h"
#include "models/nashwelfare/examples.h"
#include "models/nashwelfare/nash_welfare.h"
#include "models/nashwelfare/verify.h"

/* Parameters, of which each figure takes those that its example has. */
#define WAL_APPENDIX_N(standard) \
  { "n", WAL_INT, standard, 2, 1e6, NULL, "1", "size of the example: its n", NULL, WAL_PARAM_KEY }
#define WAL_APPENDIX_EPS(standard)                                                                    \
  {                                                                                                   \
    "eps", WAL_REAL, standard, 1e-12, 1, NULL, "1", "small number of the example: its epsilon", NULL, \
        WAL_PARAM_KEY                                                                                 \
  }

/* One row for each equilibrium that the example has in closed form. */
extern const wal_column wal_appendix_columns[];
enum { WAL_APPENDIX_COLUMNS = 11 };

/* Example `number`: checks each stated equilibrium, asks the demand oracle what the followed agent gets at
   its prices, maximises Nash welfare, and sends both beside the closed forms. Fails where a theorem does:
   Theorem 1.1 always, Theorem 1.6 where `half`. */
wal_status wal_appendix_run(int number, const wal_example_size *size, bool half, wal_sink *sink);
/* Maximum Nash welfare to a gap of 1e-12, which leaves utilities sqrt(2 gap sum_k b_k / b_i), relative. */
wal_status wal_appendix_maximise(const wal_nw_market *market, wal_nw_solution *out);
/* Is a stated number the computed one, to what that leaves? */
bool wal_examples_agree(double stated, double computed);
/* The erratum of docs/errata.md by which a quantity of nashwelfare/examples differs from the print; NULL:
 * none. */
const char *wal_examples_erratum(const char *quantity);

/* A column of a group: the mean of a measure, or the number of a key. */
double wal_appendix_mean(const wal_grouping *by, int group, const char *column);
double wal_appendix_key(const wal_grouping *by, int group, const char *column);

/* One line or set of points: y(by, group) against key x, rising, over the groups that `keep` takes (NULL:
 * all). */
typedef double (*wal_appendix_value)(const wal_grouping *by, int group);
typedef bool (*wal_appendix_filter)(const wal_grouping *by, int group);
void wal_appendix_add(wal_panel *panel, wal_series_kind kind, const char *name, int colour,
                      const wal_grouping *by, const char *x, wal_appendix_value y, wal_appendix_filter keep);
/* The same for each value of eps, the largest first, named `name` "ε = 0.1" (name NULL: without), in these
   colours. */
void wal_appendix_add_each_eps(wal_panel *panel, wal_series_kind kind, const char *name, const int colours[4],
                               const wal_grouping *by, const char *x, wal_appendix_value y);
/* A horizontal line with its name in the legend. */
void wal_appendix_rule(wal_panel *panel, const char *name, double y);

#endif
