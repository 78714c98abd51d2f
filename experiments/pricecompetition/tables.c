/* Tables 1, 2, 3, the two without a number and Example 3 as markets: what each shows, stated and computed. */
#include "experiments/pricecompetition/tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing.h"
#include "experiments/registry.h"
#include "models/pricing/cells.h"
#include "models/pricing/duopoly.h"
#include "models/pricing/gadget.h"
#include "models/pricing/sellers.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {
    {"quantity", WAL_TEXT, "section4.low", 0, 0, NULL, "1", "table and what of it is computed", NULL,
     WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"value", WAL_REAL, "1", "the quantity as computed; statements: 1 holds, 0 does not", 0, 1e-7, 1e-7},
};

typedef struct quantity quantity;
struct quantity {
  const char *name, *table, *label;
  wal_status (*measure)(const quantity *q, double *value);
  double at[3]; /* prices or parameters of the measure */
  int which;    /* seller, from 0; allocation; place in a table */
  bool above;   /* stated is a bound, that the value must be above */
  const char *erratum;
};

/* ---- markets ---- */

/* Two buyers of these budgets; value and price [2, m]; items from `split` on belong to seller 1. */
static wal_status two_buyers(double budget, int m, const double *value, const double *price, int split,
                             wal_pricing_market *out) {
  const wal_status status = wal_pricing_market_create(2, m, out);
  if (status != WAL_OK) return status;
  memcpy(out->value, value, 2 * (size_t)m * sizeof *value);
  memcpy(out->price, price, 2 * (size_t)m * sizeof *price);
  out->budget[0] = out->budget[1] = budget;
  for (int j = split; j < m; j++) out->owner[j] = 1;
  out->sellers = split < m ? 2 : 1;
  return wal_pricing_natural(out);
}

static wal_status section4(wal_pricing_market *out) {
  return two_buyers(1, 2, (const double[]){1, 1, 0, 1}, (const double[]){1, 1, 1, 1}, 1, out);
}

static wal_status example3(wal_pricing_market *out) {
  return two_buyers(1, 2, (const double[]){1, 1, 1, 0}, (const double[]){1, 1, 1, 0}, 2, out);
}

/* The table of Example 1 at prices p[3]. */
static wal_status example1(const double p[3], wal_pricing_market *out) {
  return two_buyers(2, 3, (const double[]){2, 1, 0, 1.0 / 3, 1, 1},
                    (const double[]){p[0], p[1], p[2], p[0], p[1], p[2]}, 1, out);
}

/* Table 1; price[2, 2]. */
static wal_status table1(const double price[4], wal_pricing_market *out) {
  return two_buyers(2, 2, (const double[]){1, 2, 2, 1}, price, 1, out);
}

/* ---- sections 4 and 5 ---- */

/* Is allocation x or y of section 4 stable? */
static wal_status section4_stable(const quantity *q, double *value) {
  double x[2][4] = {{0, 1, 0, 0}, {1, 0, 0, 1}};
  wal_pricing_market market;
  wal_stability_report report;
  const wal_status status = section4(&market);
  if (status == WAL_OK) *value = wal_stability_check(&market, x[q->which], WAL_CHECK_STABLE, 1e-9, &report);
  wal_pricing_market_destroy(&market);
  return status;
}

/* Least (which 0) or most (1) revenue over all stable allocations of a market that is then destroyed. */
static wal_status revenue_end(wal_status made, wal_pricing_market *market, int which, double *value) {
  wal_stable_range range = {0};
  wal_status status = made;
  if (status == WAL_OK) status = wal_stable_objective(market, market->price, NULL, &range);
  *value = which ? range.high : range.low;
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(market);
  return status;
}

static wal_status section4_revenue(const quantity *q, double *value) {
  wal_pricing_market market;
  return revenue_end(section4(&market), &market, q->which, value);
}

static wal_status example3_revenue(const quantity *q, double *value) {
  wal_pricing_market market;
  return revenue_end(example3(&market), &market, q->which, value);
}

/* ---- Example 1 ---- */

static wal_status guaranteed(wal_status made, wal_pricing_market *market, wal_selection selection, int seller,
                             double *value) {
  double revenue[2];
  wal_status status = made;
  if (status == WAL_OK) status = wal_guaranteed_revenue(market, selection, revenue);
  if (status == WAL_OK) *value = revenue[seller];
  wal_pricing_market_destroy(market);
  return status;
}

static wal_status example1_revenue(const quantity *q, double *value) {
  wal_pricing_market market;
  return guaranteed(example1(q->at, &market), &market, WAL_SELECT_BEST, q->which, value);
}

/* The same with item 3 in seller 1's hands. */
static wal_status example1_moved(const quantity *q, double *value) {
  wal_pricing_market market;
  const wal_status status = example1(q->at, &market);
  if (status == WAL_OK) market.owner[2] = 0;
  return guaranteed(status, &market, WAL_SELECT_BEST, q->which, value);
}

/* Section 5: item 2 ranks buyer 1 first. All stable allocations. */
static wal_status example1_priority(const quantity *q, double *value) {
  wal_pricing_market market;
  const wal_status status = example1(q->at, &market);
  if (status == WAL_OK) market.rank[2 * 1 + 1] = 1;
  return guaranteed(status, &market, WAL_SELECT_ALL, q->which, value);
}

/* How much of item `which` is sold at the least, over revenue-optimal stable allocations. */
static wal_status example1_sold(const quantity *q, double *value) {
  double sold[6] = {0};
  wal_pricing_market market;
  wal_stable_range range = {0};
  sold[q->which] = sold[3 + q->which] = 1;
  wal_status status = example1(q->at, &market);
  if (status == WAL_OK) status = wal_stable_objective_at_best(&market, sold, NULL, &range);
  *value = range.low;
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(&market);
  return status;
}

/* Is there one revenue-optimal stable allocation: does no share have a range? */
static wal_status example1_unique(const quantity *q, double *value) {
  wal_pricing_market market;
  wal_status status = example1(q->at, &market);
  *value = 1;
  for (int e = 0; status == WAL_OK && e < 6; e++) {
    double share[6] = {0};
    wal_stable_range range = {0};
    share[e] = 1;
    status = wal_stable_objective_at_best(&market, share, NULL, &range);
    if (range.high - range.low > 1e-7) *value = 0;
    wal_stable_range_destroy(&range);
  }
  wal_pricing_market_destroy(&market);
  return status;
}

/* ---- Table 1: seller 1's response of Theorem 7's proof to seller 2's prices at[0], at[1] ---- */

/* The response p11, p21, with eps as small as it takes: 1e-3. The last case is not in the proof. */
static void response(double p12, double p22, double *p11, double *p21) {
  const double eps = 1e-3;
  if (p22 > 1) {
    *p11 = p12 > 0 ? p12 / 4 : 1;
    *p21 = 1 + p22;
  } else if (p12 < 2) {
    *p11 = *p21 = 4;
  } else if (p12 > 4) {
    *p11 = *p21 = 2 + eps;
  } else if (p12 > 2) {
    *p11 = (1 - eps) / 2 * p12;
    *p21 = 2 / eps;
  } else {
    *p11 = eps;
    *p21 = 1 / eps;
  }
}

static wal_status table1_response(const quantity *q, double *value) {
  double p11, p21;
  wal_pricing_market market;
  response(q->at[0], q->at[1], &p11, &p21);
  return guaranteed(table1((const double[]){p11, q->at[0], p21, q->at[1]}, &market), &market, WAL_SELECT_ALL,
                    0, value);
}

/* The literal proof at p12 = 0: p11 = p12 / 4 = 0. */
static wal_status table1_missing(const quantity *q, double *value) {
  wal_pricing_market market;
  return guaranteed(table1((const double[]){0, 0, 1 + q->at[1], q->at[1]}, &market), &market, WAL_SELECT_ALL,
                    0, value);
}

/* ---- Table 2: the duopoly at s = at[0], t = at[1]; a_2 = b_1 = at[2], the others 1 ---- */

static wal_status table2_trade(const quantity *q, wal_duopoly_outcome *out) {
  wal_duopoly duopoly;
  wal_status status = wal_duopoly_example2(q->at[0], q->at[1], &duopoly);
  if (status == WAL_OK)
    status = wal_duopoly_trade(&duopoly, (const double[]){1, q->at[2]}, (const double[]){q->at[2], 1}, out);
  wal_duopoly_destroy(&duopoly);
  return status;
}

static wal_status table2_revenue(const quantity *q, double *value) {
  wal_duopoly_outcome outcome = {0};
  const wal_status status = table2_trade(q, &outcome);
  *value = outcome.low[q->which];
  return status;
}

/* What the seller's best response found is worth to it. */
static wal_status table2_gain(const quantity *q, double *value) {
  wal_duopoly duopoly;
  wal_duopoly_outcome outcome = {0};
  wal_duopoly_response best = {0};
  wal_status status = wal_duopoly_example2(q->at[0], q->at[1], &duopoly);
  if (status == WAL_OK) status = table2_trade(q, &outcome);
  if (status == WAL_OK)
    status = wal_duopoly_best_response(&duopoly, (const double[]){1, q->at[2]}, (const double[]){q->at[2], 1},
                                       q->which, &best);
  *value = fmax(0, best.guaranteed - outcome.low[q->which]);
  wal_duopoly_destroy(&duopoly);
  return status;
}

/* ---- Table 3: the gadget of one variable ---- */

static int literal_one[1][3] = {{1}};
static const wal_formula one_clause = {1, 1, literal_one}, no_clause = {1, 0, literal_one};
static const wal_gadget_options theorem6 = {0};

/* The price of buyer which / 10 for item which % 10. */
static wal_status table3_price(const quantity *q, double *value) {
  wal_pricing_market market;
  const wal_status status = wal_gadget_market(&no_clause, &theorem6, false, &market);
  if (status == WAL_OK) *value = market.price[q->which];
  wal_pricing_market_destroy(&market);
  return status;
}

/* Least or most revenue of the variable alone (at[0] = 0), or with the clause of its literal (1). */
static wal_status table3_revenue(const quantity *q, double *value) {
  wal_pricing_market market;
  const wal_formula *formula = q->at[0] > 0 ? &one_clause : &no_clause;
  return revenue_end(wal_gadget_market(formula, &theorem6, false, &market), &market, q->which, value);
}

/* The same where priorities implement "true" (Theorem 4); at[0] > 0: literal buyers prefer choice items. */
static wal_status table3_implemented(const quantity *q, double *value) {
  const wal_gadget_options options = {true, q->at[0] > 0, true, 1};
  wal_pricing_market market;
  return revenue_end(wal_gadget_market(&one_clause, &options, false, &market), &market, q->which, value);
}

/* Under the priorities that implement an assignment: is there one revenue? */
static wal_status table3_one_revenue(const quantity *q, double *value) {
  quantity end = *q;
  double low = 0, high = 0;
  end.which = 0;
  wal_status status = table3_implemented(&end, &low);
  end.which = 1;
  if (status == WAL_OK) status = table3_implemented(&end, &high);
  *value = high - low <= 1e-7;
  return status;
}

/* ---- Table 2, whole outcomes ---- */

/* Does neither seller gain more than 1e-7? */
static wal_status table2_nash(const quantity *q, double *value) {
  wal_status status = WAL_OK;
  *value = 1;
  for (int k = 0; k < 2 && status == WAL_OK; k++) {
    quantity one = *q;
    double gain = 0;
    one.which = k;
    status = table2_gain(&one, &gain);
    if (gain > 1e-7) *value = 0;
  }
  return status;
}

/* Buyer 1's share of item `which`: the most or least, whichever is farther from a half. */
static wal_status table2_share(const quantity *q, double *value) {
  double share[8] = {0};
  wal_duopoly duopoly = {0};
  wal_pricing_market market = {0};
  wal_stable_range range = {0};
  share[q->which] = 1;
  wal_status status = wal_duopoly_example2(q->at[0], q->at[1], &duopoly);
  if (status == WAL_OK)
    status =
        wal_duopoly_market(&duopoly, (const double[]){1, q->at[2]}, (const double[]){q->at[2], 1}, &market);
  if (status == WAL_OK) status = wal_stable_objective(&market, share, NULL, &range);
  *value = fabs(range.low - 0.5) > fabs(range.high - 0.5) ? range.low : range.high;
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(&market);
  wal_duopoly_destroy(&duopoly);
  return status;
}

/* ---- the quantities ---- */

#define SECTION4 "section 4"
#define EXAMPLE1 "Example 1"
#define TABLE1 "Table 1"
#define TABLE2 "Table 2"
#define TABLE3 "Table 3"
#define EXAMPLE3 "Example 3"
#define FOUR_THIRDS (4.0 / 3)
#define TWO_THIRDS (2.0 / 3)

static const quantity quantities[] = {
    {"section4.x", SECTION4, "x is stable", section4_stable, {0}, 0, false, NULL},
    {"section4.y", SECTION4, "y is stable", section4_stable, {0}, 1, false, NULL},
    {"section4.low", SECTION4, "least stable revenue", section4_revenue, {0}, 0, false, NULL},
    {"section4.high", SECTION4, "most stable revenue", section4_revenue, {0}, 1, false, NULL},

    {"example1.ce1", EXAMPLE1, "R_1 at (2, 1, 1)", example1_revenue, {2, 1, 1}, 0, false, NULL},
    {"example1.ce2", EXAMPLE1, "R_2 at (2, 1, 1)", example1_revenue, {2, 1, 1}, 1, false, NULL},
    {"example1.unique",
     EXAMPLE1,
     "one revenue-optimal allocation at (4/3, 2/3, 2)",
     example1_unique,
     {FOUR_THIRDS, TWO_THIRDS, 2},
     0,
     false,
     NULL},
    {"example1.r1",
     EXAMPLE1,
     "R_1 at (4/3, 2/3, 2)",
     example1_revenue,
     {FOUR_THIRDS, TWO_THIRDS, 2},
     0,
     false,
     NULL},
    {"example1.r2",
     EXAMPLE1,
     "R_2 at (4/3, 2/3, 2)",
     example1_revenue,
     {FOUR_THIRDS, TWO_THIRDS, 2},
     1,
     false,
     NULL},
    {"example1.r1_open",
     EXAMPLE1,
     "R_1 at (4/3, 2/3, 3)",
     example1_revenue,
     {FOUR_THIRDS, TWO_THIRDS, 3},
     0,
     false,
     NULL},
    {"example1.r2_open",
     EXAMPLE1,
     "R_2 at (4/3, 2/3, 3)",
     example1_revenue,
     {FOUR_THIRDS, TWO_THIRDS, 3},
     1,
     false,
     NULL},
    {"example1.sold",
     EXAMPLE1,
     "item 3 sold at (4/3, 2/3, 3)",
     example1_sold,
     {FOUR_THIRDS, TWO_THIRDS, 3},
     2,
     false,
     NULL},
    {"example1.moved",
     EXAMPLE1,
     "item 3 with seller 1: R_2 at (4/3, 2/3, 2)",
     example1_moved,
     {FOUR_THIRDS, TWO_THIRDS, 2},
     1,
     false,
     NULL},
    {"example1.moved_up",
     EXAMPLE1,
     "item 3 with seller 1: R_2 at (4/3, 1, 2)",
     example1_moved,
     {FOUR_THIRDS, 1, 2},
     1,
     false,
     NULL},
    {"example1.priority",
     EXAMPLE1,
     "item 2 for buyer 1 first: R_2 at (2, 2/3, 2)",
     example1_priority,
     {2, TWO_THIRDS, 2},
     1,
     true,
     NULL},

    {"table1.case1", TABLE1, "seller 1's response to (3, 3/2)", table1_response, {3, 1.5}, 0, true, NULL},
    {"table1.case2", TABLE1, "to (1, 1/2)", table1_response, {1, 0.5}, 0, true, NULL},
    {"table1.case3", TABLE1, "to (5, 1/2), p_21 = p_11", table1_response, {5, 0.5}, 0, true, NULL},
    {"table1.case4", TABLE1, "to (3, 1/2)", table1_response, {3, 0.5}, 0, true, NULL},
    {"table1.case5", TABLE1, "to (2, 1/2)", table1_response, {2, 0.5}, 0, true, NULL},
    {"table1.missing", TABLE1, "to (0, 3/2), p_11 = p_12 / 4", table1_missing, {0, 1.5}, 0, true, "P7"},
    {"table1.mended", TABLE1, "to (0, 3/2), p_11 = 1", table1_response, {0, 1.5}, 0, true, NULL},

    {"table2.r1_half", TABLE2, "R_1 at s = t = 1/2, all 1", table2_revenue, {0.5, 0.5, 1}, 0, false, NULL},
    {"table2.nash_half", TABLE2, "Nash equilibrium there", table2_nash, {0.5, 0.5, 1}, 0, false, NULL},
    {"table2.nash_out", TABLE2, "at s = 3/4, t = 1/2", table2_nash, {0.75, 0.5, 1}, 0, false, NULL},
    {"table2.nash_corner", TABLE2, "at s = t = 0", table2_nash, {0, 0, 1}, 0, false, "P6"},
    {"table2.r1",
     TABLE2,
     "R_1 at s = 1, t = 0, a_2 = b_1 = 4/3",
     table2_revenue,
     {1, 0, FOUR_THIRDS},
     0,
     false,
     NULL},
    {"table2.r2", TABLE2, "R_2 there", table2_revenue, {1, 0, FOUR_THIRDS}, 1, false, NULL},
    {"table2.share1",
     TABLE2,
     "buyer 1's part of item 1 there",
     table2_share,
     {1, 0, FOUR_THIRDS},
     0,
     false,
     NULL},
    {"table2.share3",
     TABLE2,
     "buyer 1's part of item 3 there",
     table2_share,
     {1, 0, FOUR_THIRDS},
     2,
     false,
     NULL},
    {"table2.nash", TABLE2, "Nash equilibrium there", table2_nash, {1, 0, FOUR_THIRDS}, 0, false, NULL},

    {"table3.choice", TABLE3, "choice buyer's price, choice item +", table3_price, {0}, 0, false, NULL},
    {"table3.literal", TABLE3, "literal buyer +'s, the same", table3_price, {0}, 10, false, NULL},
    {"table3.clause", TABLE3, "literal buyer +'s, clause-literal item", table3_price, {0}, 12, false, NULL},
    {"table3.buffer", TABLE3, "literal buyer -'s, buffer item -", table3_price, {0}, 29, false, NULL},
    {"table3.low", TABLE3, "least stable revenue, no clause", table3_revenue, {0}, 0, false, NULL},
    {"table3.high", TABLE3, "most stable revenue, no clause", table3_revenue, {0}, 1, false, NULL},
    {"table3.clause_high", TABLE3, "most stable revenue, clause (v)", table3_revenue, {1}, 1, false, NULL},
    {"table3.strict",
     TABLE3,
     "one revenue under Theorem 4's priorities, choice items preferred",
     table3_one_revenue,
     {1},
     0,
     false,
     NULL},
    {"table3.indifferent", TABLE3, "the same without preference", table3_one_revenue, {0}, 0, false, "P10"},

    {"example3.low", EXAMPLE3, "least stable revenue", example3_revenue, {0}, 0, false, NULL},
    {"example3.high", EXAMPLE3, "most stable revenue", example3_revenue, {0}, 1, false, NULL},
};
enum { QUANTITIES = sizeof quantities / sizeof *quantities };

static const quantity *quantity_find(const char *name) {
  for (int k = 0; k < QUANTITIES; k++)
    if (strcmp(quantities[k].name, name) == 0) return &quantities[k];
  return NULL;
}

bool wal_tables_agree(const char *name, double stated, double computed) {
  const quantity *q = quantity_find(name);
  if (q && q->above) return computed > stated + 1e-7;
  return fabs(stated - computed) <= 1e-7;
}

const char *wal_tables_erratum(const char *name) {
  const quantity *q = quantity_find(name);
  return q ? q->erratum : NULL;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const char *name = wal_point_text(point, "quantity");
  const quantity *q = quantity_find(name);
  if (!q) return wal_fail(WAL_E_INPUT, "there is no quantity \"%s\"; section4.low works", name);
  double value = NAN;
  const wal_status status = q->measure(q, &value);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_real(sink, "value", value);
  return WAL_OK;
}

/* ---- the table ---- */

static void add_status(wal_table *table, const quantity *q, double stated, double computed) {
  char text[64];
  if (isnan(stated))
    snprintf(text, sizeof text, "not stated");
  else if (wal_tables_agree(q->name, stated, computed))
    snprintf(text, sizeof text, "%s", q->above ? "above, as stated" : "agrees");
  else if (q->erratum)
    snprintf(text, sizeof text, "erratum %s", q->erratum);
  else
    snprintf(text, sizeof text, "DIFFERS");
  wal_table_text(table, text);
}

static void add_row(wal_table *table, const wal_grouping *by, int g) {
  const wal_frame *rows = by->result->rows;
  const int64_t row = by->groups[g].row;
  const quantity *q = quantity_find(wal_frame_text(rows, row, wal_frame_find(rows, "quantity")));
  if (!q) return;
  const double stated = wal_result_published(by->result, row, "value"),
               value = wal_group_stat(by, g, "value").mean;
  char text[32] = "";
  if (!isnan(stated)) snprintf(text, sizeof text, q->above ? "> %.7g" : "%.7g", stated);
  wal_table_row(table);
  wal_table_text(table, q->table);
  wal_table_text(table, q->label);
  wal_table_text(table, text);
  wal_table_real(table, value, NAN, 1);
  add_status(table, q, stated, value);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"quantity"};
  wal_grouping by = {0};
  const wal_status status = wal_group_rows(result, keys, 1, &by);
  wal_table *table = wal_drawing_table(drawing, "", result->config->title);
  wal_table_column(table, NULL, "table", NULL);
  wal_table_column(table, NULL, "quantity", NULL);
  wal_table_column(table, NULL, "stated", NULL);
  wal_table_column(table, NULL, "computed", "%.7g");
  wal_table_column(table, NULL, "status", NULL);
  for (int g = 0; status == WAL_OK && g < by.count; g++) add_row(table, &by, g);
  wal_table_note(table, "Statements: 1 holds, 0 does not. Errata: docs/errata.md.");
  wal_grouping_free(&by);
  return status;
}

const wal_experiment wal_pricecompetition_tables = {
    .id = "pricecompetition/tables",
    .title = "Tables 1, 2, 3, the two without a number and Example 3 as markets",
    .paper = WAL_PRICECOMPETITION_PAPER ", Tables 1 to 3",
    .doc =
        "Each table of the paper as a market, and what is stated of it beside what is computed: revenues "
        "over "
        "the whole stable set, guaranteed revenues, Theorem 7's responses to prices of each of its cases, "
        "best responses found in the duopoly, prices and revenues of the gadget. Where they differ "
        "docs/errata.md says how.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
